#include "test/unit/cuda/Common.h"
#include <cmath>
// after the standard headers
#include "test/emulator/cuda.h"
// after the emulator's
#include "kernels-templates/cuda/common.cuh"

namespace sn::test {
void finishSums(const cuda::FinishArgs &args) { cuda::finish_sums(args); }
void combineLanes(const cuda::StepArgs &args) { cuda::combine_lanes(args); }
void targetRows(const cuda::StepArgs &args) { cuda::target_rows(args); }
} // namespace sn::test
