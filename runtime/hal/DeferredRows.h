// Updates that are put off: rows of a sparse input's matrix that a batch does not touch are left alone, and what their
// updates would have made of them is made up for when they are read: they are multiplied by a matrix. A row is its
// weights and their optimizer states, n values for each unit. docs/decisions/0015-lazy-updates.md.
#pragma once
#include "runtime/base/ThreadPool.h"
#include <array>
#include <atomic>
#include <memory>

namespace sn::rt {
/// Values of a unit, the weight and its states, that can be put off: as many as an optimizer may have.
inline constexpr size_t kMostDeferred = 32;

/// The vector loops of a device that puts updates off.
struct DeferralOps {
  /// x[i][j] = sum over k < size of matrix[i * size + k] * x[k][j] for j < count: in double precision, rounded once.
  void (*mix)(int64_t count, int size, const double *matrix, float *const *x);
  /// sums[i * size + k] += sum over j < count of x[i][j] * x[k][j], for all i and k.
  void (*gram)(int64_t count, int size, const float *const *x, double *sums);
};

/// What the steps since the last settling made of an untouched row: the same for all parameters of a model.
class DeferredSteps {
public:
  explicit DeferredSteps(int size) : size_(size), products(elements(), 0.0) { reset(); }
  int size() const { return size_; }
  size_t elements() const { return static_cast<size_t>(size_) * static_cast<size_t>(size_); }
  int64_t count() const { return static_cast<int64_t>(products.size() / elements()) - 1; }
  /// The product of the last `age` steps' matrices, 0 <= age <= count().
  const double *after(int64_t age) const { return products.data() + static_cast<size_t>(age) * elements(); }
  void add(const double *matrix);
  void reset();
  /// All of them, for a checkpoint.
  const std::vector<double> &all() const { return products; }
  void setAll(std::vector<double> values) { products = std::move(values); }

  std::vector<double> step; // the matrix of the step at hand; empty: no step of training is under way
  double lambda = 0;        // of the step at hand

private:
  int size_;
  std::vector<double> products; // of 0, 1, 2, ... steps
};

/// The rows of one parameter.
class DeferredRows {
public:
  /// `values`: the parameter and its states, [rows][units] each; they, `steps` and `ops` must outlive it.
  DeferredRows(std::vector<float *> values, int64_t rows, int64_t units, const DeferredSteps &steps,
               const DeferralOps &ops)
      : values(std::move(values)), rows_(rows), units(units), steps(steps), ops(ops),
        done(static_cast<size_t>(rows), 0) {}

  int64_t rows() const { return rows_; }
  /// A step of training is under way: untouched rows are left alone.
  bool active() const { return !steps.step.empty(); }
  bool decays() const { return steps.lambda != 0; }
  size_t sums() const { return steps.elements(); }

  /// Brings a row up to the steps done before the one at hand. Any number of threads may name a row: one of them does
  /// it, and the others must not read it before all have returned.
  void catchUp(int64_t row) {
    const uint16_t now = static_cast<uint16_t>(steps.count());
    std::atomic_ref<uint16_t> own(done[static_cast<size_t>(row)]);
    if (own.load(std::memory_order_relaxed) == now)
      return;
    if (const uint16_t before = own.exchange(now, std::memory_order_relaxed); before != now)
      multiply(row, now - before);
  }
  /// The step at hand has updated the row. By one thread.
  void updated(int64_t row) { done[static_cast<size_t>(row)] = static_cast<uint16_t>(steps.count() + 1); }
  /// Adds products of the row's values, as they are, to `sums`.
  void addGram(int64_t row, double *into) const {
    std::array<float *, kMostDeferred> x = at(row);
    ops.gram(units, steps.size(), x.data(), into);
  }
  /// The step's sums over the rows that it touches, before and after it. Returns the sum of the squares of all weights
  /// before it, as they are when all rows are up to date.
  double finishStep(const double *before, const double *after);

  /// Sums anew over all rows, which must be up to date.
  void sumAll(ThreadPool &pool);
  /// Brings all rows up to date; the steps may be forgotten then.
  void settle(ThreadPool &pool);
  /// After the steps have been reset.
  void begin() { std::fill(done.begin(), done.end(), uint16_t(0)); }

  // For a checkpoint: steps that each row has yet to make up for, and the sums.
  int32_t age(int64_t row) const { return static_cast<int32_t>(steps.count()) - done[static_cast<size_t>(row)]; }
  void setAge(int64_t row, int64_t age) { done[static_cast<size_t>(row)] = static_cast<uint16_t>(steps.count() - age); }
  std::vector<double> gram; // of (value i, value k) over all rows and units; empty: not summed yet

private:
  std::array<float *, kMostDeferred> at(int64_t row) const {
    std::array<float *, kMostDeferred> x{};
    for (size_t i = 0; i < values.size(); ++i)
      x[i] = values[i] + row * units;
    return x;
  }
  void multiply(int64_t row, int64_t age) {
    std::array<float *, kMostDeferred> x = at(row);
    ops.mix(units, steps.size(), steps.after(age), x.data());
  }

  std::vector<float *> values;
  int64_t rows_, units;
  const DeferredSteps &steps;
  const DeferralOps &ops;
  std::vector<uint16_t> done; // of each row: steps since the last settling that it has seen
};
} // namespace sn::rt
