// The part of a model that is trained in factored form: inside an epoch the memory of these parameters holds rows of
// several generations (runtime/hal/Factored.h), and everyone but the training step sees the weights.
#include "runtime/exec/Model.h"
#include <algorithm>

namespace sn::rt {
const std::vector<FactoringAnswer> &Model::factor(const Settings &settings, const Binding &data) {
  if (factoringDecided)
    return factoring;
  factoringDecided = true;
  auto *device = dynamic_cast<FactorsOutputs *>(&theDevice);
  const Extents known = extents(std::min(settings.batch, data.rows));
  factoring =
      decideFactoring(thePlan, {device != nullptr, settings.optimizer, settings.hyper, known,
                                [&](const std::string &name) { return boundView(thePlan, data, name, known); }});
  for (const FactoringAnswer &answer : factoring) {
    if (!answer.factored)
      continue;
    FactoredShape shape = shapeOf(thePlan, *answer.step, known);
    const std::string &name = answer.step->sources.front().weights;
    shape.weights = pointers.parameters.at(name);
    shape.bias = shape.hasBias ? pointers.parameters.at(answer.step->biases.front()) : nullptr;
    pointers.factors[name] = device->factor(shape);
  }
  return factoring;
}

bool Model::plain() const {
  return std::all_of(pointers.factors.begin(), pointers.factors.end(),
                     [](const auto &named) { return named.second->plain(); });
}

void Model::fold() {
  for (const auto &[name, matrix] : pointers.factors)
    matrix->fold();
}

void Model::forgetFactored() {
  for (const auto &[name, matrix] : pointers.factors)
    matrix->forget();
}

FillTile Model::valuesOf(const plan::Parameter &parameter) const {
  const TensorSpec spec = specOf(parameter);
  for (const FactoringAnswer &answer : factoring) {
    const std::string &name = answer.step->sources.front().weights;
    const bool isBias = !answer.step->biases.empty() && answer.step->biases.front() == parameter.name;
    const auto found = pointers.factors.find(name);
    if ((name != parameter.name && !isBias) || found == pointers.factors.end() || found->second->plain())
      continue;
    if (isBias)
      return [matrix = found->second](const Tile &tile, float *block) {
        matrix->read(tile.column, tile.columns, nullptr, block);
      };
    return [matrix = found->second, spec, rows = std::vector<float>()](const Tile &tile, float *block) mutable {
      rows.resize(static_cast<size_t>(tile.columns * spec.in)); // a tile of few units computes all of them
      matrix->read(tile.column, tile.columns, rows.data(), nullptr);
      for (int64_t row = 0; row < tile.rows; ++row)
        for (int64_t column = 0; column < tile.columns; ++column)
          block[row * tile.columns + column] = rows[static_cast<size_t>(column * spec.in + tile.row + row)];
    };
  }
  return downloads(spec, pointers.parameters.at(parameter.name));
}

int64_t Model::factoredBytes() const {
  int64_t bytes = 0;
  for (const FactoringAnswer &answer : factoring) {
    if (!answer.factored)
      continue;
    const FactoredShape shape = shapeOf(thePlan, *answer.step, extents(0));
    const FactoredState state = pointers.factors.at(answer.step->sources.front().weights)->emptyState();
    bytes += shape.outputs * (shape.inner + shape.hasBias) * static_cast<int64_t>(sizeof(float)) +
             static_cast<int64_t>(state.generations.size() + state.products.size() * sizeof(float) +
                                  state.gram.size() * sizeof(double));
  }
  return bytes;
}

void Model::saveFactored(CheckpointWriter &writer) const {
  for (const FactoringAnswer &answer : factoring) {
    const std::string &name = answer.step->sources.front().weights;
    if (!answer.factored || pointers.factors.at(name)->plain())
      continue;
    const FactoredState state = pointers.factors.at(name)->state();
    writer.writeFactored(name, {state.steps, state.generations, state.products, state.gram});
    std::vector<std::string> held{name};
    held.insert(held.end(), answer.step->biases.begin(), answer.step->biases.end());
    for (const std::string &parameter : held) {
      const TensorSpec spec = specOf(find(parameter));
      writer.writeFactoredRows(spec, downloads(spec, pointers.parameters.at(parameter)));
    }
  }
}

void Model::loadFactored(const CheckpointReader &weights) {
  for (const FactoringAnswer &answer : factoring) {
    const std::string &name = answer.step->sources.front().weights;
    if (!answer.factored || !weights.hasFactored(name))
      continue;
    FactoredState state = pointers.factors.at(name)->emptyState();
    FactoredRecord record{0, state.generations, state.products, state.gram};
    weights.readFactored(name, record);
    std::vector<std::string> held{name};
    held.insert(held.end(), answer.step->biases.begin(), answer.step->biases.end());
    for (const std::string &parameter : held) {
      const TensorSpec spec = specOf(find(parameter));
      weights.readFactoredRows(spec, uploads(spec, pointers.parameters.at(parameter)));
    }
    if (!pointers.factors.at(name)->restore({record.steps, record.generations, record.products, record.gram}))
      userError("{}: the generations of '{}' (snc/factored) are damaged", weights.path(), name);
  }
}
} // namespace sn::rt
