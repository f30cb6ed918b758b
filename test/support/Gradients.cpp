#include "test/support/Gradients.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
/// beta KL(p || m) of the units' batch means m, or nothing if a mean lies where the penalty is clipped.
std::optional<double> divergence(const frontend::Layer &layer, const reference::Tensor &outputs) {
  double sum = 0, p = layer.sparsenessP;
  for (int64_t unit = 0; unit < outputs.columns; ++unit) {
    double mean = 0;
    for (int64_t row = 0; row < outputs.rows; ++row)
      mean += outputs(row, unit) / static_cast<double>(outputs.rows);
    if (mean < 1e-5 || mean > 0.99999)
      return std::nullopt;
    sum += (p > 0 ? p * std::log(p / mean) : 0) + (1 - p) * std::log((1 - p) / (1 - mean));
  }
  return layer.sparsenessBeta * sum;
}

class Objective {
public:
  Objective(Network &network, const Case &made)
      : network(network), made(made), run(network.run(made.batches[0], 1, 1, 3)) {
    for (int index : network.spec().order)
      if (const frontend::Layer &layer = network.spec().layers[index];
          layer.kind == frontend::LayerKind::Hidden && layer.sparsenessBeta > 0)
        penalised.push_back(&layer);
  }
  struct Value {
    double value = 0;
    uint64_t branches = 0;
    bool operator==(const Value &) const = default;
  };
  std::optional<Value> operator()(const reference::State &state) const {
    reference::Result result = interpret(network.forward(), "train", made.tables, state, run);
    EXPECT_EQ(result.penalised.size(), penalised.size());
    double value = result.loss;
    for (size_t i = 0; i < penalised.size(); ++i) {
      std::optional<double> penalty = divergence(*penalised[i], result.penalised[i]);
      if (!penalty)
        return std::nullopt;
      value += static_cast<double>(run.ids.size()) * *penalty;
    }
    return Value{value, result.branches};
  }
  reference::Result gradients(const reference::State &state) const {
    return interpret(network.differentiated(), "train", made.tables, state, run);
  }

private:
  Network &network;
  const Case &made;
  reference::Run run;
  std::vector<const frontend::Layer *> penalised;
};

/// Unit directions: two entries and one over all entries.
std::vector<reference::Tensor> directions(Random &random, const reference::Tensor &like) {
  std::vector<reference::Tensor> all(3, reference::Tensor(like.rows, like.columns));
  random.pick(all[0].values) = 1;
  random.pick(all[1].values) = 1;
  for (double &value : all[2].values)
    value = random.real(-1, 1);
  return all;
}

} // namespace

bool hasDefinedDelta(const frontend::Network &network) {
  if (network.boostOne != 1 || network.boostZero != 1)
    return true;
  for (const frontend::Layer &layer : network.layers)
    if (layer.deltaNorm > 0)
      return true;
  for (const frontend::Layer &layer : network.layers)
    if (layer.kind == frontend::LayerKind::Output && layer.type == frontend::LayerType::FullyConnected &&
        layer.pDropout == 0)
      if (const vocab::Pair *pair = vocab::findPair(layer.activation.record->name, network.loss.record->name);
          pair && pair->isDefinition)
        return true;
  return false;
}

GradientCounts checkGradients(Network &network, const Case &made) {
  Random random(made.seed + 1000);
  reference::State state = network.initialState(made.tables);
  network.shake(state, random, 0.2);
  Objective objective(network, made);
  std::optional<Objective::Value> at = objective(state);
  GradientCounts counts;
  if (!at)
    return counts;
  reference::Result result = objective.gradients(state);
  for (const auto &[name, tensor] : state.parameters) {
    if (network.isFixed(name))
      continue;
    const reference::Tensor &gradient = result.gradients.at(name);
    for (const reference::Tensor &direction : directions(random, tensor)) {
      constexpr double kStep = 1e-5;
      double stated = 0, size = 0;
      reference::State up = state, down = state;
      for (size_t i = 0; i < tensor.values.size(); ++i) {
        stated += gradient.values[i] * direction.values[i];
        size += std::abs(gradient.values[i] * direction.values[i]);
        up.parameters[name].values[i] += kStep * direction.values[i];
        down.parameters[name].values[i] -= kStep * direction.values[i];
      }
      std::optional<Objective::Value> above = objective(up), below = objective(down);
      if (!above || !below || above->branches != at->branches || below->branches != at->branches) {
        ++counts.kinks;
        continue;
      }
      double difference = (above->value - below->value) / (2 * kStep);
      double tolerance = 1e-5 * size + 1e-14 * std::abs(at->value) / kStep + 1e-7;
      EXPECT_NEAR(difference, stated, tolerance) << name << " of seed " << made.seed << "\n" << made.json;
      ++counts.checked;
    }
  }
  return counts;
}

} // namespace sn::test
