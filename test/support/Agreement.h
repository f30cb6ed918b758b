// Whether a backend's step agrees with the oracle's.
#pragma once
#include "test/support/Program.h"

namespace sn::test {
/// The oracle's step, with what rounding may change.
struct Expected {
  reference::State before;
  reference::Result nominal, flipped; // `flipped`: comparisons of nearly equal values go the other way
  /// Every computed value with a small random error, factors of products with one as large as their precision allows;
  /// several samples where it is less than fp32.
  std::vector<reference::Result> noisy;
  /// By entry: how far the errors that float arithmetic makes in the gradient move the updated value. More than a
  /// trifle where an update rule divides by the gradient's size and that is about zero, or where the gradient is a
  /// difference of nearly equal numbers.
  reference::State spread;
};
/// `narrow`: the parameters that are stored in BF16 after stochastic rounding.
Expected expect(mlir::ModuleOp net, const Tables &tables, const reference::State &before, reference::Run run,
                const std::set<std::string> &narrow = {});
/// How far rounding may move the loss.
double roundingOfLoss(const Expected &expected);

/// The largest unit roundoff of the products of a module; 0 if all are fp32.
double coarsestRounding(mlir::ModuleOp net);
/// Runs of an entry with random errors as in Expected::noisy.
std::vector<reference::Result> noisyRuns(mlir::ModuleOp net, llvm::StringRef entry, const Tables &tables,
                                         const reference::State &before, reference::Run run);

/// How many entries were held to the plain tolerance, and how many to a wider one.
struct Strictness {
  int64_t strict = 0, wide = 0;
};

/// "" or what differs most. Tolerance of an entry of a tensor: 1e-4 max|w* - w0| plus four float units of max|w0|, plus
/// what the oracle says rounding may change: its spread over gradient errors and its difference at kinks.
std::string compareStates(const Expected &expected, const reference::State &actual, Strictness &strictness);
/// "" or the difference of two sums: 1e-5 relative, plus what kinks may change.
std::string compareSum(const std::string &what, double expected, double atKinks, double actual);
/// The same for the loss of a step, plus what rounding changes in it.
std::string compareLoss(const Expected &expected, double actual);
/// "" or what is wrong with lists of the best columns of `scores` (rows as in the batch): every place holds a column
/// whose score is the reported one and, up to rounding, that place's. `rounding`: what products of less precision than
/// fp32 may change a score by.
std::string compareLists(const std::string &layer, const reference::Tensor &scores, const Ranked &ranked,
                         double rounding = 0);
} // namespace sn::test
