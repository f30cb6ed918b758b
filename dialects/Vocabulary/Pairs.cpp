// Losses behind saturating activations, formed from the pre-activation. Reference sections 1.14 and 1.15.
// Margins are asked as "on the good side?", so that a NaN answers no and shows in the loss.
// Golden rows: Python's decimal module at 60 digits, rounded to 18.
#include "dialects/Vocabulary/Clamps.h"
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
namespace {
// Pointwise: a = {z, y, t}.
Pair sigmoidCrossEntropy() {
  return {.activation = "Sigmoid",
          .loss = "CrossEntropy",
          .value = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            return max_(a[0], T(0)) - a[0] * a[2] + softplusTail(a[0]);
          }),
          .delta = formula([](const auto *a, const auto *p) { return a[1] - a[2]; }),
          .golden = {{{-1.5, 0.182425523806356340, 1}, {}, 1.70141327798275241, -0.817574476193643660},
                     {{-1.5, 0.182425523806356340, 0}, {}, 0.201413277982752409, 0.182425523806356340},
                     {{2, 0.880797077977882444, 0.25}, {}, 1.62692801104297250, 0.630797077977882444},
                     {{40, 1, 0}, {}, 40, 1}},
          .doc = "softplus(z) - t z; delta y - t",
          .note = "1.14, 1.15"};
}

Pair sigmoidMargins() {
  return {.activation = "Sigmoid",
          .loss = "ScaledMarginalCrossEntropy",
          .value = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            T z = a[0], y = a[1], t = a[2], tail = softplusTail(z);
            T one = select(y >= p[0], T(0), p[2] * (max_(-z, T(0)) + tail));
            T zero = select(y <= p[1], T(0), p[3] * (max_(z, T(0)) + tail));
            return whereEqual(t, T(1), one, whereEqual(t, T(0), zero, T(0)));
          }),
          .delta = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            T y = a[1], t = a[2];
            T one = select(y >= p[0], T(0), p[2] * (y - 1));
            T zero = select(y <= p[1], T(0), p[3] * y);
            return whereEqual(t, T(1), one, whereEqual(t, T(0), zero, T(0)));
          }),
          .golden = {{{-1.5, 0.182425523806356340, 1}, {}, 1.70141327798275241, -0.817574476193643660},
                     {{0.5, 0.622459331201854565, 0}, {}, 0.974076984180106681, 0.622459331201854565},
                     {{4, 0.982013790037908442, 1}, {}, 0, 0},
                     {{-4, 0.0179862099620915580, 0}, {}, 0, 0},
                     {{-1.5, 0.182425523806356340, 1}, {1, 0, 30, 1}, 51.0423983394825723, -24.5272342858093098}},
          .doc = "t = 1 and y < oneTarget: oneScale softplus(-z), delta oneScale (y - 1); "
                 "t = 0 and y > zeroTarget: zeroScale softplus(z), delta zeroScale y; else 0",
          .note = "1.14, 1.15"};
}

Pair sigmoidDataScaledMargins() {
  return {.activation = "Sigmoid",
          .loss = "DataScaledMarginalCrossEntropy",
          .value = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            T z = a[0], y = a[1], t = a[2], tail = softplusTail(z);
            T stored = select(y >= p[0], T(0), p[2] * t * (max_(-z, T(0)) + tail));
            T zero = select(y <= p[1], T(0), p[3] * (max_(z, T(0)) + tail));
            return whereStored(t, stored, zero);
          }),
          .delta = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            T y = a[1], t = a[2];
            T stored = select(y >= p[0], T(0), p[2] * t * (y - 1));
            T zero = select(y <= p[1], T(0), p[3] * y);
            return whereStored(t, stored, zero);
          }),
          .golden = {{{-1.5, 0.182425523806356340, 1}, {}, 1.70141327798275241, -0.817574476193643660},
                     {{-1.5, 0.182425523806356340, 2.5}, {}, 4.25353319495688102, -2.04393619048410915},
                     {{0.5, 0.622459331201854565, 0}, {}, 0.974076984180106681, 0.622459331201854565},
                     {{0.5, 0.622459331201854565, -0.0}, {}, 0, 0},
                     {{4, 0.982013790037908442, 3}, {}, 0, 0},
                     {{-4, 0.0179862099620915580, 0}, {}, 0, 0},
                     {{-1.5, 0.182425523806356340, 0.5}, {1, 0, 30, 2}, 25.5211991697412861, -12.2636171429046549},
                     {{40, 1, 0}, {}, 40, 1}},
          .doc = "stored and y < oneTarget: oneScale t softplus(-z), delta oneScale t (y - 1); "
                 "not stored and y > zeroTarget: zeroScale softplus(z), delta zeroScale y; else 0",
          .note = "1.14, 1.15; T-25"};
}

// Row-wise: a = {z, y, t, c, T, r0, r1}: r0 the row's maximum, r1 = sum of exp(z - r0), so -ln y = log(r1) - (z - r0).
Pair softMaxCrossEntropy() {
  return {.activation = "SoftMax",
          .loss = "CrossEntropy",
          .value = formula([](const auto *a, const auto *p) { return a[3] * a[2] * (log_(a[6]) - (a[0] - a[5])); }),
          .delta = formula([](const auto *a, const auto *p) { return a[1] * a[4] - a[3] * a[2]; }),
          .golden = {{{0.5, 0.175290392140036690, 1, 0.5, 1, 2, 1.27291722851629377},
                      {},
                      0.870655648328578530,
                      -0.324709607859963310},
                     {{-1, 0.0391125732706874520, 0, 0.5, 1, 2, 1.27291722851629377}, {}, 0, 0.0391125732706874520},
                     {{0.5, 0.175290392140036690, 2, 1, 2.5, 2, 1.27291722851629377},
                      {},
                      3.48262259331431412,
                      -1.56177401964990828}},
          .doc = "-c t ln y; delta y T - c t; c = 1/n for a binary target row of n entries, else 1; T = sum of c t",
          .note = "1.14, 1.15: the multinomial form"};
}

Pair softMaxMargins() {
  return {.activation = "SoftMax",
          .loss = "ScaledMarginalCrossEntropy",
          .value = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            return select(a[1] >= p[0], T(0), p[2] * a[3] * a[2] * (log_(a[6]) - (a[0] - a[5])));
          }),
          .delta = formula([](const auto *a, const auto *p) {
            using T = std::decay_t<decltype(a[0])>;
            T y = a[1], t = a[2];
            T stored = select(y >= p[0], T(0), p[2] * (y - a[3] * t));
            T zero = select(y <= p[1], T(0), p[3] * y);
            return select(t > 0, stored, select(t < 0, T(0), zero));
          }),
          .isDefinition = true,
          .golden = {{{0.5, 0.175290392140036690, 1, 0.5, 1, 2, 1.27291722851629377},
                      {},
                      0.870655648328578530,
                      -0.324709607859963310},
                     {{0.5, 0.175290392140036690, 1, 0.5, 1, 2, 1.27291722851629377},
                      {1, 0, 30, 1},
                      26.1196694498573559,
                      -9.74128823579889930},
                     {{-1, 0.0391125732706874520, 0, 0.5, 1, 2, 1.27291722851629377}, {}, 0, 0},
                     {{2, 0.785597034589275858, 0, 0.5, 1, 2, 1.27291722851629377}, {}, 0, 0.785597034589275858}},
          .doc = "y < oneTarget: -oneScale c t ln y; delta, as the reference defines it: t > 0 and y < oneTarget: "
                 "oneScale (y - c t); t = 0 and y > zeroTarget: zeroScale y; else 0",
          .note = "1.14, 1.15"};
}
} // namespace

std::span<const Pair> pairs() {
  static const std::vector<Pair> records{sigmoidCrossEntropy(), sigmoidMargins(), sigmoidDataScaledMargins(),
                                         softMaxCrossEntropy(), softMaxMargins()};
  return records;
}

const Pair *findPair(std::string_view activation, std::string_view loss) {
  for (const Pair &pair : pairs())
    if (equalsIgnoringCase(pair.activation, activation) && equalsIgnoringCase(pair.loss, loss))
      return &pair;
  return nullptr;
}
} // namespace sn::vocab
