// Spellings shared by several formulas.
#pragma once
#include "dialects/Vocabulary/Algebra.h"

namespace sn::vocab {
/// The reference's Ln: natural logarithm of max(1e-12, x). The argument order lets a NaN through.
template <typename T> T clampedLog(T x) { return log_(max_(T(1e-12), x)); }
/// log(1 + exp(-|z|)): softplus(z) = max(z, 0) + this, softplus(-z) = max(-z, 0) + this; finite for every z.
template <typename T> T softplusTail(T z) { return log1p_(exp_(-abs_(z))); }
/// a where t == c, else b. The alphabet has no equality; constant t and c fold both selects away.
template <typename T> T whereEqual(T t, T c, T a, T b) { return select(t < c, b, select(t > c, b, a)); }
/// stored where the target t is stored (a stored 0 is -0.0, Loss::value), else zero.
template <typename T> T whereStored(T t, T stored, T zero) {
  return select(t > 0, stored, select(1 / t < 0, stored, zero));
}
} // namespace sn::vocab
