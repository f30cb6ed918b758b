// Tensor-core products of the emulator (kernels-templates/cuda/tensor_core.cuh): every lane gets all fragments and
// computes its own elements.
#include "test/emulator/cuda.h"

namespace {
constexpr unsigned kSlot = 64; // bytes of a lane (snEmulatorMeet)

/// Fragments of the lanes as they meet: a, then b.
unsigned factor(const void *values, unsigned lane, unsigned number) {
  return reinterpret_cast<const unsigned *>(static_cast<const char *>(values) + lane * kSlot)[number];
}
float tf32(unsigned bits) { return __builtin_bit_cast(float, bits & ~0x1fffu); }
float bf16(unsigned pair, unsigned half) {
  return __builtin_bit_cast(float, (half ? pair >> 16 : pair & 0xffffu) << 16);
}
/// Element (row, k) of a and (k, column) of b, by the layout of tensor_core.cuh.
float tf32A(const void *values, unsigned row, unsigned k) {
  return tf32(factor(values, row % 8 * 4 + k % 4, row / 8 + k / 4 * 2));
}
float tf32B(const void *values, unsigned k, unsigned column) {
  return tf32(factor(values, column * 4 + k % 4, 4 + k / 4));
}
float bf16A(const void *values, unsigned row, unsigned k) {
  return bf16(factor(values, row % 8 * 4 + k % 8 / 2, row / 8 + k / 8 * 2), k % 2);
}
float bf16B(const void *values, unsigned k, unsigned column) {
  return bf16(factor(values, column * 4 + k % 8 / 2, 4 + k / 8), k % 2);
}
/// Products are exact in double; the sum is rounded once. The device's order of additions is not documented.
template <typename A, typename B>
void multiply(unsigned inner, A elementA, B elementB, float *d, const unsigned *a, const unsigned *b, const char *file,
              int line) {
  const unsigned fragments[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  const void *values = snEmulatorMeet(~0u, fragments, sizeof fragments, false, file, line);
  const unsigned group = snEmulatorLane() / 4, t = snEmulatorLane() % 4;
  for (unsigned i = 0; i < 4; ++i) {
    double sum = d[i];
    for (unsigned k = 0; k < inner; ++k)
      sum += static_cast<double>(elementA(values, group + i / 2 * 8, k)) * elementB(values, k, t * 2 + i % 2);
    d[i] = static_cast<float>(sum);
  }
}
} // namespace
void snEmulatorMmaTf32(float *d, const unsigned *a, const unsigned *b, const char *file, int line) {
  multiply(8, tf32A, tf32B, d, a, b, file, line);
}
void snEmulatorMmaBf16(float *d, const unsigned *a, const unsigned *b, const char *file, int line) {
  multiply(16, bf16A, bf16B, d, a, b, file, line);
}
