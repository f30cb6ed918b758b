// The kernels of kernels-templates/cuda/common.cuh for launches on the emulator: they are no templates, so one
// translation unit of the program has them.
#pragma once
#include "kernels-templates/cuda/abi.cuh"

namespace sn::test {
void finishSums(const cuda::FinishArgs &args);
void combineLanes(const cuda::StepArgs &args);
void targetRows(const cuda::StepArgs &args);
} // namespace sn::test
