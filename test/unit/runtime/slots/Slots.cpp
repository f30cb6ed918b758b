// Two slots in a shared object of their own.
#include "runtime/plan/Abi.h"

extern "C" __attribute__((visibility("default"))) void sn_test_double(int64_t n, const float *const *in,
                                                                      float *const *out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = 2 * in[0][i];
}
extern "C" __attribute__((visibility("default"))) void sn_test_sum(int64_t n, const float *const *in, float *const *,
                                                                   const float *, double *sum) {
  for (int64_t i = 0; i < n; ++i)
    *sum += static_cast<double>(in[0][i]);
}
