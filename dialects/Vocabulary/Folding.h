// A builder that folds what it is told as it goes: for proofs about formulas.
#pragma once
#include "dialects/Vocabulary/Algebra.h"
#include <limits>
#include <vector>

namespace sn::vocab {
/// Every node keeps a proved lower bound, so that 0 / x folds only where x > 0.
class FoldingBuilder : public ScalarBuilder {
public:
  Id symbol() { return add({.low = kUnbounded}); }
  Id constant(double value) override { return add({.isConstant = true, .value = value, .low = value}); }
  Id apply(std::string_view op, std::initializer_list<Id> args) override;

  /// Whether a node is this number.
  bool is(Id id, double value) const { return nodes[id].isConstant && nodes[id].value == value; }
  bool isConstant(Id id) const { return nodes[id].isConstant; }
  double valueOf(Id id) const { return nodes[id].value; }
  size_t size() const { return nodes.size(); }

private:
  static constexpr double kUnbounded = -std::numeric_limits<double>::infinity();
  struct Node {
    bool isConstant = false;
    double value = 0, low = kUnbounded;
  };
  std::vector<Node> nodes;

  Id add(Node node) {
    nodes.push_back(node);
    return static_cast<Id>(nodes.size()) - 1;
  }
  bool bothConstant(Id a, Id b) const { return nodes[a].isConstant && nodes[b].isConstant; }
  Id unary(std::string_view op, Id a);
  Id binary(std::string_view op, Id a, Id b);
  double lowerBound(std::string_view op, Id a, Id b) const;
};
} // namespace sn::vocab
