// The floating-point mode of the kernels: denormal results are flushed to zero and denormal operands read as zero, as
// the spec says.
#pragma once
#include <immintrin.h>

namespace sn::rt {
/// While it lives, the calling thread flushes denormals; the former mode returns afterwards.
class FlushDenormals {
public:
  FlushDenormals() : before(_mm_getcsr()) { _mm_setcsr(before | kFlushToZero | kDenormalsAreZero); }
  ~FlushDenormals() { _mm_setcsr(before); }
  FlushDenormals(const FlushDenormals &) = delete;
  FlushDenormals &operator=(const FlushDenormals &) = delete;

private:
  static constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  unsigned before;
};
} // namespace sn::rt
