// Compiled slots of every instruction set level against the records' own formulas in double.
#include "runtime/hal/cpu/SlotTable.h"
#include "test/conformance/records/Tiny.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
/// x -> three units with weights 1, -1, 0.5 and biases 0, 0.25, -0.5.
constexpr double kWeights[] = {1, -1, 0.5}, kBiases[] = {0, 0.25, -0.5};

std::vector<double> outputs(const vocab::Activation &record, const std::vector<double> &params, double x) {
  std::vector<double> z, y, statistics;
  for (int unit = 0; unit < 3; ++unit)
    z.push_back(kWeights[unit] * x + kBiases[unit]);
  if (!record.row) {
    for (double value : z)
      y.push_back(record.forward({value}, params.data()));
    return y;
  }
  auto at = [&](const vocab::Formula &formula, double value) {
    std::vector<double> arguments{value};
    arguments.insert(arguments.end(), statistics.begin(), statistics.end());
    double result;
    formula.value(arguments.data(), params.data(), &result);
    return result;
  };
  for (const auto &[kind, formula] : record.row->reductions) {
    double result = kind == vocab::Reduce::Max ? -1e300 : 0;
    for (double value : z)
      result = kind == vocab::Reduce::Max ? std::max(result, at(formula, value)) : result + at(formula, value);
    statistics.push_back(result);
  }
  for (double value : z)
    y.push_back(at(record.row->value, value));
  return y;
}

void expectOutputsAtEachLevel(const vocab::Activation &record, const std::vector<double> &params) {
  Json input{{"Kind", "Input"}, {"Name", "In"}, {"N", 1}, {"DataSet", "x"}};
  Json output{
      {"Kind", "Output"}, {"Name", "Out"}, {"N", 3}, {"DataSet", "t"}, {"Activation", std::string(record.name)}};
  for (size_t i = 0; i < params.size(); ++i)
    output[std::string(record.params[i].key)] = params[i];
  Network network(Json{{"Version", 0.9}, {"ErrorFunction", anyLoss()}, {"Layers", {input, output}}}.dump());
  Program program = compile(network, "");
  Tables tables;
  tables["x"].values = reference::Tensor(41, 1);
  tables["t"].values = reference::Tensor(41, 3);
  reference::Run run = network.run({}, 1, 1, 1);
  for (int64_t row = 0; row < 41; ++row) {
    tables["x"].values(row, 0) =
        static_cast<float>(record.probe.low + (record.probe.high - record.probe.low) * static_cast<double>(row) / 40);
    run.ids.push_back(row);
  }
  reference::State state = network.initialState(tables);
  state.parameters.at("In->Out/weights").values.assign(std::begin(kWeights), std::end(kWeights));
  state.parameters.at("In->Out/bias").values.assign(std::begin(kBiases), std::end(kBiases));
  for (const char *level : plan::kCpuLevels) {
    if (!rt::cpu::machineRuns(level))
      continue;
    Program one = program;
    std::erase_if(one.archive.entries, [&](const auto &entry) {
      return entry.first.starts_with("cpu/") && entry.first != "cpu/" + std::string(level) + ".so";
    });
    Session session(one, tables, program.plan.training.optimizer);
    session.set(state);
    Ranked ranked = session.predict(run, 3).at("Out");
    for (size_t i = 0; i < ranked.columns.size(); ++i) {
      ASSERT_TRUE(ranked.columns[i] >= 0 && ranked.columns[i] < 3);
      double y = outputs(record, params,
                         tables["x"].values(static_cast<int64_t>(i) / 3, 0))[static_cast<size_t>(ranked.columns[i])];
      EXPECT_NEAR(ranked.scores[i], y, record.probe.tolerance * std::max(1e-3, std::abs(y)))
          << record.name << " on " << level;
    }
  }
}

TEST(Slots, ActivationsAtEachLevel) {
  for (const vocab::Activation &record : vocab::activations()) {
    expectOutputsAtEachLevel(record, valuesOf(record.params, 1));
    if (!record.params.empty())
      expectOutputsAtEachLevel(record, valuesOf(record.params, 0.6));
  }
}
} // namespace
} // namespace sn::test
