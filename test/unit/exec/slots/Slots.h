// Slots of the test networks, written by hand as snc would compile them.
#pragma once
#include "runtime/plan/Abi.h"

#define SN_TEST_SLOTS(X)                                                                                               \
  X(test_sigmoid)                                                                                                      \
  X(test_linear)                                                                                                       \
  X(test_background) X(test_stored) X(test_full) X(test_hidden_delta) X(test_copy) X(test_sgd_weights)                 \
      X(test_sgd_bias) X(test_adam_weights) X(test_adam_bias) X(test_nan) X(test_momentum_weights)

extern "C" {
#define SN_DECLARE(name)                                                                                               \
  void name(int64_t n, const float *const *in, float *const *out, const float *scalars, double *sum);
SN_TEST_SLOTS(SN_DECLARE)
#undef SN_DECLARE
}
