// update: the optimizer over a whole parameter, with a gradient that several kernels have added up in a buffer.
#pragma once
#include "kernels-templates/cpu/Update.h"

namespace sn::rt::cpu {
class ParameterUpdate {
public:
  Trained trained;
  const float *gradient = nullptr; // of the parameter's shape and layout, scaled
  int64_t size = 0;                // values
  UpdateSlot update;

  void layout(Carver &carver, int64_t, const Context &) {
    tasks = (size + kChunk - 1) / kChunk;
    sums = carver.take<double>(tasks);
  }

  void run(Context &context, Launch &launch) {
    update.begin(launch);
    context.pool.parallelFor(tasks, [&](int64_t task, int) {
      const int64_t begin = task * kChunk;
      sums[task] = 0;
      update.apply(trained, begin, std::min(kChunk, size - begin), gradient + begin, &sums[task]);
    });
    launch.regularization += treeSum(sums, tasks);
  }

private:
  static constexpr int64_t kChunk = 1 << 14;
  int64_t tasks = 0;
  double *sums = nullptr;
};
} // namespace sn::rt::cpu
