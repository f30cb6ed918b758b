// Initial values of a parameter.
#pragma once
#include "runtime/base/ThreadPool.h"
#include "runtime/plan/Plan.h"

namespace sn::rt {
/// Values [begin, end) of a parameter as it lies in memory (layout "rows": [in][out], "columns": [out][in]), into `to`.
/// value = float(scale * draw + shift); the draw of (i, o) depends on the seed, the stream, i and o alone.
void initialValues(const plan::Initializer &init, int64_t in, int64_t out, bool transposed, uint64_t seed,
                   int64_t begin, int64_t end, float *to, ThreadPool &workers);
} // namespace sn::rt
