// The proof behind untouchedUpdate: the update is rebuilt at g = 0 by the folding builder, and beside every node stands
// what is known of it: a linear form in weight and states, a value of the scalars alone, or nothing. The update is
// linear if every output is a linear form.
#include "dialects/Vocabulary/Untouched.h"
#include "dialects/Vocabulary/Folding.h"
#include <algorithm>

namespace sn::vocab {
namespace {
bool isLiteral(Term a, double value) { return !a.builder && a.literal == value; }
// As the operators, without work that a zero or a one spares.
Term sum(Term a, Term b) { return isLiteral(a, 0) ? b : isLiteral(b, 0) ? a : a + b; }
Term difference(Term a, Term b) { return isLiteral(b, 0) ? a : isLiteral(a, 0) ? -b : a - b; }
Term product(Term a, Term b) {
  if (isLiteral(a, 0) || isLiteral(b, 0))
    return 0.0;
  return isLiteral(a, 1) ? b : isLiteral(b, 1) ? a : a * b;
}
Term quotient(Term a, Term b) { return isLiteral(a, 0) || isLiteral(b, 1) ? a : a / b; }

/// What is known of a node.
struct Form {
  enum Kind { Unknown, Scalar, Linear } kind = Unknown;
  Term scalar;            // Scalar
  std::vector<Term> of{}; // Linear: the coefficient of each value
};

class LinearBuilder final : public FoldingBuilder {
public:
  explicit LinearBuilder(size_t values) : values(values) {}

  /// The i-th of the values that forms are linear in.
  Term value(size_t i) {
    Form form{Form::Linear, {}, std::vector<Term>(values, Term(0.0))};
    form.of[i] = 1.0;
    return named(std::move(form));
  }
  Term scalar(Term outside) { return outside.builder ? named({Form::Scalar, outside, {}}) : outside; }
  Form formOf(Term term) const {
    if (!term.builder)
      return {Form::Scalar, term, {}};
    if (isConstant(term.id))
      return {Form::Scalar, valueOf(term.id), {}};
    return static_cast<size_t>(term.id) < forms.size() ? forms[static_cast<size_t>(term.id)] : Form();
  }
  /// A linear form's coefficients; a zero is one too. Empty: it is none.
  std::vector<Term> coefficients(const Form &form) const {
    if (form.kind == Form::Scalar && isLiteral(form.scalar, 0))
      return std::vector<Term>(values, Term(0.0));
    return form.kind == Form::Linear ? form.of : std::vector<Term>();
  }

  Id apply(std::string_view op, std::initializer_list<Id> args) override {
    const size_t before = size();
    const Id id = FoldingBuilder::apply(op, args);
    if (static_cast<size_t>(id) < before || isConstant(id))
      return id; // what it was folded to is known
    std::vector<Form> in;
    for (Id arg : args)
      in.push_back(formOf(Term(*this, arg)));
    remember(id, combine(op, in));
    return id;
  }

private:
  size_t values;
  std::vector<Form> forms; // by node; nodes beyond its end are unknown

  Term named(Form form) {
    const Id id = symbol();
    remember(id, std::move(form));
    return {*this, id};
  }
  void remember(Id id, Form form) {
    forms.resize(std::max(forms.size(), static_cast<size_t>(id) + 1));
    forms[static_cast<size_t>(id)] = std::move(form);
  }
  Form combine(std::string_view op, const std::vector<Form> &in) const;
  Form ofScalars(std::string_view op, const std::vector<Form> &in) const;
  template <typename Each> Form linear(const Form &a, const Form &b, Each each) const {
    const std::vector<Term> x = coefficients(a), y = coefficients(b);
    if (x.empty() || y.empty())
      return {};
    Form form{Form::Linear, {}, {}};
    for (size_t i = 0; i < values; ++i)
      form.of.push_back(each(x[i], y[i]));
    return form;
  }
};

/// All operands are values of the scalars: so is the result.
Form LinearBuilder::ofScalars(std::string_view op, const std::vector<Form> &in) const {
  const Term a = in[0].scalar, b = in.size() > 1 ? in[1].scalar : Term();
  if (op == "add")
    return {Form::Scalar, sum(a, b), {}};
  if (op == "sub")
    return {Form::Scalar, difference(a, b), {}};
  if (op == "mul")
    return {Form::Scalar, product(a, b), {}};
  ScalarBuilder *outside = nullptr;
  for (const Form &form : in)
    outside = form.scalar.builder ? form.scalar.builder : outside;
  if (!outside)
    return {}; // numbers alone have been folded
  auto id = [&](size_t i) { return detail::lift(outside, in[i].scalar).id; };
  const Id made = in.size() == 1   ? outside->apply(op, {id(0)})
                  : in.size() == 2 ? outside->apply(op, {id(0), id(1)})
                                   : outside->apply(op, {id(0), id(1), id(2)});
  return {Form::Scalar, Term(*outside, made), {}};
}

Form LinearBuilder::combine(std::string_view op, const std::vector<Form> &in) const {
  if (std::all_of(in.begin(), in.end(), [](const Form &form) { return form.kind == Form::Scalar; }))
    return ofScalars(op, in);
  if (op == "add")
    return linear(in[0], in[1], sum);
  if (op == "sub")
    return linear(in[0], in[1], difference);
  if (op == "neg")
    return linear({Form::Scalar, 0.0, {}}, in[0], difference);
  if (op == "mul" && in[0].kind == Form::Scalar)
    return linear(in[1], in[1], [&](Term x, Term) { return product(in[0].scalar, x); });
  if (op == "mul" && in[1].kind == Form::Scalar)
    return linear(in[0], in[0], [&](Term x, Term) { return product(x, in[1].scalar); });
  if (op == "div" && in[1].kind == Form::Scalar)
    return linear(in[0], in[0], [&](Term x, Term) { return quotient(x, in[1].scalar); });
  if (op == "select" && in[0].kind == Form::Scalar)
    return linear(in[1], in[2], [&](Term x, Term y) { return select(in[0].scalar, x, y); });
  return {};
}

std::optional<std::vector<Term>> matrixOf(const Optimizer &optimizer, const std::vector<Term> &scalars, Term lambda) {
  const size_t values = 1 + optimizer.states.size();
  LinearBuilder builder(values);
  std::vector<Term> x, own, out(values);
  for (size_t i = 0; i < values; ++i)
    x.push_back(builder.value(i));
  for (size_t i = 1; i < scalars.size(); ++i)
    own.push_back(builder.scalar(scalars[i]));
  const Term weightAndGradient[] = {x[0], 0.0}, decay[] = {builder.scalar(lambda), 0.0};
  Term gradient;
  decayed().term(weightAndGradient, decay, &gradient);
  std::vector<Term> in{x[0], gradient};
  in.insert(in.end(), x.begin() + 1, x.end());
  optimizer.update.term(in.data(), own.data(), out.data());
  std::vector<Term> matrix;
  for (const Term &one : out) {
    const std::vector<Term> row = builder.coefficients(builder.formOf(one));
    if (row.empty())
      return std::nullopt;
    matrix.insert(matrix.end(), row.begin(), row.end());
  }
  return matrix;
}
} // namespace

std::optional<UntouchedUpdate> untouchedUpdate(const Optimizer &optimizer, const std::vector<Term> &scalars) {
  if (auto matrix = matrixOf(optimizer, scalars, scalars.at(0)))
    return UntouchedUpdate{true, std::move(*matrix)};
  if (auto matrix = matrixOf(optimizer, scalars, 0.0))
    return UntouchedUpdate{false, std::move(*matrix)};
  return std::nullopt;
}
} // namespace sn::vocab
