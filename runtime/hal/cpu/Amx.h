// Products on the tile units of a CPU (AMX): factors in BF16, sums in fp32.
#pragma once
#include "kernels-templates/cpu/Context.h"
#include "runtime/plan/Precision.h"

namespace sn::rt::cpu {
/// Whether this machine has tile units for BF16 and the kernel lets this process use them. The first call asks for them.
bool hasTileUnits();

/// The product in a precision other than Fp32, on the calling thread; hasTileUnits() must hold. Bf16 rounds each factor
/// to the nearest BF16; Bf16x3 takes each as the sum of two, in three products; Tf32 is computed as Bf16x3, whose error
/// is below it. An element's bits depend on its row of A, its column of B, the depth, alpha, beta and what C held, not
/// on the other extents, nor on the layout.
Contraction tileProduct(plan::Precision precision);
} // namespace sn::rt::cpu
