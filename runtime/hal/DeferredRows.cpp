#include "runtime/hal/DeferredRows.h"
#include "runtime/plan/Lanes.h"
#include <algorithm>

namespace sn::rt {
namespace {
/// Rows of a task, and the most tasks: their sums are added by a tree whose shape the number of rows alone decides.
constexpr int64_t kRowsPerTask = 256, kMostTasks = 1024;
int64_t rowsPerTask(int64_t rows) { return std::max(kRowsPerTask, (rows + kMostTasks - 1) / kMostTasks); }
} // namespace

void DeferredSteps::reset() {
  products.assign(elements(), 0.0);
  for (size_t i = 0; i < static_cast<size_t>(size_); ++i)
    products[i * static_cast<size_t>(size_) + i] = 1;
}

/// The step becomes the last factor of every product: that of k + 1 steps is M times what was that of k.
void DeferredSteps::add(const double *matrix) {
  const size_t n = static_cast<size_t>(size_);
  std::vector<double> next(products.size() + elements(), 0.0);
  std::copy_n(products.begin(), elements(), next.begin());
  for (size_t from = 0; from < products.size(); from += elements())
    for (size_t i = 0; i < n; ++i)
      for (size_t k = 0; k < n; ++k)
        for (size_t j = 0; j < n; ++j)
          next[from + elements() + i * n + j] += matrix[i * n + k] * products[from + k * n + j];
  products = std::move(next);
}

double DeferredRows::finishStep(const double *before, const double *after) {
  if (gram.empty())
    return 0;
  const size_t n = static_cast<size_t>(steps.size());
  const double squares = gram[0];
  std::vector<double> half(gram.size(), 0.0), next(after, after + gram.size());
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < n; ++k)
      for (size_t j = 0; j < n; ++j)
        half[i * n + j] += steps.step[i * n + k] * (gram[k * n + j] - before[k * n + j]);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < n; ++k)
      for (size_t j = 0; j < n; ++j)
        next[i * n + j] += half[i * n + k] * steps.step[j * n + k];
  gram = std::move(next);
  return squares;
}

void DeferredRows::sumAll(ThreadPool &pool) {
  const int64_t block = rowsPerTask(rows_), tasks = (rows_ + block - 1) / block;
  const size_t size = steps.elements();
  std::vector<double> partial(static_cast<size_t>(tasks) * size, 0.0);
  pool.parallelFor(tasks, [&](int64_t task, int) {
    for (int64_t row = task * block; row < std::min(rows_, (task + 1) * block); ++row)
      addGram(row, partial.data() + static_cast<size_t>(task) * size);
  });
  plan::combineLanes(static_cast<int>(tasks), [&](int into, int from) {
    for (size_t i = 0; i < size; ++i)
      partial[static_cast<size_t>(into) * size + i] += partial[static_cast<size_t>(from) * size + i];
  });
  gram.assign(partial.begin(), partial.begin() + static_cast<std::ptrdiff_t>(size));
}

void DeferredRows::settle(ThreadPool &pool) {
  const int64_t block = rowsPerTask(rows_);
  pool.parallelFor((rows_ + block - 1) / block, [&](int64_t task, int) {
    for (int64_t row = task * block; row < std::min(rows_, (task + 1) * block); ++row)
      catchUp(row);
  });
}
} // namespace sn::rt
