// The vector loops for x86-64-v2.
#include "kernels-templates/cpu/Vector.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v2"))), apply_to = function)
namespace sn::rt::cpu::v2 {
#include "kernels-templates/cpu/VectorBodies.inc"
} // namespace sn::rt::cpu::v2
#pragma clang attribute pop
