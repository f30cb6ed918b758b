#include "test/conformance/records/Tiny.h"
#include <algorithm>

namespace sn::test {
namespace {
void setParameters(Json &object, const std::vector<vocab::Param> &params, double factor) {
  std::vector<double> values = valuesOf(params, factor);
  for (size_t i = 0; i < params.size(); ++i)
    object[std::string(params[i].key)] = values[i];
}
} // namespace

std::vector<double> valuesOf(const std::vector<vocab::Param> &params, double factor) {
  std::vector<double> values;
  for (const vocab::Param &param : params)
    values.push_back(std::clamp(param.byDefault * factor, param.low, param.high));
  return values;
}

Case tinyCase(const Tiny &tiny) {
  constexpr int64_t kRows = 17;
  auto set = [](Json &json, const char *key, const std::string &value) {
    if (!value.empty())
      json[key] = value;
  };
  Json input{{"Kind", "Input"}, {"Name", "In"}, {"N", "auto"}, {"DataSet", "x"}, {"Sparse", true}};
  Json hidden{{"Kind", "Hidden"}, {"Name", "Hidden"}, {"N", 6}},
      output{{"Kind", "Output"}, {"Name", "Out"}, {"N", "auto"}, {"DataSet", "t"}};
  set(hidden, "Activation", tiny.hiddenActivation);
  set(output, "Activation", tiny.outputActivation);
  if (tiny.parameters != 1)
    for (auto &[layer, name] : {std::pair(&hidden, tiny.hiddenActivation), {&output, tiny.outputActivation}})
      if (const vocab::Activation *activation = vocab::find(vocab::activations(), name))
        setParameters(*layer, activation->params, tiny.parameters);
  for (Json *layer : {&hidden, &output}) {
    (*layer)["WeightInit"] = Json{{"Bias", 0.1}, {"Scale", 0.4}};
    set((*layer)["WeightInit"], "Scheme", tiny.initializer);
  }
  Json training{{"Batch", 9}, {"Epochs", 3}, {"Lambda", 0.001}, {"Lambda1", tiny.lambda1}};
  set(training, "Optimizer", tiny.optimizer);
  set(training, "Schedule", tiny.schedule);
  Json network{{"Version", 0.9}, {"Layers", {input, hidden, output}}, {"Training", training}};
  set(network, "ErrorFunction", tiny.loss);
  if (tiny.denoising > 0)
    network["Denoising"] = {{"p", tiny.denoising}};

  const vocab::Loss *loss = vocab::find(vocab::losses(), tiny.loss);
  if (loss && !loss->object.empty() && tiny.parameters != 1)
    setParameters(network[std::string(loss->object)], loss->params, tiny.parameters);
  if (tiny.dsstne)
    network["Compatibility"] = "dsstne";
  Case made{.seed = 1, .json = network.dump(2), .tables = {}, .batches = {}};
  Random random(99);
  made.tables["x"] = randomTable(random, {.rows = kRows, .columns = 11, .storage = tiny.input});
  made.tables["t"] = randomTable(
      random, {.rows = kRows, .columns = 13, .storage = tiny.target, .unitInterval = !loss || loss->unitInterval});
  for (int64_t rows : {9, 9, 4}) {
    std::vector<int64_t> batch;
    for (int64_t row = 0; row < rows; ++row)
      batch.push_back((5 * row + 3 * rows) % kRows);
    made.batches.push_back(batch);
  }
  return made;
}

std::string anyLoss() {
  for (const vocab::Loss &loss : vocab::losses())
    if (!loss.unitInterval)
      return std::string(loss.name);
  return "";
}
std::string anyOutput() {
  for (const vocab::Activation &activation : vocab::activations())
    if (activation.unitInterval)
      return std::string(activation.name);
  return "";
}
std::vector<const vocab::Activation *> activationsFor(const vocab::Loss &loss) {
  std::vector<const vocab::Activation *> fitting;
  for (const vocab::Activation &activation : vocab::activations())
    if ((activation.unitInterval || !loss.unitInterval) && (loss.rowWise || !activation.row))
      fitting.push_back(&activation);
  return fitting;
}
} // namespace sn::test
