// The slots of a sigmoid cross-entropy output and of SGD, as a compiler for AVX-512 would emit them: sixteen values at
// a time, polynomial exponential and logarithm (Cephes' coefficients), the loss summed in double precision.
#include "bench/Slots.h"

namespace sn::bench {
namespace {
using Floats = float __attribute__((vector_size(64)));
using Ints = int __attribute__((vector_size(64)));
using Doubles = double __attribute__((vector_size(64)));
using HalfFloats = float __attribute__((vector_size(32)));
struct __attribute__((packed, may_alias)) Loose {
  Floats values;
};
constexpr int64_t kWidth = 16;

Floats load(const float *from, int64_t n) {
  if (n >= kWidth)
    return reinterpret_cast<const Loose *>(from)->values;
  Floats v{};
  for (int64_t i = 0; i < n; ++i)
    v[i] = from[i];
  return v;
}
void store(float *to, Floats v, int64_t n) {
  if (n >= kWidth)
    reinterpret_cast<Loose *>(to)->values = v;
  else
    for (int64_t i = 0; i < n; ++i)
      to[i] = v[i];
}
Floats exponential(Floats x) { // x <= 0
  Floats in = x > Floats{} - 87.0f ? x : Floats{} - 87.0f;
  Floats k = (in * 1.44269504f + 12582912.0f) - 12582912.0f;
  Floats r = in - k * 0.693359375f + k * 2.12194440e-4f;
  Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return p * (Floats)((__builtin_convertvector(k, Ints) + 127) << 23);
}
Floats log1p(Floats e) { // 0 <= e <= 1: log of m = 1 + e, brought below sqrt(2)
  Floats m = e + 1.0f;
  Ints big = m > Floats{} + 1.41421356f;
  Floats x = (big ? m * 0.5f : m) - 1.0f, z = x * x;
  Floats p = x * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * x + 1.1676998740e-1f;
  p = p * x - 1.2420140846e-1f;
  p = p * x + 1.4249322787e-1f;
  p = p * x - 1.6668057665e-1f;
  p = p * x + 2.0000714765e-1f;
  p = p * x - 2.4999993993e-1f;
  p = p * x + 3.3333331174e-1f;
  Floats y = p * x * z - z * 0.5f + x;
  return big ? y + 0.69314718f : y;
}
double total(Doubles v) {
  double sum = 0;
  for (int i = 0; i < 8; ++i)
    sum += v[i];
  return sum;
}
Doubles widen(Floats v) {
  HalfFloats low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
             high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  return __builtin_convertvector(low, Doubles) + __builtin_convertvector(high, Doubles);
}
} // namespace

void background(int64_t n, const float *const *in, float *const *out, const float *, double *sum) {
  Doubles loss{};
  for (int64_t i = 0; i < n; i += kWidth) {
    Floats z = load(in[0] + i, n - i) + load(in[1] + i, n - i);
    Floats e = exponential(z < Floats{} ? z : -z);
    Floats inverse = 1.0f / (e + 1.0f);
    store(out[0] + i, z < Floats{} ? e * inverse : inverse, n - i);
    Floats l = log1p(e) + (z < Floats{} ? Floats{} : z);
    if (n - i < kWidth)
      for (int64_t j = n - i; j < kWidth; ++j)
        l[j] = 0;
    loss += widen(l);
  }
  *sum += total(loss);
}

void stored(int64_t n, const float *const *in, float *const *out, const float *, double *sum) {
  double loss = 0;
  for (int64_t i = 0; i < n; i += kWidth) {
    Floats z = load(in[0] + i, n - i) + load(in[1] + i, n - i), t = load(in[2] + i, n - i);
    Floats e = exponential(z < Floats{} ? z : -z);
    Floats inverse = 1.0f / (e + 1.0f);
    store(out[0] + i, (z < Floats{} ? e * inverse : inverse) - t, n - i);
    loss -= total(widen(t * z));
  }
  *sum += loss;
}

void sgd(int64_t n, const float *const *in, float *const *out, const float *scalars, double *sum) {
  Doubles squares{};
  for (int64_t i = 0; i < n; i += kWidth) {
    Floats w = load(in[0] + i, n - i), g = load(in[1] + i, n - i);
    squares += widen(w * w);
    store(out[0] + i, w + scalars[0] * (g - scalars[1] * w), n - i);
  }
  *sum += 0.5 * static_cast<double>(scalars[1]) * total(squares);
}

void sigmoid(int64_t n, const float *const *in, float *const *out, const float *, double *) {
  for (int64_t i = 0; i < n; i += kWidth) {
    Floats z = load(in[0] + i, n - i) + load(in[1] + i, n - i);
    Floats e = exponential(z < Floats{} ? z : -z), inverse = 1.0f / (e + 1.0f);
    store(out[0] + i, z < Floats{} ? e * inverse : inverse, n - i);
  }
}

void copy(int64_t n, const float *const *in, float *const *out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i];
}
} // namespace sn::bench
