// What optimizers make of weights without a gradient: the matrices that are proved, against running the update.
#include "dialects/Vocabulary/Untouched.h"
#include "runtime/plan/Expr.h"
#include "test/unit/vocabulary/Support.h"

namespace sn::vocab::test {
namespace {
/// Terms become numbers: what a matrix is made of is evaluated as it is built.
class Numbers final : public ScalarBuilder {
public:
  Term number(double value) { return {*this, constant(value)}; }
  Id constant(double value) override {
    values.push_back(value);
    return static_cast<Id>(values.size()) - 1;
  }
  Id apply(std::string_view op, std::initializer_list<Id> args) override {
    std::vector<double> operands;
    for (Id arg : args)
      operands.push_back(values[static_cast<size_t>(arg)]);
    return constant(plan::applyScalar(op, operands));
  }
  double of(Term term) const { return term.builder ? values[static_cast<size_t>(term.id)] : term.literal; }

private:
  std::vector<double> values;
};

/// The matrix at Lambda and the record's scalars; empty: not linear.
struct Matrix {
  bool withDecay = false;
  Doubles values;
};
Matrix matrixOf(const Optimizer &optimizer, double lambda, const Doubles &scalars) {
  Numbers numbers;
  std::vector<Term> terms{numbers.number(lambda)};
  for (double value : scalars)
    terms.push_back(numbers.number(value));
  const auto found = untouchedUpdate(optimizer, terms);
  Matrix matrix;
  if (!found)
    return matrix;
  matrix.withDecay = found->withDecay;
  for (Term element : found->matrix)
    matrix.values.push_back(numbers.of(element));
  return matrix;
}
Doubles scalarsOf(const Optimizer &optimizer) {
  Doubles values;
  for (auto &[name, formula] : optimizer.scalars)
    values.push_back(value(formula, {0.1, 0.9, 0.999, 3}));
  return values;
}

/// Runs the update without a gradient from x, with decay.
Doubles without(const Optimizer &optimizer, double lambda, const Doubles &x) {
  Doubles in{x[0], -lambda * x[0]};
  in.insert(in.end(), x.begin() + 1, x.end());
  return run(optimizer.update, in, scalarsOf(optimizer), x.size());
}

Optimizer rule(Formula update, std::vector<std::string_view> states = {"v"}) {
  return {.name = "private",
          .states = std::move(states),
          .scalars = {{"Alpha", formula([](const auto *a, const auto *p) { return a[0]; })}},
          .update = update};
}
bool isLinear(Formula update) { return !matrixOf(rule(update), 0.25, {0.5}).values.empty(); }
} // namespace

TEST(Untouched, WhichOptimizersAreLinear) {
  for (const Optimizer &optimizer : optimizers()) {
    const Matrix matrix = matrixOf(optimizer, 0.25, scalarsOf(optimizer));
    const bool decaying = optimizer.name == "SGD" || optimizer.name == "Momentum" || optimizer.name == "Nesterov";
    EXPECT_EQ(matrix.withDecay, decaying) << optimizer.name;
    EXPECT_EQ(matrix.values.empty(), optimizer.name == "Adam") << optimizer.name;
  }
}

// What is claimed must hold when run, and an idle optimizer has the identity.
TEST(Untouched, MatricesAgreeWithRunningTheUpdate) {
  for (const Optimizer &optimizer : optimizers()) {
    SCOPED_TRACE(optimizer.name);
    const size_t size = 1 + optimizer.states.size();
    for (double lambda : {0.0, 0.25}) {
      const Matrix matrix = matrixOf(optimizer, lambda, scalarsOf(optimizer));
      if (matrix.values.empty() || (lambda != 0 && !matrix.withDecay))
        continue;
      for (const Doubles &all : {Doubles{0.5, 0.25, 0.75}, {-1.5, 2, 0.125}, {0, 1, 1}}) {
        const Doubles x(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size)),
            out = without(optimizer, lambda, x);
        for (size_t i = 0; i < size; ++i) {
          double sum = 0;
          for (size_t k = 0; k < size; ++k)
            sum += matrix.values[i * size + k] * x[k];
          EXPECT_NEAR(out[i], sum, 1e-15) << i;
        }
      }
      for (size_t i = 0; i < size * size && lambda == 0 && idleAtZeroGradient(optimizer); ++i)
        EXPECT_EQ(matrix.values[i], i % (size + 1) == 0 ? 1 : 0);
    }
  }
}

TEST(Untouched, TheProofHandlesRulesItNeverSaw) {
  EXPECT_TRUE(isLinear(formulas([](const auto *a, const auto *p, auto *out) { // swaps, divides, chooses by a scalar
    out[0] = select(p[0] > 1, a[2], a[0] / (1 + p[0])) - a[2] * exp_(p[0]);
    out[1] = a[0] + 3 * a[1] - a[2];
  })));
  EXPECT_FALSE(isLinear(formulas([](const auto *a, const auto *p, auto *out) { // a product of weight and state
    out[0] = a[0] * a[2];
    out[1] = a[2];
  })));
  EXPECT_FALSE(isLinear(formulas([](const auto *a, const auto *p, auto *out) { // affine: a constant is added
    out[0] = a[0] + 0.5;
    out[1] = a[2];
  })));
  EXPECT_FALSE(isLinear(formulas([](const auto *a, const auto *p, auto *out) { // chooses by the weight
    out[0] = select(a[0] > 0, a[0], a[2]);
    out[1] = a[2];
  })));
  EXPECT_FALSE(isLinear(formulas([](const auto *a, const auto *p, auto *out) { // by its magnitude
    out[0] = a[0] - p[0] * abs_(a[0]);
    out[1] = a[2];
  })));
  EXPECT_FALSE(isLinear(formulas([](const auto *a, const auto *p, auto *out) { // 0/0 where the state is 0
    out[0] = a[0] + p[0] * (a[1] - a[1]) / a[2];
    out[1] = a[2];
  })));
  EXPECT_FALSE(isLinear(formulas([](const auto *a, const auto *p, auto *out) { // divides by the weight
    out[0] = p[0] / a[0];
    out[1] = a[2];
  })));
}
} // namespace sn::vocab::test
