// Optimizers. Reference section 1.22, on the descent gradient: an update adds. Adam with the published bias correction
// (T-38: the exponent is the step, 1 for the first; DSSTNE's is one more). Training defaults are those of DSSTNE's
// `train` (Mu .5, Mu1 0); an optimizer states its own where these would be senseless. Golden steps: Python's decimal
// module at 60 digits, rounded to 18.
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
namespace {
// Host scalars: a = {Alpha, Mu, Mu1, Step}.
Formula alpha() {
  return formula([](const auto *a, const auto *p) { return a[0]; });
}
Formula mu() {
  return formula([](const auto *a, const auto *p) { return a[1]; });
}
Formula oneMinusMu() {
  return formula([](const auto *a, const auto *p) { return 1 - a[1]; });
}

Formula adamRate() {
  return formula([](const auto *a, const auto *p) { return a[0] / (1 - pow_(a[1], a[3])); });
}
Formula adamCorrection() {
  return formula([](const auto *a, const auto *p) { return 1 / (1 - pow_(a[2], a[3])); });
}
Formula lateAdamRate() {
  return formula([](const auto *a, const auto *p) { return a[0] / (1 - pow_(a[1], a[3] + 1)); });
}
Formula lateAdamCorrection() {
  return formula([](const auto *a, const auto *p) { return 1 / (1 - pow_(a[2], a[3] + 1)); });
}

Optimizer adaGrad() {
  return {.name = "AdaGrad",
          .states = {"v"},
          .scalars = {{"Alpha", alpha()}},
          .update = formulas([](const auto *a, const auto *p, auto *out) {
            auto g = a[1], v = a[2] + g * g;
            out[0] = a[0] + p[0] * g / sqrt_(max_(decltype(v)(1e-9), v));
            out[1] = v;
          }),
          .golden = {{{0.1, 0.9, 0.999, 1}, {0.5, 0.25, 0.04}, {0.578086880944303033, 0.1025}},
                     {{0.1, 0.9, 0.999, 1}, {0.5, 1e-6, 0}, {0.503162277660168379, 1e-12}}},
          .doc = "v += g^2; w += Alpha g / sqrt(max(1e-9, v))",
          .note = "1.22"};
}

Optimizer adaDelta() {
  return {.name = "AdaDelta",
          .states = {"v", "vg"},
          .defaults = {{.name = "Mu", .byDefault = 0.9}},
          .scalars = {{"Mu", mu()}, {"OneMinusMu", oneMinusMu()}},
          .update = formulas([](const auto *a, const auto *p, auto *out) {
            using T = std::decay_t<decltype(a[0])>;
            T g = a[1], vg = p[0] * a[3] + p[1] * (g * g);
            T d = g * sqrt_(max_(T(1e-9), a[2]) / max_(T(1e-9), vg));
            out[0] = a[0] + d;
            out[1] = p[0] * a[2] + p[1] * (d * d);
            out[2] = vg;
          }),
          .golden = {{{0.1, 0.9, 0.999, 1}, {0.5, 0.25, 0, 0}, {0.5001, 1e-9, 0.00625}},
                     {{0.1, 0.9, 0.999, 2},
                      {0.5001, -0.5, 1e-9, 0.00625},
                      {0.500009649209709475, 1.7163265306122449e-9, 0.030625}},
                     {{0.1, 0.9, 0.999, 3},
                      {0.500009649209709475, 0.125, 1.7163265306122449e-9, 0.030625},
                      {0.500039993501359408, 1.6367714811246387e-9, 0.029125}},
                     {{0.1, 0.9, 0.999, 1}, {0.5, 1e-6, 0, 0}, {0.500001, 1e-13, 1e-13}}},
          .doc = "vg = Mu vg + (1-Mu) g^2; d = g sqrt(max(1e-9, v) / max(1e-9, vg)); v = Mu v + (1-Mu) d^2; w += d",
          .note = "1.22; Alpha has no part in it; T-33"};
}

Optimizer adam() {
  return {.name = "Adam",
          .states = {"m", "v"},
          .defaults = {{.name = "Alpha", .byDefault = 0.001},
                       {.name = "Mu", .byDefault = 0.9},
                       {.name = "Mu1", .byDefault = 0.999}},
          .scalars = {{"Rate", adamRate()},
                      {"Mu", mu()},
                      {"OneMinusMu", oneMinusMu()},
                      {"Mu1", formula([](const auto *a, const auto *p) { return a[2]; })},
                      {"OneMinusMu1", formula([](const auto *a, const auto *p) { return 1 - a[2]; })},
                      {"Correction", adamCorrection()}},
          .update = formulas([](const auto *a, const auto *p, auto *out) {
            auto g = a[1], m = p[1] * a[2] + p[2] * g, v = p[3] * a[3] + p[4] * (g * g);
            out[0] = a[0] + p[0] * m / (sqrt_(v * p[5]) + 1e-8);
            out[1] = m;
            out[2] = v;
          }),
          .dsstneScalars = {{"Rate", lateAdamRate()}, {"Correction", lateAdamCorrection()}},
          .golden = {{{0.001, 0.9, 0.999, 1}, {0.5, 0.25, 0, 0}, {0.500999999960000002, 0.025, 0.0000625}},
                     {{0.001, 0.9, 0.999, 2},
                      {0.500999999960000002, -0.5, 0.025, 0.0000625},
                      {0.500633896442224534, -0.0275, 0.0003124375}},
                     {{0.001, 0.9, 0.999, 3},
                      {0.500633896442224534, 0.125, -0.0275, 0.0003124375},
                      {0.500497205783307142, -0.01225, 0.0003277500625}}},
          .dsstneGolden = {{{0.001, 0.9, 0.999, 1}, {0.5, 0.25, 0, 0}, {0.500744136781482779, 0.025, 0.0000625}},
                           {{0.001, 0.9, 0.999, 2},
                            {0.500744136781482779, -0.5, 0.025, 0.0000625},
                            {0.500429850621722739, -0.0275, 0.0003124375}},
                           {{0.001, 0.9, 0.999, 3},
                            {0.500429850621722739, 0.125, -0.0275, 0.0003124375},
                            {0.500305503208881982, -0.01225, 0.0003277500625}}},
          .doc = "m = Mu m + (1-Mu) g; v = Mu1 v + (1-Mu1) g^2; "
                 "w += Alpha m / (1-Mu^Step) / (sqrt(v / (1-Mu1^Step)) + 1e-8)",
          .note = "1.22; T-38: the exponent is Step, 1 for the first; \"Compatibility\": \"dsstne\" makes it Step + 1"};
}

std::vector<Optimizer> table() {
  return {
      {.name = "SGD",
       .scalars = {{"Alpha", alpha()}},
       .update = formulas([](const auto *a, const auto *p, auto *out) { out[0] = a[0] + p[0] * a[1]; }),
       .golden = {{{0.1, 0.9, 0.999, 1}, {0.5, 0.25}, {0.525}}},
       .doc = "w += Alpha g",
       .note = "1.22"},
      {.name = "Momentum",
       .states = {"v"},
       .scalars = {{"Alpha", alpha()}, {"Mu", mu()}},
       .update = formulas([](const auto *a, const auto *p, auto *out) {
         auto v = p[1] * a[2] + p[0] * a[1];
         out[0] = a[0] + v;
         out[1] = v;
       }),
       .golden = {{{0.1, 0.9, 0.999, 1}, {0.5, 0.25, -0.125}, {0.4125, -0.0875}}},
       .doc = "v = Mu v + Alpha g; w += v",
       .note = "1.22"},
      adaGrad(),
      {.name = "Nesterov",
       .states = {"v"},
       .scalars = {{"Alpha", alpha()}, {"Mu", mu()}},
       .update = formulas([](const auto *a, const auto *p, auto *out) {
         auto v = p[1] * a[2] + p[0] * a[1];
         out[0] = a[0] + (v + p[1] * (v - a[2]));
         out[1] = v;
       }),
       .golden = {{{0.1, 0.9, 0.999, 1}, {0.5, 0.25, -0.125}, {0.44625, -0.0875}}},
       .doc = "v' = Mu v + Alpha g; w += v' + Mu (v' - v)",
       .note = "1.22"},
      {.name = "RMSProp",
       .states = {"v"},
       .defaults = {{.name = "Mu", .byDefault = 0.9}},
       .scalars = {{"Alpha", alpha()}, {"Mu", mu()}, {"OneMinusMu", oneMinusMu()}},
       .update = formulas([](const auto *a, const auto *p, auto *out) {
         auto g = a[1], v = p[1] * a[2] + p[2] * (g * g);
         out[0] = a[0] + p[0] * g / sqrt_(max_(decltype(v)(1e-9), v));
         out[1] = v;
       }),
       .golden = {{{0.1, 0.9, 0.999, 1}, {0.5, 0.25, 0.04}, {0.621626063852629974, 0.04225}},
                  {{0.1, 0.9, 0.999, 1}, {0.5, 1e-6, 0}, {0.503162277660168379, 1e-13}}},
       .doc = "v = Mu v + (1-Mu) g^2; w += Alpha g / sqrt(max(1e-9, v))",
       .note = "1.22"},
      adaDelta(),
      adam(),
  };
}
} // namespace

std::span<const Optimizer> optimizers() {
  static const std::vector<Optimizer> records = table();
  return records;
}

Formula decayed() {
  return formula([](const auto *a, const auto *p) {
    using T = std::decay_t<decltype(a[0])>;
    T sign = select(a[0] > 0, T(1), select(a[0] < 0, T(-1), T(0)));
    return a[1] - p[0] * a[0] - p[1] * sign;
  });
}

Formula regularization() {
  return formula([](const auto *a, const auto *p) { return p[0] * 0.5 * (a[0] * a[0]) + p[1] * abs_(a[0]); });
}
} // namespace sn::vocab
