// Slots of the benchmark, compiled for x86-64-v4 (runtime/plan/Abi.h).
#pragma once
#include <cstdint>

namespace sn::bench {
/// accumulator, bias -> sigmoid(z); sum of log(1 + exp z)
void background(int64_t n, const float *const *in, float *const *out, const float *scalars, double *sum);
/// accumulator, bias, target -> sigmoid(z) - t; sum of -t z
void stored(int64_t n, const float *const *in, float *const *out, const float *scalars, double *sum);
/// weights, gradient -> weights; scalars alpha, lambda; sum of lambda/2 w^2
void sgd(int64_t n, const float *const *in, float *const *out, const float *scalars, double *sum);
/// accumulator, bias -> sigmoid
void sigmoid(int64_t n, const float *const *in, float *const *out, const float *scalars, double *sum);
/// a -> a
void copy(int64_t n, const float *const *in, float *const *out, const float *scalars, double *sum);
} // namespace sn::bench
