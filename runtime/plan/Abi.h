// The calling convention between a plan's compiled slots and the runtime. An edit here is a change of the plan's schema
// version. This header includes nothing but the fixed-width integers.
#pragma once
#include <cstdint>

extern "C" {
/// One slot: pointwise work on n consecutive values. `in` and `out` are arrays of spans of n floats in the order the
/// plan's SlotUse lists them, `scalars` holds one float per SlotUse::scalars entry (the same for all n values), and
/// `*sum` is increased by the sum of the slot's double-precision contribution (the loss, or the regularisation term of
/// an update); it is left alone by slots without one. An output span may be the same memory as an input span; partial
/// overlap is not allowed. No alignment is assumed. n may be 0.
typedef void (*sn_slot)(int64_t n, const float *const *in, float *const *out, const float *scalars, double *sum);
}
