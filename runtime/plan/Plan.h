// The plan: what snc writes and snrt executes. The one contract between compiler and runtime; docs/spec/plan.md says
// it in prose. Every value is a row-major float32 matrix [batch rows, units], or a vector. An edit here is a change of
// kSchemaVersion.
#pragma once
#include "runtime/plan/Expr.h"
#include "runtime/plan/Precision.h"
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sn::plan {
inline constexpr int kSchemaVersion = 4;

/// An extent known at compile time (symbol empty) or a symbol: "B" (rows of the batch) or a Symbol of the plan.
struct Dim {
  int64_t value = 0;
  std::string symbol;
  bool operator==(const Dim &) const = default;
};
/// A symbolic extent: the number of columns of a data set.
struct Symbol {
  std::string name, dataset;
};

/// A data set the plan reads. How it is stored (the loader kind: dense; CSR, binary or analog) is found when the file
/// is opened.
struct DataSet {
  std::string name;
  Dim columns;
  bool input = false;  // read by a csr_gather / csc_update
  bool target = false; // read as a target
};

/// value = scale * draw + shift; draw is uniform on [0,1), standard normal, or absent. Expressions over "nin", "nout".
struct Initializer {
  std::string draw; // "uniform", "normal", "none"
  Expr scale, shift;
  uint32_t stream = 0;
};
/// A trained tensor. Weights are [in, out] logically; `layout` says how they lie in memory: "rows" = [in][out],
/// "columns" = [out][in] (wide outputs: one tile of outputs is then contiguous). A bias is [1, out] with layout "rows".
/// Weights decay, biases do not.
struct Parameter {
  std::string name; // "Input->Hidden/weights", "Input->Hidden/bias"
  Dim in, out;
  std::string layout;
  bool decays = false;
  Initializer init;
  bool trained = true; // false: no optimizer state; only `map` steps assign it (running statistics)
  /// How a GPU stores it: Bf16 for weights all of whose steps are of that precision, else Fp32. The CPU: fp32.
  Precision storage = Precision::Fp32;
};

/// A scalar handed to update slots, computed on the host every step. Symbols: Alpha (after the schedule), Lambda,
/// Lambda1, Mu, Mu1, Step (1 for the first), B.
struct NamedExpr {
  std::string name;
  Expr value;
};
/// What an update makes of (value, states...) where the gradient is zero: they are multiplied by a matrix. Proved by
/// the compiler; decay is in it.
struct Untouched {
  std::vector<std::string> whenZero; // hyper-parameters that must be zero for it to hold
  std::vector<Expr> matrix;          // row-major, over the names of the optimizer's scalars
};
/// An update without states that adds a multiple of the descent gradient (proved by the compiler).
struct PlainUpdate {
  Expr rate;                         // over the symbols of Optimizer::scalars
  std::vector<std::string> whenZero; // hyper-parameters that must all be zero
};
/// An update rule. Slot inputs: parameter, descent gradient, states...; outputs: parameter, states...; scalars as
/// listed; sum: the regularisation term lambda/2 w^2 + lambda1 |w| of the value before the update.
struct Optimizer {
  std::string name;
  std::vector<std::string> states; // stored as "<parameter>/<optimizer>/<state>", zero at the start
  std::vector<NamedExpr> scalars;
  std::string weights, bias;              // slot functions with and without decay
  std::map<std::string, double> defaults; // this optimizer's own defaults of Alpha, Mu, Mu1 ... (may be empty)
  /// Where set: a row whose gradient is zero keeps its value and state if all the named hyper-parameters are zero
  /// (proved by the compiler).
  std::optional<std::vector<std::string>> idleWhenZero;
  /// Of weights that decay; unset where it is not linear whatever the hyper-parameters are.
  std::optional<Untouched> untouched;
  /// Where set: if all the named hyper-parameters are zero, weights and biases become w + rate * gradient.
  std::optional<PlainUpdate> plain{};
};

/// Default training knobs; every one can be overridden at `snrt train`.
struct Training {
  std::string optimizer;
  std::map<std::string, double> hyper; // Alpha, Lambda, Lambda1, Mu, Mu1, the optimizer's own defaults applied
  std::vector<std::string> given;      // those the network file sets itself: they hold for another --optimizer too
  Expr alpha; // the schedule: over Alpha (nominal), Step (1-based), Epoch (1-based), Steps (per epoch), Epochs
  int64_t batch = 1024, epochs = 40;
  uint64_t seed = 12134;
  bool shuffle = true;
  bool clearState = false; // optimizer state and Step begin anew every epoch (T-39); Step then counts from 1 again
  bool brake = false;      // the divergence brake (reference 5.3): the entry "trial" gives a batch's loss beforehand
  std::string weights;     // a weights file to start from, relative to the network's file; "" = none
};

enum class Role {
  // spans
  Accumulator, // the contraction's result (or the reduced value) of the tile
  Element,     // buffer [B, N] at the tile
  Column,      // parameter or buffer [N], the same for every row
  Mask,        // counter-based dropout mask of (row, unit)
  Target,      // stored or dense target value t
  Index,       // the number of the column, as a float
  Delta,       // output only: the tile-local result (delta of a loss, score of wide_topk, logit of a statistics sweep)
  // scalars
  Row,          // buffer [B]
  TargetWeight, // example weight w of the row (1 unless the data set is weighted)
  TargetScale,  // 1/n for a binary target row of n entries (0 for an empty row), 1 for analog and dense targets
  TargetSum,    // sum of the row's TargetScale * t
  TargetBinary, // 1 for a sparse binary target, else 0
  Hyper,        // `value` evaluated on the host each step
  Reduction,    // result `index` of this row_reduce
};
NLOHMANN_JSON_SERIALIZE_ENUM(Role, {{Role::Accumulator, "accumulator"},
                                    {Role::Element, "element"},
                                    {Role::Column, "column"},
                                    {Role::Mask, "mask"},
                                    {Role::Target, "target"},
                                    {Role::Index, "index"},
                                    {Role::Delta, "delta"},
                                    {Role::Row, "row"},
                                    {Role::TargetWeight, "target.weight"},
                                    {Role::TargetScale, "target.scale"},
                                    {Role::TargetSum, "target.sum"},
                                    {Role::TargetBinary, "target.binary"},
                                    {Role::Hyper, "hyper"},
                                    {Role::Reduction, "reduction"}})

struct SlotArg {
  Role role = Role::Accumulator;
  std::string ref;     // buffer or parameter name (Element, Column, Row)
  int64_t index = 0;   // Reduction
  uint32_t stream = 0; // Mask
  double p = 0;        // Mask: probability of zero
  Expr value;          // Hyper
};
/// A slot function bound to operands.
struct SlotUse {
  std::string function; // symbol in the CPU objects
  std::vector<SlotArg> in, out, scalars;
  bool sum = false; // contributes to the step's sum (the loss)
};

struct Corruption { // random zeroing of stored entries, the kept ones scaled by 1/(1-p)
  uint32_t stream = 0;
  double p = 0;
};
/// One factor pair of a contraction: x * W, or x * W^T if `transposed` (x then has the parameter's `out` extent).
struct Source {
  bool data = false; // ref names a data set, else a buffer [B, K]
  std::string ref;
  std::string weights; // parameter
  bool transposed = false;
  std::vector<Corruption> corruption; // data sources in training
  std::string gradient; // wide_* sweeps single and forward: buffer [B, K] that receives delta * W^T; "" = not needed
  /// csc_update, gemm_update, wide_* sweeps single and update: a buffer of the parameter's shape and layout that
  /// receives the descent gradient in place of an update, "" = update at once. `update`: the buffer that is applied.
  std::string weightGradient;
  bool accumulate = false; // adds to what is in weightGradient; else all of it is overwritten
  double scale = 1;        // of the descent gradient: 1 / the number of layers that share the matrix
};

/// A wide_output `single` that may run without touching all of its matrix (docs/spec/plan.md, "Factored outputs"): with
/// y = accumulator + bias and the example's weight w its delta is slope * w (y - t), its loss half of that times y - t.
struct Factored {
  double slope = 1;
  bool always = false; // wherever it is legal, else where it pays
};
/// One kernel launch. Which fields a schema reads is written in docs/spec/plan.md.
struct Step {
  std::string kernel; // schema: csr_gather gemm wide_output wide_softmax csc_update gemm_update wide_topk map
                      // row_reduce column_reduce expand update limit_norm
  std::string label;  // for people: layer names and what is fused
  std::vector<std::string> layers;
  std::string sweep; // wide_*: "statistics", "single", "forward", "update", "loss", "norm"; else ""
  std::vector<Source> sources;
  std::string delta;                   // csc_update, gemm_update: buffer [B, out]
  std::vector<std::string> biases;     // parameters updated with the sum of delta over the rows
  bool update = false;                 // apply the optimizer to the sources' weights and to `biases`
  std::string target;                  // data set
  std::vector<std::string> reductions; // row_reduce: "max" / "sum" for slots reduce0, reduce1 ...
  std::vector<std::string> rows; // buffers [B]: results of the reductions (row_reduce, statistics sweep: max, sum)
  Dim columns;                   // N: the width of the tiles
  double limit = 0;              // limit_norm: greatest Euclidean norm of a column of the logical matrix [in, out]
  std::map<std::string, SlotUse> slots;
  std::string report;         // name under which the step's sum is reported ("loss"); "" = none
  std::vector<int64_t> after; // steps of the same entry that must have run
  /// Of the step's products on a GPU; Fp32 where there are none.
  Precision precision = Precision::Fp32;
  std::optional<Factored> factored{};
};

struct Buffer {
  std::string name;
  std::vector<Dim> dims;       // [B, N], [N], [B], or a parameter's [in, out]
  int64_t first = 0, last = 0; // steps of its lifetime, inclusive
};
struct Entry {
  std::string name; // "train", "trial" (with Training::brake), "evaluate", "predict"; without targets: "predict" alone
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
};
struct SlotFunction {
  std::string name;
  int64_t inputs = 0, outputs = 0, scalars = 0;
  bool sum = false;
};

struct Plan {
  int schema = kSchemaVersion;
  std::string network; // Name
  int lanes = 16;
  std::vector<Symbol> symbols;
  std::vector<DataSet> datasets;
  std::vector<Parameter> parameters;
  std::vector<Optimizer> optimizers;
  Training training;
  std::vector<Entry> entries;
  std::vector<SlotFunction> functions;
  std::vector<std::string> remarks; // what was fused and why, for `snc explain`
  uint32_t shuffleStream = 0;
  /// Whether a GPU may store the deltas of a wide output, batch x outputs, where that saves a product.
  bool allowDeltaBuffer = false;
};

void to_json(nlohmann::json &j, const Plan &plan);
void from_json(const nlohmann::json &j, Plan &plan);

const Entry *findEntry(const Plan &plan, std::string_view name);
/// A step's reads and writes of parameters, for the hazard verifier. Reads include every column operand, which may be
/// a buffer as well (verify() keeps the names of buffers and parameters apart). Updates list a parameter as often as
/// the step updates it.
std::vector<std::string> parametersRead(const Step &step);
std::vector<std::string> parametersUpdated(const Step &step);

/// Checks the plan's inner consistency: every name resolves, every slot function exists with the right arity, no step
/// reads a parameter after its update, buffers are written before they are read and inside their lifetime, schemas
/// have the slots they need. Returns the problems found, empty if none. Run by snc before it writes and by snrt after
/// it reads.
std::vector<std::string> verify(const Plan &plan);
} // namespace sn::plan
