// CUDA C++ as the host compiler sees it: what device text may use, and nothing else. Goes before the text and after any
// standard header. No header is included here: images are compiled by the hundred (README.md).
#pragma once
#define SN_EMULATOR 1
#define __global__ static // those of a header that nothing launches cost nothing
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
/// One place for all blocks, which run one after another. The section is what the emulator fills before each block;
/// ASan puts red zones only around variables outside such sections.
#if __has_feature(address_sanitizer)
#define __shared__ static
#else
#define __shared__ static __attribute__((section("sn_shared")))
#endif

typedef __SIZE_TYPE__ size_t;
struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
};
#define SN_EMULATOR_VECTORS(T, name, two, four)                                                                        \
  struct __align__(two) name##2 {                                                                                      \
    T x, y;                                                                                                            \
  };                                                                                                                   \
  struct __align__(four) name##4 {                                                                                     \
    T x, y, z, w;                                                                                                      \
  };                                                                                                                   \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }                                                           \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
SN_EMULATOR_VECTORS(float, float, 8, 16)
SN_EMULATOR_VECTORS(int, int, 8, 16)
SN_EMULATOR_VECTORS(unsigned, uint, 8, 16)
SN_EMULATOR_VECTORS(double, double, 16, 16)
SN_EMULATOR_VECTORS(long long, longlong, 16, 16)
#undef SN_EMULATOR_VECTORS

// The thread at hand. Constant for as long as a thread lives, so compilers may keep what they read.
extern const uint3 threadIdx __asm__("snEmulatorThreadIdx");
extern const uint3 blockIdx __asm__("snEmulatorBlockIdx");
extern const dim3 blockDim __asm__("snEmulatorBlockDim");
extern const dim3 gridDim __asm__("snEmulatorGridDim");
inline constexpr int warpSize = 32;

// The emulator's side (Fibers.cpp).
extern "C" {
extern void *snEmulatorDynamicShared;
/// Returns when all threads of the block came. `predicate` counts if not 0; the result is their number.
int snEmulatorBarrier(int predicate, const char *file, int line);
/// Returns when all lanes of `mask` came: the lanes' values, one every 64 bytes, valid until the lane's next meeting
/// but one under this mask. Lanes outside the mask hold all ones. A multiple of 4 bytes, at most 64.
const void *snEmulatorMeet(unsigned mask, const void *value, unsigned bytes, bool orders, const char *file, int line);
unsigned snEmulatorLane();
void snEmulatorFence();
/// kernels-templates/cuda/tensor_core.cuh.
void snEmulatorMmaTf32(float *d, const unsigned *a, const unsigned *b, const char *file, int line);
void snEmulatorMmaBf16(float *d, const unsigned *a, const unsigned *b, const char *file, int line);
/// A copy that the thread has begun and not waited for.
void snEmulatorBeginCopy(void *to, const void *from, int bytes);
void snEmulatorCommitCopies();
/// The next copy that is due when at most `running` groups may be left; false if there is none.
bool snEmulatorNextCopy(int running, void **to, const void **from, int *bytes);
/// kernels-templates/cuda/tensor_core_90a.cuh (Wgmma.cpp, Copies.cpp).
void snEmulatorWgmma(float *d, unsigned long long a, unsigned long long b, bool bf16, const char *file, int line);
void snEmulatorWgmmaFence();
void snEmulatorWgmmaCommit();
void snEmulatorWgmmaWait(int running, const char *file, int line);
void snEmulatorProxyFence();
void snEmulatorMbarrierBegin(unsigned long long *barrier, int arrivals, const char *file, int line);
void snEmulatorMbarrierArrive(unsigned long long *barrier, int bytes, const char *file, int line);
void snEmulatorMbarrierWait(unsigned long long *barrier, int parity, const char *file, int line);
void snEmulatorBulkCopy(void *to, const void *from, int bytes, unsigned long long *barrier, const char *file, int line);
}
namespace sn::cuda::emulator {
inline void *dynamicShared() { return snEmulatorDynamicShared; }
template <class T> inline T valueOf(const void *values, unsigned lane) {
  T value;
  __builtin_memcpy(&value, static_cast<const char *>(values) + lane * 64, sizeof(T));
  return value;
}

inline void mmaTf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const char *file = __builtin_FILE(),
                    int line = __builtin_LINE()) {
  snEmulatorMmaTf32(d, a, b, file, line);
}
inline void mmaBf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const char *file = __builtin_FILE(),
                    int line = __builtin_LINE()) {
  snEmulatorMmaBf16(d, a, b, file, line);
}
inline unsigned tf32Bits(float x) { // infinities and NaN stay
  const unsigned bits = __builtin_bit_cast(unsigned, x);
  return ((bits & 0x7f800000u) == 0x7f800000u ? bits : bits + 0x1000u) & ~0x1fffu;
}
inline unsigned bf16Bits(float x) {
  const unsigned bits = __builtin_bit_cast(unsigned, x);
  return x != x ? 0x7fffu : (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
}
/// The copy is made when it is waited for; until then there is NaN.
template <int Bytes> inline void copyAsync(void *to, const void *from, int filled) {
  __builtin_memset(to, filled ? 0xff : 0, Bytes);
  if (filled)
    __builtin_memset(static_cast<char *>(to) + filled, 0, Bytes - filled);
  snEmulatorBeginCopy(to, from, filled);
}
inline void commitCopies() { snEmulatorCommitCopies(); }
inline void waitCopies(int running) {
  void *to;
  const void *from;
  for (int bytes; snEmulatorNextCopy(running, &to, &from, &bytes);)
    for (int i = 0; i < bytes; ++i)
      static_cast<char *>(to)[i] = static_cast<const char *>(from)[i];
}

// What waits takes the place it is called from, which reports name.
#define SN_EMULATOR_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()
/// d holds NaN until the products are waited for.
inline void wgmma(float (&d)[64], unsigned long long a, unsigned long long b, bool bf16, SN_EMULATOR_PLACE) {
  snEmulatorWgmma(d, a, b, bf16, file, line);
}
inline void wgmmaFence() { snEmulatorWgmmaFence(); }
inline void wgmmaCommit() { snEmulatorWgmmaCommit(); }
inline void wgmmaWait(int running, SN_EMULATOR_PLACE) { snEmulatorWgmmaWait(running, file, line); }
inline void fenceProxyAsync() { snEmulatorProxyFence(); }
inline void barrierBegin(unsigned long long *barrier, int arrivals, SN_EMULATOR_PLACE) {
  snEmulatorMbarrierBegin(barrier, arrivals, file, line);
}
inline void barrierArrive(unsigned long long *barrier, int bytes, SN_EMULATOR_PLACE) {
  snEmulatorMbarrierArrive(barrier, bytes, file, line);
}
inline void barrierWait(unsigned long long *barrier, int parity, SN_EMULATOR_PLACE) {
  snEmulatorMbarrierWait(barrier, parity, file, line);
}
inline void copyBulk(void *to, const void *from, int bytes, unsigned long long *barrier, SN_EMULATOR_PLACE) {
  snEmulatorBulkCopy(to, from, bytes, barrier, file, line);
}
} // namespace sn::cuda::emulator
inline void __syncthreads(SN_EMULATOR_PLACE) { snEmulatorBarrier(0, file, line); }
inline int __syncthreads_count(int predicate, SN_EMULATOR_PLACE) { return snEmulatorBarrier(predicate, file, line); }
inline int __syncthreads_or(int predicate, SN_EMULATOR_PLACE) { return snEmulatorBarrier(predicate, file, line) != 0; }
inline int __syncthreads_and(int predicate, SN_EMULATOR_PLACE) {
  return snEmulatorBarrier(predicate == 0, file, line) == 0;
}
inline void __syncwarp(unsigned mask = 0xffffffffu, SN_EMULATOR_PLACE) {
  snEmulatorMeet(mask, nullptr, 0, true, file, line);
}
inline void __threadfence() { snEmulatorFence(); }
inline void __threadfence_block() { snEmulatorFence(); }

template <class T> inline T __shfl_sync(unsigned mask, T value, int from, int width = 32, SN_EMULATOR_PLACE) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  const unsigned first = snEmulatorLane() & ~(width - 1u);
  const void *values = snEmulatorMeet(mask, &value, sizeof(T), false, file, line);
  return sn::cuda::emulator::valueOf<T>(values, first + (static_cast<unsigned>(from) & (width - 1u)));
}
template <class T> inline T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, SN_EMULATOR_PLACE) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  const unsigned lane = snEmulatorLane(), first = lane & ~(width - 1u);
  const void *values = snEmulatorMeet(mask, &value, sizeof(T), false, file, line);
  return lane - first < by ? value : sn::cuda::emulator::valueOf<T>(values, lane - by);
}
template <class T> inline T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, SN_EMULATOR_PLACE) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  const unsigned lane = snEmulatorLane(), last = lane | (width - 1u);
  const void *values = snEmulatorMeet(mask, &value, sizeof(T), false, file, line);
  return last - lane < by ? value : sn::cuda::emulator::valueOf<T>(values, lane + by);
}
template <class T> inline T __shfl_xor_sync(unsigned mask, T value, int with, int width = 32, SN_EMULATOR_PLACE) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  const unsigned lane = snEmulatorLane(), from = lane ^ static_cast<unsigned>(with);
  const void *values = snEmulatorMeet(mask, &value, sizeof(T), false, file, line);
  return from > (lane | (width - 1u)) ? value : sn::cuda::emulator::valueOf<T>(values, from);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, SN_EMULATOR_PLACE) {
  const void *values = snEmulatorMeet(mask, &predicate, sizeof predicate, false, file, line);
  unsigned result = 0;
  for (unsigned lane = 0; lane < 32; ++lane)
    if ((mask >> lane & 1) && sn::cuda::emulator::valueOf<int>(values, lane))
      result |= 1u << lane;
  return result;
}
inline int __any_sync(unsigned mask, int predicate, SN_EMULATOR_PLACE) {
  return __ballot_sync(mask, predicate, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, SN_EMULATOR_PLACE) {
  return __ballot_sync(mask, predicate == 0, file, line) == 0;
}
template <class T> inline unsigned __match_any_sync(unsigned mask, T value, SN_EMULATOR_PLACE) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  const void *values = snEmulatorMeet(mask, &value, sizeof(T), false, file, line);
  unsigned result = 0;
  for (unsigned lane = 0; lane < 32; ++lane)
    if ((mask >> lane & 1) && !__builtin_memcmp(static_cast<const char *>(values) + lane * 64, &value, sizeof(T)))
      result |= 1u << lane;
  return result;
}
#undef SN_EMULATOR_PLACE

// Atomic operations on integers alone: sums of floating-point values must not depend on an order.
#define SN_EMULATOR_ATOMICS(T)                                                                                         \
  inline T atomicAdd(T *at, T by) { return __atomic_fetch_add(at, by, __ATOMIC_RELAXED); }                             \
  inline T atomicMax(T *at, T by) { return __atomic_fetch_max(at, by, __ATOMIC_RELAXED); }                             \
  inline T atomicMin(T *at, T by) { return __atomic_fetch_min(at, by, __ATOMIC_RELAXED); }                             \
  inline T atomicOr(T *at, T by) { return __atomic_fetch_or(at, by, __ATOMIC_RELAXED); }                               \
  inline T atomicAnd(T *at, T by) { return __atomic_fetch_and(at, by, __ATOMIC_RELAXED); }                             \
  inline T atomicXor(T *at, T by) { return __atomic_fetch_xor(at, by, __ATOMIC_RELAXED); }                             \
  inline T atomicExch(T *at, T by) { return __atomic_exchange_n(at, by, __ATOMIC_RELAXED); }                           \
  inline T atomicCAS(T *at, T expected, T desired) {                                                                   \
    __atomic_compare_exchange_n(at, &expected, desired, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);                    \
    return expected;                                                                                                   \
  }
SN_EMULATOR_ATOMICS(int)
SN_EMULATOR_ATOMICS(unsigned)
SN_EMULATOR_ATOMICS(unsigned long long)
#undef SN_EMULATOR_ATOMICS

template <class T> inline T __ldg(const T *at) { return *at; }
template <class T> inline T __ldcs(const T *at) { return *at; }
template <class T> inline T __ldcg(const T *at) { return *at; }
template <class T> inline void __stcs(T *at, T value) { *at = value; }
template <class T> inline void __stcg(T *at, T value) { *at = value; }

inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
inline long long __double_as_longlong(double x) { return __builtin_bit_cast(long long, x); }
inline double __longlong_as_double(long long x) { return __builtin_bit_cast(double, x); }

inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}
inline int __mulhi(int a, int b) { return static_cast<int>(static_cast<long long>(a) * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll(static_cast<unsigned long long>(x)) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) { return __builtin_bitreverse32(x); }

#define SN_EMULATOR_EXTREMES(T)                                                                                        \
  inline T min(T a, T b) { return b < a ? b : a; }                                                                     \
  inline T max(T a, T b) { return a < b ? b : a; }
SN_EMULATOR_EXTREMES(int)
SN_EMULATOR_EXTREMES(unsigned)
SN_EMULATOR_EXTREMES(long)
SN_EMULATOR_EXTREMES(unsigned long)
SN_EMULATOR_EXTREMES(long long)
SN_EMULATOR_EXTREMES(unsigned long long)
#undef SN_EMULATOR_EXTREMES
// IEEE minNum and maxNum, as on the device: of a number and a NaN, the number.
inline float min(float a, float b) { return __builtin_fminf(a, b); }
inline float max(float a, float b) { return __builtin_fmaxf(a, b); }
inline double min(double a, double b) { return __builtin_fmin(a, b); }
inline double max(double a, double b) { return __builtin_fmax(a, b); }

// libm's, declared as glibc does.
extern "C" {
#define SN_EMULATOR_MATH(name)                                                                                         \
  double name(double) noexcept;                                                                                        \
  float name##f(float) noexcept;
SN_EMULATOR_MATH(exp)
SN_EMULATOR_MATH(exp2)
SN_EMULATOR_MATH(expm1)
SN_EMULATOR_MATH(log)
SN_EMULATOR_MATH(log2)
SN_EMULATOR_MATH(log10)
SN_EMULATOR_MATH(log1p)
SN_EMULATOR_MATH(sqrt)
SN_EMULATOR_MATH(cbrt)
SN_EMULATOR_MATH(sin)
SN_EMULATOR_MATH(cos)
SN_EMULATOR_MATH(tan)
SN_EMULATOR_MATH(asin)
SN_EMULATOR_MATH(acos)
SN_EMULATOR_MATH(atan)
SN_EMULATOR_MATH(sinh)
SN_EMULATOR_MATH(cosh)
SN_EMULATOR_MATH(tanh)
SN_EMULATOR_MATH(asinh)
SN_EMULATOR_MATH(acosh)
SN_EMULATOR_MATH(atanh)
SN_EMULATOR_MATH(erf)
SN_EMULATOR_MATH(erfc)
SN_EMULATOR_MATH(floor)
SN_EMULATOR_MATH(ceil)
SN_EMULATOR_MATH(trunc)
SN_EMULATOR_MATH(round)
SN_EMULATOR_MATH(rint)
SN_EMULATOR_MATH(fabs)
#undef SN_EMULATOR_MATH
#define SN_EMULATOR_MATH(name)                                                                                         \
  double name(double, double) noexcept;                                                                                \
  float name##f(float, float) noexcept;
SN_EMULATOR_MATH(pow)
SN_EMULATOR_MATH(atan2)
SN_EMULATOR_MATH(fmod)
SN_EMULATOR_MATH(fmin)
SN_EMULATOR_MATH(fmax)
SN_EMULATOR_MATH(copysign)
#undef SN_EMULATOR_MATH
double fma(double, double, double) noexcept;
float fmaf(float, float, float) noexcept;
double ldexp(double, int) noexcept;
float ldexpf(float, int) noexcept;
int abs(int) noexcept;
}
inline float rsqrtf(float x) { return 1.0f / __builtin_sqrtf(x); }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }
inline float __fdividef(float a, float b) { return a / b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline int __float2int_rn(float x) { return static_cast<int>(__builtin_rintf(x)); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
// Macros: glibc declares functions of these names.
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#ifdef _GLIBCXX_CMATH
using std::isfinite;
using std::isinf;
using std::isnan;
using std::signbit;
#else
inline bool isnan(float x) { return __builtin_isnan(x); }
inline bool isnan(double x) { return __builtin_isnan(x); }
inline bool isinf(float x) { return __builtin_isinf(x); }
inline bool isinf(double x) { return __builtin_isinf(x); }
inline bool isfinite(float x) { return __builtin_isfinite(x); }
inline bool isfinite(double x) { return __builtin_isfinite(x); }
inline bool signbit(float x) { return __builtin_signbitf(x); }
inline bool signbit(double x) { return __builtin_signbit(x); }
#endif
