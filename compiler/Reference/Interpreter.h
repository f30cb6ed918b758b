// The oracle: an interpreter of the net dialect in double precision, written for clarity. It knows values, formulas and
// parameters; no record by name, no device, no plan. What every backend computes is compared with what stands here.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sn::reference {
/// Row-major values. Weights are [in, out], a bias or another column vector is [1, out], one value per example is [B,
/// 1], a scalar [1, 1].
struct Tensor {
  int64_t rows = 0, columns = 0;
  std::vector<double> values;

  Tensor() = default;
  Tensor(int64_t rowCount, int64_t columnCount, double value = 0)
      : rows(rowCount), columns(columnCount), values(static_cast<size_t>(rowCount * columnCount), value) {}
  double &operator()(int64_t row, int64_t column) { return values[static_cast<size_t>(row * columns + column)]; }
  double operator()(int64_t row, int64_t column) const { return values[static_cast<size_t>(row * columns + column)]; }
};

/// A data set as a full matrix. A sparse one says which entries it stores: those not stored are 0 as inputs, and as
/// targets t = 0 (or, with `ignoreZeros`, no target at all). The stored entries of a binary one are 1. One row per
/// example: who makes the table of an indexed data set repeats the rows it shares.
struct DataTable {
  Tensor values;
  bool sparse = false, binary = false, ignoreZeros = false;
  std::vector<double> weights; // of each example: times the values of a sparse input, and times the loss; empty: all 1
  double inputOffset = 0;      // added to the values where a dense table is an input, not where it is a target
  std::vector<bool> stored;    // rows x columns, of sparse tables only
  bool isStored(int64_t row, int64_t column) const {
    return !sparse || stored[static_cast<size_t>(row * values.columns + column)];
  }
  double weight(int64_t row) const { return weights.empty() ? 1 : weights.at(static_cast<size_t>(row)); }
};

/// Everything that training changes. States are listed in the order of the optimizer's states.
struct State {
  std::map<std::string, Tensor> parameters;
  std::map<std::string, std::vector<Tensor>> states;
};

/// The factors of products of less precision than fp32: as in double, as a GPU rounds them, or with a random error as
/// large as that rounding may be (plan::unitRoundoff). Sparse data are added up entry by entry, without rounding.
enum class Factors { Exact, Rounded, Noisy };

/// One step of an entry.
struct Run {
  std::vector<int64_t> ids; // data-set row of each example of the batch
  uint64_t seed = 0;
  uint32_t epoch = 0; // part of every mask's counter
  int64_t step = 1;   // 1 for the first
  /// Alpha (after the schedule), Lambda, Lambda1, Mu, Mu1.
  std::map<std::string, double> hyper;
  std::string optimizer; // a net.optimizer of the module
  // What float arithmetic might have done instead, for tests that must tell errors from rounding. All zero in an
  // ordinary run.
  /// Comparisons of computed values closer than this (relative to the larger of 1 and the operands) count as near,
  double nearness = 0;
  /// and go the other way if this is set: shows what rounding may change at the kinks of a formula.
  bool invertNear = false;
  /// Every computed value gets a random error of this relative size (sums: relative to the sum of magnitudes).
  double noise = 0;
  Factors factors = Factors::Exact;
  uint64_t noiseSeed = 1; // other random errors
};

struct Result {
  std::map<std::string, double> reports; // by name; several reports of one name add
  double loss = 0;                       // the report "loss": the sum over examples, units and outputs
  double regularization = 0;             // of the values before the update
  State after;
  std::map<std::string, Tensor> gradients; // by parameter: the derivative summed over the batch (not divided by B)
  std::map<std::string, Tensor> scores;    // of each net.rank, by its first layer
  std::vector<Tensor> penalised;           // the operand of each net.penalty, in order
  /// Which way the comparisons of computed values went: equal in two runs that lie on the same smooth piece of every
  /// formula.
  uint64_t branches = 0;
  int64_t near = 0; // near comparisons
};

/// Runs `entry` of `net` on `data` (by data set name) from `state`. Symbolic extents come from the data and the
/// parameters. std::logic_error for IR that is not of the net dialect's alphabet and for data or parameters that are
/// missing or do not fit.
Result interpret(mlir::ModuleOp net, llvm::StringRef entry, const std::map<std::string, DataTable> &data,
                 const State &state, const Run &run);

/// One parameter after its update.
struct Updated {
  Tensor value;
  std::vector<Tensor> states;
  double regularization = 0; // of the value before
};
/// The update rule alone: `gradient` is summed over the batch and all uses, the rule gets -gradient / (B share). A
/// parameter with a norm is scaled down column by column.
Updated update(mlir::ModuleOp net, llvm::StringRef parameter, const Tensor &gradient, const State &before,
               const Run &run);

/// Initial values of every parameter, rounded to float as a weights file holds them, and zero states for `optimizer`
/// (none for fixed parameters).
/// `extents` gives the columns of the data sets by which extents are named.
State initialState(mlir::ModuleOp net, const std::map<std::string, int64_t> &extents, uint64_t seed,
                   llvm::StringRef optimizer);

/// The state with every value rounded to float.
State rounded(State state);
} // namespace sn::reference
