// The vector loops for x86-64-v4.
#include "kernels-templates/cpu/Vector.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#pragma clang attribute push(__attribute__((min_vector_width(512))), apply_to = function)
namespace sn::rt::cpu::v4 {
#include "kernels-templates/cpu/VectorBodies.inc"
} // namespace sn::rt::cpu::v4
#pragma clang attribute pop
#pragma clang attribute pop
