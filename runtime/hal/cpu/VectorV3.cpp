// The vector loops for x86-64-v3.
#include "kernels-templates/cpu/Vector.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
namespace sn::rt::cpu::v3 {
#include "kernels-templates/cpu/VectorBodies.inc"
} // namespace sn::rt::cpu::v3
#pragma clang attribute pop
