// How fast this machine is, measured in a tenth of a second: the ground of time estimates.
#pragma once
#include "kernels-templates/cpu/Context.h"

namespace sn::rt::cpu {
/// Matrix products of a layer's shape, then copies in memory, on all workers of the context; a few rounds of each, the
/// best counts: other programs only ever slow a round down. Leaves nothing behind.
Rates calibrate(Context &context);
} // namespace sn::rt::cpu
