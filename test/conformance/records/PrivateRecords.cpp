// Openness: records that no table holds compile, train under every schedule and equal the oracle. Nothing but the
// record is written for them.
#include "test/conformance/records/Tiny.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
using vocab::abs_, vocab::exp_, vocab::log1p_, vocab::max_, vocab::sqrt_, vocab::formula;
using vocab::formulas;

/// log(1 + e^x), without a stated derivative.
const vocab::Activation &softplus() {
  static const vocab::Activation record{.name = "PrivateSoftplus", .forward = formula([](const auto *a, const auto *p) {
                                                                     return max_(a[0], decltype(a[0] * 1)(0)) +
                                                                            log1p_(exp_(-abs_(a[0])));
                                                                   })};
  return record;
}
/// x / sqrt(1 + p x^2), scaled by a parameter.
const vocab::Activation &squash() {
  static const vocab::Activation record{
      .name = "PrivateSquash",
      .params = {{.name = "p", .byDefault = 0.5}},
      .forward = formula([](const auto *a, const auto *p) { return a[0] / sqrt_(1 + p[0] * a[0] * a[0]); })};
  return record;
}
/// sqrt(1 + (y - t)^2) - 1: a smooth absolute error.
const vocab::Loss &smoothAbsolute() {
  static const vocab::Loss record{
      .name = "PrivateSmoothAbsolute",
      .value = formula([](const auto *a, const auto *p) { return sqrt_(1 + (a[0] - a[1]) * (a[0] - a[1])) - 1; })};
  return record;
}
/// Two states and a host scalar: v = mu v + g, u = u/2 + g^2; w += alpha v / (1 + u).
const vocab::Optimizer &damped() {
  static const vocab::Optimizer record{
      .name = "PrivateDamped",
      .states = {"v", "u"},
      .scalars = {{"Rate", formula([](const auto *a, const auto *p) { return a[0] / sqrt_(a[3]); })},
                  {"Mu", formula([](const auto *a, const auto *p) { return a[1]; })}},
      .update = formulas([](const auto *a, const auto *p, auto *out) {
        out[1] = p[1] * a[2] + a[1];
        out[2] = a[3] * 0.5 + a[1] * a[1];
        out[0] = a[0] + p[0] * out[1] / (1 + out[2]);
      })};
  return record;
}

TEST(PrivateRecords, Activations) {
  for (const vocab::Activation *record : {&softplus(), &squash()}) {
    SCOPED_TRACE(record->name);
    Case made = tinyCase({.denoising = 0.2});
    made.adjust = [&](frontend::Network &network) {
      for (frontend::Layer &layer : network.layers)
        if (layer.kind == frontend::LayerKind::Hidden)
          layer.activation = {record, {}, {}};
      for (frontend::Layer &layer : network.layers)
        for (const vocab::Param &param : record->params)
          if (layer.kind == frontend::LayerKind::Hidden)
            layer.activation.params.push_back(param.byDefault);
    };
    checkNetwork(made);
  }
}

TEST(PrivateRecords, LossBehindAPrivateActivationForEachStorage) {
  for (Storage storage : kStorages) {
    Case made = tinyCase({.target = storage});
    made.adjust = [](frontend::Network &network) {
      network.loss = {&smoothAbsolute(), {}, {}};
      network.layers.back().activation = {&softplus(), {}, {}};
    };
    checkNetwork(made);
  }
}

TEST(PrivateRecords, Optimizer) {
  Case made = tinyCase({.lambda1 = 0.002});
  made.adjust = [](frontend::Network &network) { network.optimizer = {&damped(), {}, {}}; };
  checkNetwork(made);
}
} // namespace
} // namespace sn::test
