// Factored outputs: the same training as the dense form's and the oracle's over a thousand steps, the same bits with
// any number of threads, and from any step on.
#include "runtime/exec/Resume.h"
#include "runtime/exec/Trainer.h"
#include "test/support/Program.h"
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
struct Kind {
  const char *name;
  TableShape target; // rows and columns are the test's
  const char *hidden;
};

std::string networkOf(const Kind &kind) {
  return std::string(R"({"Version": 0.8, "Name": "factored", "Layers": [
    {"Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},)") +
         kind.hidden + R"(
    {"Name": "Output", "Kind": "Output", "N": "auto", "DataSet": "output", "Activation": "Linear", "Sparse": true)" +
         R"(}],
    "ErrorFunction": "L2", "ShuffleIndices": false,
    "Training": {"Optimizer": "SGD", "Alpha": 0.05, "Lambda": 0, "Lambda1": 0}})";
}
constexpr const char *kOneHidden = R"({"Name": "Hidden", "N": 8, "Activation": "Sigmoid"},)";
constexpr const char *kThreeHidden = R"({"Name": "H1", "N": 9, "Activation": "Sigmoid"},
    {"Name": "H2", "N": 7, "Activation": "Tanh"}, {"Name": "H3", "N": 6, "Activation": "Sigmoid"},)";

Tables tablesOf(const Kind &kind, int64_t rows, int64_t inputs, int64_t outputs) {
  Random random(11);
  Tables tables;
  addTable(tables, "input", random, {.rows = rows, .columns = inputs});
  TableShape target = kind.target;
  target.rows = rows, target.columns = outputs;
  addTable(tables, "output", random, target);
  return tables;
}

std::vector<int64_t> batchAt(int64_t step, int64_t size, int64_t rows) {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < size; ++i)
    ids.push_back((step * size + i * 7) % rows);
  return ids;
}

double distance(const reference::State &a, const reference::State &b) {
  double farthest = 0;
  for (const auto &[name, tensor] : a.parameters) {
    double difference = 0, length = 1e-12;
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      difference += std::pow(tensor.values[i] - b.parameters.at(name).values[i], 2);
      length += std::pow(tensor.values[i], 2);
    }
    farthest = std::max(farthest, std::sqrt(difference / length));
  }
  return farthest;
}

bool isFactored(Session &session) { return !session.model().memory().factors.empty(); }

class Factored : public ::testing::TestWithParam<Kind> {};

TEST_P(Factored, AgreesWithTheDenseFormAndTheOracleForAThousandSteps) {
  constexpr int64_t kRows = 60, kSteps = 1000, kBatch = 12;
  const Tables tables = tablesOf(GetParam(), kRows, 15, 40);
  Network network(networkOf(GetParam()));
  std::map<std::string, Program> programs = compileSchedules(network, 3, {"single", "factored"});
  Session dense(programs.at("single"), tables, "SGD"), factored(programs.at("factored"), tables, "SGD");
  ASSERT_TRUE(isFactored(factored));
  ASSERT_FALSE(isFactored(dense));
  reference::State oracle = network.initialState(tables);
  dense.set(oracle);
  factored.set(oracle);
  for (int64_t step = 1; step <= kSteps; ++step) {
    const int64_t size = step % 10 == 0 ? 5 : kBatch; // the last batch of an epoch is smaller
    const reference::Run run = network.run(batchAt(step, size, kRows), step, 1, kSteps);
    const reference::Result expected = reference::interpret(network.differentiated(), "train", tables, oracle, run);
    const double denseLoss = dense.train(run, kSteps).reports["loss"],
                 factoredLoss = factored.train(run, kSteps).reports["loss"];
    ASSERT_NEAR(factoredLoss, expected.loss, 2e-4 * std::abs(expected.loss)) << "step " << step;
    ASSERT_NEAR(denseLoss, expected.loss, 2e-4 * std::abs(expected.loss)) << "step " << step;
    oracle = expected.after;
    if (step % 100 == 0 || step < 4) {
      ASSERT_LT(distance(oracle, factored.state()), 2e-4) << "step " << step;
      ASSERT_LT(distance(dense.state(), factored.state()), 2e-4) << "step " << step;
    }
  }
  EXPECT_FALSE(factored.model().plain());
  const reference::State before = factored.state();
  factored.model().fold();
  EXPECT_TRUE(factored.model().plain());
  EXPECT_LT(distance(before, factored.state()), 1e-6);
  const reference::Run run = network.run(batchAt(1, kBatch, kRows), kSteps, 1, kSteps);
  EXPECT_NEAR(factored.evaluate(run), dense.evaluate(run), 2e-4 * std::abs(dense.evaluate(run)));
  EXPECT_EQ(factored.predict(run, 3).at("Output").columns, dense.predict(run, 3).at("Output").columns);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Factored,
    ::testing::Values(
        Kind{"Binary", {.storage = Storage::CsrBinary}, kOneHidden},
        Kind{"Analog", {.storage = Storage::CsrAnalog}, kOneHidden},
        Kind{"Weighted", {.storage = Storage::CsrAnalog, .weighted = true}, kOneHidden},
        Kind{"IndexedAndWeighted", {.storage = Storage::CsrBinary, .weighted = true, .indexed = true}, kOneHidden},
        Kind{"ThreeHiddenLayers", {.storage = Storage::CsrAnalog, .weighted = true}, kThreeHidden}),
    [](const auto &info) { return info.param.name; });

const Kind kAnalog{"Analog", {.storage = Storage::CsrAnalog, .weighted = true}, kOneHidden};

std::vector<float> bitsOf(rt::Model &model) {
  std::vector<float> bits;
  for (const plan::Parameter &parameter : model.plan().parameters)
    for (float value : model.parameter(parameter.name))
      bits.push_back(value);
  return bits;
}
bool sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// A run with the runtime's own loop.
struct Loop {
  Loop(const Program &program, const Tables &tables, int threads, const std::string &from = "",
       std::map<std::string, double> hyper = {}, int64_t epochs = 1)
      : binding(bind(tables)), workers(1), device(backend().open(program, threads)),
        model(program.plan, *device, rt::resolveSymbols(program.plan, &binding, nullptr), workers) {
    rt::Overrides wishes{.hyper = hyper, .batch = 70, .epochs = epochs};
    std::optional<rt::CheckpointReader> weights;
    rt::Start start;
    if (!from.empty())
      start = rt::resumeFrom(program.plan, weights.emplace(from), wishes);
    else
      start.settings = rt::settle(program.plan, wishes);
    model.allocateStates(*start.settings.optimizer);
    model.factor(start.settings, binding);
    if (weights)
      model.load(*weights, true);
    else
      model.initialize(5);
    trainer.emplace(model, start.settings, binding);
    trainer->resume(start.position, start.sums);
  }
  void steps(int64_t count) {
    trainer->runEpoch([&](const rt::BatchReport &) { return --count > 0; });
  }
  void save(const std::string &path) {
    rt::CheckpointWriter writer(path, true);
    rt::CheckpointHeader header;
    const rt::Settings &settings = trainer->settings();
    header.optimizer = settings.optimizer->name;
    header.step = trainer->position().step;
    header.position = trainer->position().example;
    header.seed = settings.seed;
    header.examples = binding.rows;
    header.training = {{"hyper", settings.hyper},
                       {"alpha", settings.alpha},
                       {"batch", settings.batch},
                       {"epochs", settings.epochs},
                       {"shuffle", settings.shuffle}};
    header.sums = rt::storedSums(trainer->sums());
    for (const auto &[name, value] : model.symbols())
      header.symbols[name] = value;
    writer.writeHeader(header);
    model.save(writer);
    writer.commit();
  }
  rt::Binding binding;
  rt::ThreadPool workers;
  std::unique_ptr<rt::Device> device;
  rt::Model model;
  std::optional<rt::Trainer> trainer;
};

/// An epoch of 290 steps: generations of all three digits.
struct Epoch {
  Epoch() : tables(tablesOf(kAnalog, 290 * 70 - 3, 12, 300)), network(networkOf(kAnalog)) {
    programs = compileSchedules(network, 3, {"factored"});
  }
  const Program &program() const { return programs.at("factored"); }
  Tables tables;
  Network network;
  std::map<std::string, Program> programs;
};
Epoch &epoch() {
  static Epoch one;
  return one;
}

TEST(FactoredBits, DoNotDependOnThreads) {
  std::vector<float> inside, after;
  for (int threads : {1, 2, 3}) {
    Loop run(epoch().program(), epoch().tables, threads);
    run.steps(275);
    EXPECT_FALSE(run.model.plain());
    const std::vector<float> now = bitsOf(run.model);
    run.trainer->runEpoch();
    EXPECT_TRUE(run.model.plain());
    const std::vector<float> end = bitsOf(run.model);
    if (threads == 1)
      inside = now, after = end;
    EXPECT_TRUE(sameBits(now, inside)) << threads;
    EXPECT_TRUE(sameBits(end, after)) << threads;
  }
}

TEST(FactoredBits, DoNotDependOnCheckpoints) {
  const std::string path = (std::filesystem::temp_directory_path() / "sn-factored-test.h5").string();
  Loop whole(epoch().program(), epoch().tables, 2);
  whole.trainer->runEpoch();
  const std::vector<float> expected = bitsOf(whole.model);
  for (int64_t steps : {1, 16, 21, 272}) {
    Loop begun(epoch().program(), epoch().tables, 1);
    begun.steps(steps);
    begun.save(path);
    const std::vector<float> weights = bitsOf(begun.model);
    rt::CheckpointReader file(path);
    EXPECT_TRUE(file.hasFactored("Hidden->Output/weights"));
    Loop resumed(epoch().program(), epoch().tables, 3, path);
    EXPECT_TRUE(sameBits(bitsOf(resumed.model), weights)) << steps;
    resumed.trainer->runEpoch();
    EXPECT_TRUE(sameBits(bitsOf(resumed.model), expected)) << steps;
    begun.trainer->runEpoch();
    EXPECT_TRUE(sameBits(bitsOf(begun.model), expected)) << steps;
    resumed.save(path);
    EXPECT_FALSE(rt::CheckpointReader(path).hasFactored("Hidden->Output/weights")) << "at an epoch's end";
  }
  std::filesystem::remove(path);
}

TEST(FactoredBits, ACheckpointHoldsTheWeightsForEveryOtherUse) {
  const std::string path = (std::filesystem::temp_directory_path() / "sn-factored-plain.h5").string();
  Loop begun(epoch().program(), epoch().tables, 2);
  begun.steps(21);
  begun.save(path);
  Loop dense(epoch().program(), epoch().tables, 2, path, {{"Lambda", 0.001}}); // no longer factored
  EXPECT_TRUE(dense.model.memory().factors.empty());
  EXPECT_TRUE(sameBits(bitsOf(dense.model), bitsOf(begun.model)));
  std::filesystem::remove(path);
}

TEST(FactoredBits, DamagedGenerationsAreRefused) {
  const std::string path = (std::filesystem::temp_directory_path() / "sn-factored-damaged.h5").string();
  Loop begun(epoch().program(), epoch().tables, 2);
  begun.steps(21);
  begun.save(path);
  {
    const rt::h5::Id file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const rt::h5::Id array(H5Dopen2(file.get(), "snc/factored/Hidden->Output/weights/generations", H5P_DEFAULT));
    const std::vector<uint8_t> never(300, 40); // of the third digit, after 21 steps
    ASSERT_GE(H5Dwrite(array.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, never.data()), 0);
  }
  std::string said;
  try {
    Loop(epoch().program(), epoch().tables, 2, path);
  } catch (const UserError &problem) {
    said = problem.what();
  }
  EXPECT_NE(said.find("the generations of 'Hidden->Output/weights' (snc/factored) are damaged"), std::string::npos)
      << said;
  std::filesystem::remove(path);
}

TEST(FactoredChoice, OnlyPlainDescentIsPlain) {
  Network network(networkOf(kAnalog));
  for (const plan::Optimizer &optimizer : compile(network, "").plan.optimizers) {
    EXPECT_EQ(optimizer.plain.has_value(), optimizer.name == "SGD") << optimizer.name;
    if (optimizer.plain) {
      EXPECT_EQ(rt::textOf(optimizer.plain->rate), "Alpha");
      EXPECT_EQ(optimizer.plain->whenZero, (std::vector<std::string>{"Lambda", "Lambda1"}));
    }
  }
}

TEST(FactoredChoice, SaysWhyNot) {
  auto said = [](const Tables &tables, const std::string &schedule, std::map<std::string, double> hyper,
                 const std::string &optimizer) {
    Network network(networkOf(kAnalog));
    const Program program = compile(network, schedule);
    const std::unique_ptr<rt::Device> device = backend().open(program, 1);
    rt::ThreadPool workers(1);
    const rt::Binding binding = bind(tables);
    rt::Model model(program.plan, *device, rt::resolveSymbols(program.plan, &binding, nullptr), workers);
    const rt::Settings settings = rt::settle(program.plan, {.optimizer = optimizer, .hyper = hyper});
    const auto &answers = model.factor(settings, binding);
    return answers.empty() ? "" : answers[0].text();
  };
  const Tables sparse = tablesOf(kAnalog, 30, 12, 300);
  const Tables dense = tablesOf({"", {.storage = Storage::Dense}, ""}, 30, 12, 300);
  const Tables ignored = tablesOf({"", {.storage = Storage::CsrBinary, .ignoreZeros = true}, ""}, 30, 12, 300);
  EXPECT_EQ(said(sparse, "factored", {}, "SGD").find("Output (L2): factored: 300 outputs, 8 units, "), 0u)
      << said(sparse, "factored", {}, "SGD");
  auto ends = [](const std::string &text, const std::string &end) { EXPECT_TRUE(text.ends_with(end)) << text; };
  ends(said(sparse, "factored", {}, "SGD"), " entries in a row of the target, as asked for");
  ends(said(sparse, "", {}, "SGD"), "entries in a row of the target: it would not pay");
  ends(said(sparse, "single", {}, "SGD"), "");
  ends(said(sparse, "factored", {{"Lambda", 0.25}}, "SGD"),
       "not factored: Lambda is 0.25, and weights that decay change in every step");
  ends(said(sparse, "factored", {}, "Momentum"), "not factored: Momentum does more than add the gradient");
  ends(said(dense, "factored", {}, "SGD"), "not factored: the target is dense");
  ends(said(ignored, "factored", {}, "SGD"), "not factored: the target's zeros are ignored");
}
} // namespace
} // namespace sn::test
