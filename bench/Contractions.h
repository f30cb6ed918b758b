// The contractions of a training step, counted and run bare.
#pragma once
#include "kernels-templates/cpu/Context.h"
#include "runtime/hal/Device.h"
#include <string>
#include <vector>

namespace sn::bench {
/// One product C [m, n] = op(A) op(B) over k, row-major ('N' plain, 'T' transposed).
struct Product {
  char transA = 'N', transB = 'N';
  int64_t m = 0, n = 0, k = 0;
  double flops() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k); }
};

/// The contractions that one step of a plan does, each counted once (a sweep that forms deltas again counts again).
struct StepContractions {
  std::vector<Product> dense;
  /// Floating-point operations for each stored entry of the data sets read, by data set (2 x width for a gather, and as
  /// many for its weights' gradient).
  std::vector<std::pair<std::string, double>> perEntry;
};
/// For batches of `rows`. The products have the shapes and the transposition that the weights' layout in memory asks
/// for.
StepContractions contractionsOf(const plan::Plan &plan, const plan::Step &step, const rt::Extents &extents,
                                int64_t rows);

/// Runs products one after another over their whole width, oneDNN dividing the work among the threads.
class BareProducts {
public:
  /// `level` is no choice of oneDNN's here: it takes the best this machine has.
  BareProducts(std::vector<Product> products, int threads);
  void run();
  double flops() const;

private:
  struct Operands {
    std::vector<float> a, b, c;
  };
  std::vector<Product> products;
  std::vector<Operands> operands;
  int threads;
  rt::cpu::Contraction product;
};
} // namespace sn::bench
