// Rows without entries are no special case: an empty input row gives z = the bias, an empty target row has t = 0
// everywhere (a scale 1/n of targets becomes 0), whatever the kernels and the storage.
#include "dialects/Vocabulary/Records.h"
#include "test/support/Check.h"
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sn::test {
namespace {
using Json = nlohmann::ordered_json;
constexpr int64_t kRows = 7, kInputs = 19, kOutputs = 23;
const std::vector<int64_t> kEmptyInputs = {1, 3, 5}, kEmptyTargets = {2, 3, 6};

reference::DataTable tableWithEmpty(Random &random, const TableShape &shape, const std::vector<int64_t> &empty) {
  reference::DataTable table = randomTable(random, shape);
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t column = 0; column < shape.columns; ++column) {
      size_t at = static_cast<size_t>(row * shape.columns + column);
      bool isEmpty = std::find(empty.begin(), empty.end(), row) != empty.end();
      if (isEmpty)
        table.values.values[at] = 0;
      else if (column == row) // no other row is
        table.values.values[at] = 1;
      if (table.sparse)
        table.stored[at] = isEmpty ? false : column == row || table.stored[at];
    }
  return table;
}

/// In -> (hidden ->) Out. Batches: some rows empty, all inputs empty, all targets empty.
Case caseOf(const vocab::Activation &activation, const vocab::Loss &loss, Storage storage, bool hidden) {
  uint64_t seed = 40 + static_cast<uint64_t>(storage);
  Json layers = {
      {{"Kind", "Input"}, {"Name", "In"}, {"N", "auto"}, {"DataSet", "x"}, {"Sparse", storage != Storage::Dense}}};
  if (hidden)
    layers.push_back({{"Kind", "Hidden"}, {"Name", "Middle"}, {"N", 5}, {"Sparse", true}});
  layers.push_back({{"Kind", "Output"},
                    {"Name", "Out"},
                    {"N", "auto"},
                    {"DataSet", "t"},
                    {"Sparse", storage != Storage::Dense},
                    {"Activation", std::string(activation.name)}});
  Case made{.seed = seed,
            .json = Json{{"Version", 0.9}, {"ErrorFunction", std::string(loss.name)}, {"Layers", layers}}.dump(1),
            .tables = {},
            .batches = {{0, 3, 1, 4, 2, 6, 5}, {5, 3, 1}, {6, 3, 2}}};
  Random random(seed);
  made.tables["x"] = tableWithEmpty(random, {kRows, kInputs, storage, false}, kEmptyInputs);
  made.tables["t"] = tableWithEmpty(random, {kRows, kOutputs, storage, true}, kEmptyTargets);
  return made;
}

/// What the record's formula makes of a row of pre-activations.
std::vector<double> outputs(const vocab::Activation &activation, const std::vector<double> &z) {
  std::vector<double> params;
  for (const vocab::Param &param : activation.params)
    params.push_back(param.byDefault);
  std::vector<double> y(z.size()), reduced;
  if (activation.row)
    for (const auto &[reduce, term] : activation.row->reductions) {
      double all = reduce == vocab::Reduce::Max ? -INFINITY : 0;
      for (double x : z) {
        double value, a[] = {x, reduced.empty() ? 0 : reduced[0]};
        term.value(a, params.data(), &value);
        all = reduce == vocab::Reduce::Max ? std::max(all, value) : all + value;
      }
      reduced.push_back(all);
    }
  for (size_t i = 0; i < z.size(); ++i) {
    std::vector<double> a{z[i]};
    a.insert(a.end(), reduced.begin(), reduced.end());
    (activation.row ? activation.row->value : activation.forward).value(a.data(), params.data(), &y[i]);
  }
  return y;
}

class EmptyRows : public ::testing::TestWithParam<std::string> {
protected:
  const vocab::Activation &activation() const { return *vocab::find(vocab::activations(), GetParam()); }
};

TEST_P(EmptyRows, TrainLikeTheOracle) {
  for (const vocab::Loss &loss : vocab::losses()) {
    if ((loss.unitInterval && !activation().unitInterval) || (activation().row && !loss.rowWise))
      continue;
    for (Storage storage : kStorages) {
      SCOPED_TRACE(testing::Message() << loss.name << ", storage " << int(storage));
      checkNetwork(caseOf(activation(), loss, storage, true));
    }
    checkNetwork(caseOf(activation(), loss, Storage::CsrBinary, false));
  }
}

/// Where targets are scaled by 1/n, rows without targets have no loss at all, neither infinity nor NaN.
TEST_P(EmptyRows, HaveNoLossWhereTargetsAreScaled) {
  for (const vocab::Loss &loss : vocab::losses()) {
    if (!activation().row || !vocab::findPair(activation().name, loss.name))
      continue;
    for (Storage storage : kStorages) {
      Case made = caseOf(activation(), loss, storage, true);
      Network network(made.json);
      reference::State state = reference::rounded(network.initialState(made.tables));
      reference::Run run = network.run(kEmptyTargets, 1, 1, 1);
      EXPECT_EQ(reference::interpret(network.forward(), "train", made.tables, state, run).loss, 0);
      for (const auto &[schedule, program] : compileSchedules(network, made.seed)) {
        SCOPED_TRACE(schedule);
        Session session(program, made.tables, program.plan.training.optimizer, 2, kRows);
        EXPECT_EQ(session.trainFrom(state, run, 1).loss, 0);
      }
    }
  }
}

TEST_P(EmptyRows, HaveTheBiasForPreActivation) {
  for (Storage storage : kStorages) {
    Case made = caseOf(activation(), vocab::losses()[0], storage, false);
    for (const vocab::Loss &loss : vocab::losses())
      if (activation().unitInterval || !loss.unitInterval)
        made = caseOf(activation(), loss, storage, false);
    Network network(made.json);
    reference::State state = reference::rounded(network.initialState(made.tables));
    ASSERT_TRUE(state.parameters.contains("In->Out/bias"));
    reference::Tensor &bias = state.parameters["In->Out/bias"];
    for (int64_t unit = 0; unit < kOutputs; ++unit) // positive, so that units of a rectifier differ too
      bias(0, unit) = static_cast<float>(0.05 + 0.11 * static_cast<double>(unit * 7 % kOutputs));
    std::vector<double> expected = outputs(activation(), bias.values);
    for (const auto &[schedule, program] : compileSchedules(network, made.seed)) {
      SCOPED_TRACE(schedule);
      Session session(program, made.tables, program.plan.training.optimizer, 2, kRows);
      session.set(state);
      Ranked lists = session.predict(network.run(kEmptyInputs, 1, 1, 1), kOutputs).at("Out");
      ASSERT_EQ(lists.columns.size(), kEmptyInputs.size() * kOutputs);
      for (size_t i = 0; i < lists.columns.size(); ++i) {
        double value = expected[static_cast<size_t>(lists.columns[i])];
        EXPECT_NEAR(lists.scores[i], value, 1e-6 * std::max(1.0, std::abs(value)));
      }
    }
  }
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const vocab::Activation &activation : vocab::activations())
    all.emplace_back(activation.name);
  return all;
}
INSTANTIATE_TEST_SUITE_P(Outputs, EmptyRows, ::testing::ValuesIn(names()), [](const auto &info) { return info.param; });
} // namespace
} // namespace sn::test
