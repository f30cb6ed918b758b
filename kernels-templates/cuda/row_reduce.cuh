// row_reduce: maxima and sums over the columns of each row, by lanes of the columns; later slots read them. Then the
// body. Narrow rows are a warp's, wide ones a block's.
#pragma once
#include "kernels-templates/cuda/lanes.cuh"
#include "kernels-templates/cuda/pointwise.cuh"
#include "kernels-templates/cuda/targets.cuh"

namespace sn::cuda {
/// `Value` gives delta.
template <class Value, bool Maximum> struct Reduce {};

template <class Reductions, class Slots> class RowReduce;
template <class... Values, bool... Maximum, class Slots> class RowReduce<List<Reduce<Values, Maximum>...>, Slots> {
public:
  template <class Loader, class Optimizer, int Pass> static __device__ void run(const StepArgs &args) {
    __shared__ Memory memory;
    __shared__ float targets[kSparse<Loader> ? kTargets : 1];
    const Frame frame = *args.frame;
    double sum = 0;
    if (args.columns <= kNarrowRow) {
      const Int row = static_cast<Int>(blockIdx.x) * kWarps + warp();
      if (row < frame.rows)
        takeRow<Loader, kWarp>(args, frame, row, memory.partials[warp()],
                               targets + (kSparse<Loader> ? warp() * kNarrowRow : 0), sum);
    } else if (blockIdx.x < frame.rows) {
      takeRow<Loader, kThreads>(args, frame, blockIdx.x, memory.partials[0], targets, sum);
    }
    reportSums(args, sum, 0);
  }

private:
  static constexpr int kWarps = kThreads / kWarp, kTargets = kWarps * kNarrowRow;
  static constexpr int kCount = sizeof...(Values);
  /// The lanes' partial results. Two sets in turn: one barrier for each reduction is enough.
  using Partials = float[2][kMostReduceLanes];
  struct Memory {
    Partials partials[kWarps];
  };
  struct Scalars {
    static constexpr bool kTargetSums = (Slots::kTargetSums || ... || Values::kTargetSums);
  };

  /// The threads that share a row: a warp or the block.
  template <int Size> static __device__ __forceinline__ int thread() {
    return Size == kWarp ? lane() : static_cast<int>(threadIdx.x);
  }
  template <int Size> static __device__ __forceinline__ void barrier() {
    if constexpr (Size == kWarp)
      __syncwarp();
    else
      __syncthreads();
  }
  template <bool IsMaximum> static __device__ __forceinline__ float combine(float a, float b) {
    if constexpr (IsMaximum)
      return b > a ? b : a;
    else
      return a + b;
  }

  template <class Loader, int Size>
  static __device__ __forceinline__ void takeRow(const StepArgs &args, const Frame &frame, Int row, Partials &partials,
                                                 float *targets, double &sum) {
    float results[kCount + 1] = {};
    Place at;
    at.row = row;
    at.example = args.ids[row];
    at.rowTarget = rowTargetOf<Loader, Scalars>(args, row, at.example);
    at.reductions = results;
    int next = 0;
    (keep<Size>(args, row, next, results, reduce<Values, Maximum, Size>(args, frame, at, partials[next & 1], sum)),
     ...);
    if constexpr (Slots::kPresent)
      takeBody<Loader, Size>(args, frame, at, targets, sum);
  }
  template <int Size>
  static __device__ __forceinline__ void keep(const StepArgs &args, Int row, int &next, float *results, float result) {
    if (args.rows[next] && thread<Size>() == 0)
      args.rows[next][row] = result;
    results[next++] = result;
  }

  /// One reduction over the row; every thread of the team has the result.
  template <class Value, bool IsMaximum, int Size>
  static __device__ __forceinline__ float reduce(const StepArgs &args, const Frame &frame, Place at, float *partials,
                                                 double &sum) {
    const int lanes = args.lanes;
    int team = kWarp; // threads for each lane
    while (team > 1 && team * lanes > Size)
      team /= 2;
    const int member = thread<Size>() % team;
    for (int first = 0; first < lanes; first += Size / team) {
      const int mine = first + thread<Size>() / team;
      const Range range = mine < lanes ? shortLaneRange(args.columns, mine, lanes) : Range{0, 0};
      float value = IsMaximum ? -infinity() : 0.0f;
      for (at.column = range.begin + member; at.column < range.end; at.column += team) {
        Value::run(args, frame, at, sum);
        value = combine<IsMaximum>(value, at.delta);
      }
      for (int offset = team / 2; offset > 0; offset /= 2)
        value = combine<IsMaximum>(value, __shfl_down_sync(kFullWarp, value, offset, team));
      if (mine < lanes && member == 0)
        partials[mine] = value;
    }
    barrier<Size>();
    float value = lane() < lanes ? partials[lane()] : 0.0f;
    for (int stride = 1; stride < lanes; stride *= 2) {
      const float other = __shfl_down_sync(kFullWarp, value, stride);
      if (lane() + stride < lanes)
        value = combine<IsMaximum>(value, other);
    }
    return __shfl_sync(kFullWarp, value, 0);
  }

  template <class Loader, int Size>
  static __device__ __forceinline__ void takeBody(const StepArgs &args, const Frame &frame, Place at, float *targets,
                                                  double &sum) {
    // A sparse target's row goes through shared memory, as many columns at a time as there is room.
    constexpr Int kPiece = Size == kWarp ? kNarrowRow : kTargets;
    for (Int begin = 0; begin < args.columns; begin += kPiece) {
      const int columns = static_cast<int>(least(kPiece, args.columns - begin));
      if constexpr (kSparse<Loader>)
        stageRow<Size>(args, at.example, begin, columns, targets);
      for (int c = thread<Size>(); c < columns; c += Size) {
        bool stored = false;
        at.column = begin + c;
        if constexpr (kSparse<Loader>) {
          at.target = targets[c];
          stored = isStored(at.target);
        } else if constexpr (operand::same<Loader, Dense>) {
          at.target = denseTarget(args.data, at.example, at.column);
        }
        Slots::template run<Loader>(args, frame, at, stored, sum);
      }
    }
  }
  /// Of the piece before, a thread has read just the places that it marks here.
  template <int Size>
  static __device__ __forceinline__ void stageRow(const StepArgs &args, Int example, Int begin, int columns,
                                                  float *targets) {
    for (int c = thread<Size>(); c < columns; c += Size)
      targets[c] = notStored();
    barrier<Size>();
    scatterRow(args.data, example, begin, columns, targets, thread<Size>(), Size);
    barrier<Size>();
  }
};
} // namespace sn::cuda
