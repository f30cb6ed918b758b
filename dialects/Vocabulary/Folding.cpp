#include "dialects/Vocabulary/Folding.h"
#include <algorithm>
#include <stdexcept>
#include <string>

namespace sn::vocab {
ScalarBuilder::Id FoldingBuilder::apply(std::string_view op, std::initializer_list<Id> args) {
  const Id *a = args.begin();
  if (args.size() == 1)
    return unary(op, a[0]);
  if (args.size() == 2)
    return binary(op, a[0], a[1]);
  if (op != "select" || args.size() != 3)
    throw std::logic_error("unknown scalar operation " + std::string(op));
  if (nodes[a[0]].isConstant)
    return nodes[a[0]].value != 0 ? a[1] : a[2];
  if (a[1] == a[2])
    return a[1];
  return add({.low = std::min(nodes[a[1]].low, nodes[a[2]].low)});
}

// Literals fold through Term itself: the same functions the formulas use.
static Term literal(std::string_view op, Term a) {
  if (op == "neg")
    return -a;
  if (op == "exp")
    return exp_(a);
  if (op == "log")
    return log_(a);
  if (op == "log1p")
    return log1p_(a);
  if (op == "sqrt")
    return sqrt_(a);
  if (op == "tanh")
    return tanh_(a);
  if (op == "cos")
    return cos_(a);
  if (op == "floor")
    return floor_(a);
  if (op == "abs")
    return abs_(a);
  throw std::logic_error("unknown scalar operation " + std::string(op));
}
static Term literal(std::string_view op, Term a, Term b) {
  if (op == "add")
    return a + b;
  if (op == "sub")
    return a - b;
  if (op == "mul")
    return a * b;
  if (op == "div")
    return a / b;
  if (op == "lt")
    return a < b;
  if (op == "le")
    return a <= b;
  if (op == "gt")
    return a > b;
  if (op == "ge")
    return a >= b;
  if (op == "min")
    return min_(a, b);
  if (op == "max")
    return max_(a, b);
  if (op == "pow")
    return pow_(a, b);
  throw std::logic_error("unknown scalar operation " + std::string(op));
}

ScalarBuilder::Id FoldingBuilder::unary(std::string_view op, Id a) {
  if (nodes[a].isConstant)
    return constant(literal(op, Term(nodes[a].value)).literal);
  bool nonNegative = op == "abs" || op == "exp";
  double low = nonNegative ? 0 : kUnbounded;
  if (op == "sqrt")
    low = nodes[a].low > 0 ? std::sqrt(nodes[a].low) : 0;
  return add({.low = low});
}

ScalarBuilder::Id FoldingBuilder::binary(std::string_view op, Id a, Id b) {
  if (bothConstant(a, b))
    return constant(literal(op, Term(nodes[a].value), Term(nodes[b].value)).literal);
  // == does not tell 0 from -0, so x + (-0) and x + 0 are both x.
  if (op == "add" && is(a, 0))
    return b;
  if ((op == "add" || op == "sub") && is(b, 0))
    return a;
  if (op == "mul" && (is(a, 0) || is(b, 0)))
    return constant(0);
  if (op == "mul" && is(a, 1))
    return b;
  if ((op == "mul" || op == "div") && is(b, 1))
    return a;
  if (op == "div" && is(a, 0) && nodes[b].low > 0)
    return constant(0);
  if (op == "sub" && a == b)
    return constant(0);
  if ((op == "min" || op == "max") && a == b)
    return a;
  return add({.low = lowerBound(op, a, b)});
}

double FoldingBuilder::lowerBound(std::string_view op, Id a, Id b) const {
  double x = nodes[a].low, y = nodes[b].low;
  if (op == "add")
    return x + y;
  if (op == "min")
    return std::min(x, y);
  if (op == "max")
    return std::max(x, y);
  if (op == "mul" && (a == b || (x >= 0 && y >= 0)))
    return a == b ? 0 : x * y;
  return kUnbounded;
}
} // namespace sn::vocab
