// What kernels are launched with: plain data that the runtime fills and device code reads. All pointers are device
// pointers. An edit here is a change of kAbiVersion: plans carry text compiled against it.
#pragma once

namespace sn::cuda {
using Int = long long;

inline constexpr int kAbiVersion = 2;
inline constexpr int kThreads = 256;  // of a block, unless a pass says otherwise
inline constexpr int kPointers = 160; // operands of a step (plan::StepLayout::pointers), at most
inline constexpr int kRowBuffers = 32;
inline constexpr int kStates = 4; // optimizer states of a parameter, at most
inline constexpr int kWorkAreas = 8;
/// The work area of what target rows hand to slots: RowTarget[maxRows], kRowTargetBytes each (common.cuh, target_rows).
inline constexpr int kTargetRowsArea = kWorkAreas - 1, kRowTargetBytes = 16;
/// Lanes over the outputs of a wide layer on this target, at most (runtime/hal/cuda/WideLaunches.cpp, wideLanesOf).
/// Sums over features and rows go by the lanes of the plan.
inline constexpr int kWideLanes = 128;

/// What changes from batch to batch. In device memory, so that a recorded launch reads what holds now. Grids cover
/// `maxRows`; blocks beyond `rows` leave at once.
struct Frame {
  Int rows = 0;
  unsigned long long seed = 0;
  Int step = 0; // of the training run, from 1
  unsigned epoch = 0;
  int k = 0; // wide_topk: length of the lists
};

/// runtime/hal/Device.h, DataView.
struct DataView {
  Int rows = 0, columns = 0, storedColumns = 0;
  const Int *indptr = nullptr;
  const int *indices = nullptr;
  const float *values = nullptr; // null: binary
  const int *index = nullptr;
  const float *weights = nullptr;
  float inputOffset = 0;
  int dense = 0;
};
struct Corruption {
  unsigned stream = 0;
  float p = 0;
};

struct Trained {
  float *value = nullptr; // what lies there is the kernel's `Weights` to know (weights.cuh); of a bias floats
  float *states[kStates] = {};
  unsigned stream = 0; // of random numbers (plan::Initializer::stream)
};

/// One factor pair x E of a contraction, E [inner, outer] stored [inner][outer], or [outer][inner] if outerFirst.
struct Source {
  const float *x = nullptr;  // [B, inner]; null: the step's data set
  float *gradient = nullptr; // [B, inner] that receives delta E^T, or null
  Trained weights;
  float *descent = nullptr;  // takes the weights' gradient in place of the optimizer, or null
  float *partials = nullptr; // workspace, where `gradient` is formed by lanes: lanes x maxRows x inner
  Int inner = 0, outer = 0;
  int outerFirst = 0;
  int accumulate = 0; // `descent` is added to, else overwritten
  int late = 0;       // kernels-templates/cpu/WideOutput.h, `late`
  float scale = 1;    // of the gradient, beside -1/B
};
struct Bias {
  Trained trained;
  Int size = 0;
};

struct StepArgs {
  const Frame *frame = nullptr;
  const Int *ids = nullptr;            // [maxRows]: data-set row of each example
  const float *hypers = nullptr;       // plan::StepLayout::hypers of this launch
  const float *updateHypers = nullptr; // plan::Optimizer::scalars
  DataView data;                       // the data source or the target; wide_topk: what is excluded
  const Corruption *corruption = nullptr;
  int corruptions = 0;
  int sourceCount = 0, biasCount = 0;
  int lanes = 16;      // plan::Plan::lanes
  int wideLanes = 1;   // lanes over `columns`
  int touchedOnly = 0; // csc_update: features without entries keep value and state
  Source source;       // the first, or that of the pass at hand
  const Source *sources = nullptr;
  const Bias *biases = nullptr;
  const float *delta = nullptr; // csc_update, gemm_update: [B, outer]
  Int columns = 0, maxRows = 0;
  Int entries = 0; // sparse data source: stored entries of a batch, at most
  double limit = 0;
  /// A value for each block of this pass (or null): the slots' sums and the regularization terms. Every block that
  /// belongs to the grid writes its own.
  double *sums = nullptr, *regularizations = nullptr;
  void *work[kWorkAreas] = {}; // as the pass's Launches ask for
  int *topColumns = nullptr;   // [maxRows, k]
  float *topScores = nullptr;
  float *rows[kRowBuffers] = {}; // Step::rows; null: not kept
  float *pointers[kPointers] = {};
};

/// Values that the blocks of one pass left in StepArgs::sums or regularizations.
struct PartialSums {
  const double *values = nullptr;
  Int count = 0;
};
/// What finish_sums (common.cuh) is launched with, one block for each part: results[i] = the sum of parts[i] by a fixed
/// tree. Parts and results are in device memory.
struct FinishArgs {
  const PartialSums *parts = nullptr;
  double *results = nullptr;
};
} // namespace sn::cuda
