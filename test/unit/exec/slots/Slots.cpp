#include "test/unit/exec/slots/Slots.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace {
double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::fabs(z))); }
float sigmoid(double z) { return static_cast<float>(1 / (1 + std::exp(-z))); }
void adam(float w, float g, float m, float v, const float *p, float *const *out, int64_t i) {
  m = p[1] * m + (1 - p[1]) * g;
  v = p[2] * v + (1 - p[2]) * g * g;
  out[0][i] = w + p[0] * (m / p[3]) / (std::sqrt(v / p[4]) + 1e-8f);
  out[1][i] = m;
  out[2][i] = v;
}
} // namespace

extern "C" {
// accumulator, bias -> element
void test_sigmoid(int64_t n, const float *const *in, float *const *out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = sigmoid(in[0][i] + in[1][i]);
}
void test_linear(int64_t n, const float *const *in, float *const *out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i] + in[1][i];
}
// sigmoid cross-entropy: accumulator, bias, target -> delta
void test_background(int64_t n, const float *const *in, float *const *out, const float *, double *sum) {
  for (int64_t i = 0; i < n; ++i) {
    double z = in[0][i] + in[1][i];
    out[0][i] = sigmoid(z);
    *sum += softplus(z);
  }
}
void test_stored(int64_t n, const float *const *in, float *const *out, const float *, double *sum) {
  for (int64_t i = 0; i < n; ++i) {
    double z = in[0][i] + in[1][i];
    out[0][i] = sigmoid(z) - in[2][i];
    *sum -= z * in[2][i];
  }
}
void test_full(int64_t n, const float *const *in, float *const *out, const float *, double *sum) {
  for (int64_t i = 0; i < n; ++i) {
    double z = in[0][i] + in[1][i];
    out[0][i] = sigmoid(z) - in[2][i];
    *sum += softplus(z) - z * in[2][i];
  }
}
// dL/dh, h -> dL/dz
void test_hidden_delta(int64_t n, const float *const *in, float *const *out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i] * in[1][i] * (1 - in[1][i]);
}
void test_copy(int64_t n, const float *const *in, float *const *out, const float *, double *) {
  std::copy_n(in[0], n, out[0]);
}
// scalars Alpha, Lambda
void test_sgd_weights(int64_t n, const float *const *in, float *const *out, const float *p, double *sum) {
  for (int64_t i = 0; i < n; ++i) {
    double w = in[0][i];
    *sum += 0.5 * p[1] * w * w;
    out[0][i] = static_cast<float>(w + p[0] * (in[1][i] - p[1] * w));
  }
}
void test_sgd_bias(int64_t n, const float *const *in, float *const *out, const float *p, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i] + p[0] * in[1][i];
}
// scalars Alpha, Lambda, Mu
void test_momentum_weights(int64_t n, const float *const *in, float *const *out, const float *p, double *sum) {
  for (int64_t i = 0; i < n; ++i) {
    const double w = in[0][i];
    *sum += 0.5 * p[1] * w * w;
    const double v = p[2] * in[2][i] + p[0] * (in[1][i] - p[1] * w);
    out[0][i] = static_cast<float>(w + v);
    out[1][i] = static_cast<float>(v);
  }
}
// scalars Alpha, Mu, Mu1, 1 - Mu^Step, 1 - Mu1^Step
void test_adam_weights(int64_t n, const float *const *in, float *const *out, const float *p, double *) {
  for (int64_t i = 0; i < n; ++i)
    adam(in[0][i], in[1][i], in[2][i], in[3][i], p, out, i);
}
void test_adam_bias(int64_t n, const float *const *in, float *const *out, const float *p, double *) {
  for (int64_t i = 0; i < n; ++i)
    adam(in[0][i], in[1][i], in[2][i], in[3][i], p, out, i);
}
void test_nan(int64_t n, const float *const *, float *const *out, const float *, double *sum) {
  std::fill_n(out[0], n, 0.0f);
  *sum += std::numeric_limits<double>::quiet_NaN();
}
}
