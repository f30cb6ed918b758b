// The CPU device with slots given by name, for programs that bring their own (tests, benchmarks).
#pragma once
#include "runtime/hal/Device.h"
#include "runtime/hal/cpu/SlotTable.h"

namespace sn::rt::cpu {
/// `threads` workers (0 = all cores); kernels use the vector loops of the table's level. UserError if oneDNN is
/// missing. `mostlyIn`: the precision whose products measureRates() times.
std::unique_ptr<Device> makeCpuDevice(SlotTable slots, int threads,
                                      plan::Precision mostlyIn = plan::Precision::Fp32);
} // namespace sn::rt::cpu
