// Slots written by hand, as snc would compile them, and their formulas in double precision.
#pragma once
#include "runtime/hal/cpu/SlotTable.h"
#include <algorithm>
#include <cmath>

namespace sn::test {
inline double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }
inline double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

using In = const float *const *;
using Out = float *const *;

// epilogues: accumulator -> element; accumulator, column -> element
inline void copy(int64_t n, In in, Out out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i];
}
inline void addBias(int64_t n, In in, Out out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i] + in[1][i];
}

// sigmoid cross-entropy: accumulator, bias[, target] -> delta; scalar target.weight
inline void crossBackground(int64_t n, In in, Out out, const float *s, double *sum) {
  double w = static_cast<double>(s[0]);
  for (int64_t i = 0; i < n; ++i) {
    double z = in[0][i] + in[1][i];
    *sum += w * softplus(z);
    out[0][i] = static_cast<float>(w * sigmoid(z));
  }
}
inline void crossStored(int64_t n, In in, Out out, const float *s, double *sum) {
  double w = static_cast<double>(s[0]);
  for (int64_t i = 0; i < n; ++i) {
    double z = in[0][i] + in[1][i], t = in[2][i];
    *sum += -w * t * z;
    out[0][i] = static_cast<float>(w * (sigmoid(z) - t));
  }
}
// the same, the delta also kept
inline void crossBackgroundTwice(int64_t n, In in, Out out, const float *s, double *sum) {
  crossBackground(n, in, out, s, sum);
  std::copy_n(out[0], n, out[1]);
}
inline void crossStoredTwice(int64_t n, In in, Out out, const float *s, double *sum) {
  crossStored(n, in, out, s, sum);
  std::copy_n(out[0], n, out[1]);
}
inline void crossFull(int64_t n, In in, Out out, const float *s, double *sum) {
  double w = static_cast<double>(s[0]);
  for (int64_t i = 0; i < n; ++i) {
    double z = in[0][i] + in[1][i], t = in[2][i];
    *sum += w * (softplus(z) - t * z);
    out[0][i] = static_cast<float>(w * (sigmoid(z) - t));
  }
}

// every role: column, element, mask, index[, target] -> delta, element; scalars row, target.weight, target.scale,
// target.sum, hyper, target.binary
inline double roles(double column, double element, double mask, double index, double t, const double *s) {
  return (column + element) * mask * s[0] + 0.001 * index + t * s[2] * s[1] + 0.1 * s[3] + s[4] + 0.25 * s[5];
}
template <bool Target, bool Correction> void rolesSlot(int64_t n, In in, Out out, const float *scalars, double *sum) {
  double s[6];
  for (int i = 0; i < 6; ++i)
    s[i] = static_cast<double>(scalars[i]);
  for (int64_t i = 0; i < n; ++i) {
    double y = roles(in[0][i], in[1][i], in[2][i], in[3][i], Target ? in[4][i] : 0, s);
    double zero = Correction ? roles(in[0][i], in[1][i], in[2][i], in[3][i], 0, s) : 0;
    *sum += y * y - zero * zero;
    out[0][i] = static_cast<float>(y);
    out[1][i] = static_cast<float>(2 * y);
  }
}

// reductions and their body
inline void square(int64_t n, In in, Out out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i] * in[0][i];
}
inline void expMinus(int64_t n, In in, Out out, const float *scalars, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = std::exp(in[0][i] - scalars[0]);
}
inline void softmaxBody(int64_t n, In in, Out out, const float *scalars, double *sum) {
  for (int64_t i = 0; i < n; ++i) {
    out[0][i] = std::exp(in[0][i] - scalars[0]) / scalars[1];
    *sum += static_cast<double>(out[0][i]);
  }
}
// softmax cross-entropy on z = accumulator + bias; scalars row maximum, row sum, target.sum
inline void softmaxDense(int64_t n, In in, Out out, const float *s, double *sum) {
  for (int64_t i = 0; i < n; ++i) {
    double z = in[0][i] + in[1][i], t = in[2][i];
    double log = z - static_cast<double>(s[0]) - std::log(static_cast<double>(s[1]));
    *sum -= t * log;
    out[0][i] = static_cast<float>(std::exp(log) * static_cast<double>(s[2]) - t);
  }
}
inline void softmaxBackground(int64_t n, In in, Out out, const float *s, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = std::exp(in[0][i] + in[1][i] - s[0]) / s[1] * s[2];
}
// vectors: running = running + scalar (other - running); also the column's number
inline void blend(int64_t n, In in, Out out, const float *s, double *) {
  for (int64_t i = 0; i < n; ++i) {
    out[0][i] = in[0][i] + s[0] * (in[1][i] - in[0][i]);
    out[1][i] = in[2][i];
  }
}
// the element that the column's number chooses: reads two rows' values
inline void choose(int64_t n, In in, Out out, const float *s, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = s[static_cast<int>(in[0][i])];
}
inline void product(int64_t n, In in, Out out, const float *, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i] * in[1][i];
}
inline void mean(int64_t n, In in, Out out, const float *scalars, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i] / scalars[0];
}

// optimizers: SGD with decay; momentum-like with two states
inline void sgd(int64_t n, In in, Out out, const float *s, double *sum) {
  for (int64_t i = 0; i < n; ++i) {
    float w = in[0][i];
    *sum += 0.5 * static_cast<double>(s[1]) * static_cast<double>(w) * static_cast<double>(w);
    out[0][i] = w + s[0] * (in[1][i] - s[1] * w);
  }
}
inline void sgdBias(int64_t n, In in, Out out, const float *s, double *) {
  for (int64_t i = 0; i < n; ++i)
    out[0][i] = in[0][i] + s[0] * in[1][i];
}
inline void twoStates(int64_t n, In in, Out out, const float *s, double *) {
  for (int64_t i = 0; i < n; ++i) {
    float g = in[1][i], m = 0.9f * in[2][i] + g, v = 0.5f * in[3][i] + g * g;
    out[0][i] = in[0][i] + s[0] * m / (1 + v);
    out[1][i] = m;
    out[2][i] = v;
  }
}

inline rt::cpu::SlotTable slotTable(const std::string &level = "") {
  rt::cpu::SlotTable table(level);
  table.add("copy", copy);
  table.add("addBias", addBias);
  table.add("crossBackground", crossBackground);
  table.add("crossStored", crossStored);
  table.add("crossFull", crossFull);
  table.add("crossBackgroundTwice", crossBackgroundTwice);
  table.add("crossStoredTwice", crossStoredTwice);
  table.add("rolesBackground", rolesSlot<false, false>);
  table.add("rolesStored", rolesSlot<true, true>);
  table.add("rolesFull", rolesSlot<true, false>);
  table.add("square", square);
  table.add("expMinus", expMinus);
  table.add("softmaxBody", softmaxBody);
  table.add("softmaxDense", softmaxDense);
  table.add("softmaxBackground", softmaxBackground);
  table.add("mean", mean);
  table.add("blend", blend);
  table.add("choose", choose);
  table.add("product", product);
  table.add("sgd", sgd);
  table.add("sgdBias", sgdBias);
  table.add("twoStates", twoStates);
  return table;
}
} // namespace sn::test
