// The features of the fully connected language, each in small networks: reference sections 1.5-1.9 and 1.14-1.21.
#include "test/conformance/language/Cases.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
const std::string kX = R"({ "Kind": "Input", "Name": "X", "N": "auto", "DataSet": "x", "Sparse": true })",
                  kOut = R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t" })";
const std::string kHidden = R"({ "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Tanh" })";

std::vector<Data> inputAndTarget(Storage input = Storage::CsrBinary, Storage target = Storage::CsrBinary,
                                 int64_t targets = 13) {
  return {{"x", {.columns = 11, .storage = input}},
          {"t", {.columns = targets, .storage = target, .unitInterval = true}}};
}
std::string list(const std::vector<std::string> &layers) {
  std::string text;
  for (const std::string &layer : layers)
    text += (text.empty() ? "" : ",\n  ") + layer;
  return text;
}

class Language : public ::testing::TestWithParam<Storage> {
protected:
  std::vector<Data> data(int64_t targets = 13) const { return inputAndTarget(GetParam(), Storage::CsrBinary, targets); }
};

// Skips: a value is added to the pre-activation (1.8).

TEST_P(Language, SkipsBetweenHiddenLayers) {
  checkLanguage(languageCase(
      list({kX, kHidden, R"({ "Kind": "Hidden", "Name": "G", "N": 7, "Activation": "Relu", "Skip": "H" })",
            R"({ "Kind": "Hidden", "Name": "F", "N": 7, "Source": ["G", "X"], "Skip": ["G", "H"] })", kOut}),
      data()));
}

TEST_P(Language, SkipsFromInputs) {
  checkLanguage(languageCase(
      list(
          {kX, R"({ "Kind": "Input", "Name": "Y", "N": 7, "DataSet": "y", "Sparse": true })",
           R"({ "Kind": "Hidden", "Name": "H", "N": 7, "Source": "X", "Skip": "Y" })",
           R"({ "Kind": "Hidden", "Name": "G", "N": 7, "Source": ["H", "Y"], "Activation": "Tanh", "Skip": ["H", "Y"] })",
           kOut}),
      {{"x", {.columns = 11, .storage = Storage::CsrBinary}},
       {"y", {.columns = 6, .storage = GetParam()}},
       {"t", {.columns = 13, .storage = Storage::CsrBinary, .unitInterval = true}}},
      R"("Denoising": { "p": 0.2 })"));
}

TEST_P(Language, SkipsIntoOutputs) {
  for (const char *activation : {"Sigmoid", "SoftMax"})
    checkLanguage(languageCase(
        list(
            {kX, R"({ "Kind": "Hidden", "Name": "H", "N": 13, "Activation": "Tanh", "Sparse": true })",
             R"({ "Kind": "Hidden", "Name": "G", "N": 5 })",
             R"({ "Kind": "Output", "Name": "Out", "N": 13, "DataSet": "t", "Source": "G", "Skip": "H", "Activation": ")" +
                 std::string(activation) + "\" }"}),
        inputAndTarget(Storage::CsrBinary, GetParam())));
}

TEST_P(Language, SkipOfAnInputIntoTheOutput) {
  checkLanguage(languageCase(
      list({R"({ "Kind": "Input", "Name": "X", "N": 13, "DataSet": "x" })", kHidden,
            R"({ "Kind": "Output", "Name": "Out", "N": 13, "DataSet": "t", "Activation": "Linear", "Skip": "X" })"}),
      data(), R"("ErrorFunction": "L2")"));
}

/// Layers of one source whose deltas are the same: one gradient, two updates.
TEST_P(Language, SkipsOfLinearLayers) {
  checkLanguage(languageCase(
      list(
          {kX, R"({ "Kind": "Hidden", "Name": "A", "N": 5, "Source": "X", "Activation": "Linear" })",
           R"({ "Kind": "Hidden", "Name": "B", "N": 5, "Source": "X", "Activation": "Linear", "Skip": "A", "WeightNorm": 1 })",
           R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Source": "B" })"}),
      data(), R"("Training": { "Optimizer": "Momentum" })"));
}

// Shared matrices: forward through the owner's, gradients averaged over the users, own biases (1.9, T-17, T-18).

TEST_P(Language, SharedAmongThree) {
  checkLanguage(languageCase(
      list({kX, R"({ "Kind": "Input", "Name": "Y", "N": "auto", "DataSet": "x", "Sparse": true })",
            R"({ "Kind": "Hidden", "Name": "A", "N": 6, "Source": "X",
                 "SharedWeights": { "InputLayer": "X", "SourceInputLayer": "Y", "SourceOutputLayer": "B" } })",
            R"({ "Kind": "Hidden", "Name": "B", "N": 6, "Source": "Y" })",
            R"({ "Kind": "Hidden", "Name": "C", "N": 6, "Source": ["X", "A"],
                 "SharedWeights": { "InputLayer": "X", "SourceInputLayer": "Y", "SourceOutputLayer": "B" } })",
            R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Source": ["A", "B", "C"] })"}),
      data(), R"("Training": { "Optimizer": "Adam", "Lambda": 0.01, "Lambda1": 0.003 })"));
}

TEST_P(Language, TiedAutoencoder) {
  for (const char *activation : {"Sigmoid", "SoftMax"})
    checkLanguage(
        languageCase(list({kX, kHidden,
                           R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "x", "SharedWeights":
                   { "InputLayer": "H", "SourceInputLayer": "X", "SourceOutputLayer": "H", "Transposed": true },
                   "Activation": ")" +
                               std::string(activation) + "\" }"}),
                     {{"x", {.columns = 29, .storage = GetParam(), .unitInterval = true}}},
                     R"("Denoising": { "p": 0.3 }, "Training": { "Optimizer": "Momentum", "Lambda": 0.01 })"));
}

/// The matrix of the Output, transposed, on a data set (T-18).
TEST_P(Language, TransposedOnInputs) {
  checkLanguage(languageCase(list({kX, R"({ "Kind": "Input", "Name": "Y", "N": 13, "DataSet": "t", "Sparse": true })",
                                   R"({ "Kind": "Hidden", "Name": "H", "N": 7, "Source": ["X", "Y"], "SharedWeights":
                 [ { "InputLayer": "Y", "SourceInputLayer": "H", "SourceOutputLayer": "Out", "Transposed": true } ] })",
                                   R"({ "Kind": "Output", "Name": "Out", "N": 13, "DataSet": "t" })"}),
                             inputAndTarget(Storage::CsrBinary, GetParam()), R"("Denoising": { "p": 0.3 })"));
}

TEST_P(Language, OneMatrixTwiceInALayer) {
  checkLanguage(languageCase(
      list({kX, kHidden, R"({ "Kind": "Hidden", "Name": "G", "N": 7, "Source": "X", "Activation": "Relu" })",
            R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Source": ["H", "G"], "WeightNorm": 0.7,
                 "SharedWeights": { "InputLayer": "G", "SourceInputLayer": "H", "SourceOutputLayer": "Out" } })"}),
      data()));
}

// Norms (1.21).

TEST_P(Language, WeightNormOnInputs) {
  for (const char *optimizer : {"SGD", "Momentum", "Adam"})
    checkLanguage(
        languageCase(list({kX, R"({ "Kind": "Hidden", "Name": "H", "N": 7, "WeightNorm": 0.4 })",
                           R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "WeightNorm": 0.6 })"}),
                     data(), R"("Training": { "Optimizer": ")" + std::string(optimizer) + "\" }"));
}

TEST_P(Language, DeltaNormOnHiddenLayersAndOutputs) {
  for (const char *activation : {"Sigmoid", "SoftMax"})
    for (double hidden : {0.0, 0.05})
      checkLanguage(languageCase(
          list({kX, R"({ "Kind": "Hidden", "Name": "H", "N": 7, "DeltaNorm": )" + std::to_string(hidden) + " }",
                R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "DeltaNorm": 0.8, "Activation": ")" +
                    std::string(activation) + "\" }"}),
          inputAndTarget(Storage::CsrBinary, GetParam())));
}

// Batch normalization (1.19, T-32, T-33).

TEST_P(Language, BatchNormalization) {
  for (const char *optimizer : {"SGD", "Nesterov", "Adam"})
    checkLanguage(languageCase(
        list({kX, R"({ "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Relu", "BatchNormalization": true })",
              R"({ "Kind": "Hidden", "Name": "G", "N": 7, "Source": ["H", "X"], "Skip": "H", "BatchNormalization": true,
                   "DeltaNorm": 0.5, "pDropout": 0.3, "WeightNorm": 1 })",
              kOut}),
        data(), R"("Training": { "Optimizer": ")" + std::string(optimizer) + "\" }"));
}

TEST_P(Language, BatchNormalizationWithoutDeltaNorm) {
  checkLanguage(languageCase(
      list(
          {kX, R"({ "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Tanh", "BatchNormalization": true })",
           R"({ "Kind": "Hidden", "Name": "G", "N": 5, "Sparse": true, "Source": ["H", "X"], "BatchNormalization": true,
                 "SparsenessPenalty": { "p": 0.2, "beta": 1 }, "pDropout": 0.3 })",
           kOut}),
      data()));
}

TEST(BatchNormalization, OfOneExample) {
  Case made = languageCase(list({kX, R"({ "Kind": "Hidden", "Name": "H", "N": 7, "BatchNormalization": true })", kOut}),
                           inputAndTarget());
  made.batches = {{4}, {4, 5}, {2}};
  checkNetwork(made);
}

// Poolings that need no image (1.7).

TEST_P(Language, Poolings) {
  for (const vocab::Pooling &pooling : vocab::poolings())
    for (int sources : {2, 4}) {
      SCOPED_TRACE(pooling.name);
      std::string names = sources == 2 ? R"("A", "B")" : R"("A", "B", "Y", "C")";
      checkLanguage(languageCase(
          list({kX, R"({ "Kind": "Input", "Name": "Y", "N": 6, "DataSet": "y" })",
                R"({ "Kind": "Hidden", "Name": "A", "N": 6, "Source": "X", "Activation": "Tanh" })",
                R"({ "Kind": "Hidden", "Name": "B", "N": 6, "Source": "X", "Activation": "Relu" })",
                R"({ "Kind": "Hidden", "Name": "C", "N": 6, "Source": ["A", "Y"], "Activation": "Linear" })",
                R"({ "Type": "Pooling", "Name": "P", "Function": ")" + std::string(pooling.name) + R"(", "Source": [)" +
                    names + "] }",
                R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Source": ["P", "C"] })"}),
          {{"x", {.columns = 11, .storage = Storage::CsrBinary}},
           {"y", {.columns = 6, .storage = GetParam()}},
           {"t", {.columns = 13, .storage = Storage::CsrBinary, .unitInterval = true}}}));
    }
}

TEST_P(Language, PoolingsAsOutputs) {
  size_t turn = 0; // each pair of loss and pooling meets one storage
  for (const char *loss : {"L2", "L2Hinge", "L1", "Hinge"})
    for (const vocab::Pooling &pooling : vocab::poolings()) {
      size_t storage = (turn + turn / 3) % kStorages.size();
      ++turn;
      if (storage != static_cast<size_t>(GetParam()))
        continue;
      SCOPED_TRACE(std::string(loss) + " " + std::string(pooling.name));
      checkLanguage(languageCase(
          list({kX, R"({ "Kind": "Hidden", "Name": "A", "N": 6, "Source": "X", "Activation": "Tanh" })",
                R"({ "Kind": "Hidden", "Name": "B", "N": 6, "Source": "X", "Activation": "Tanh" })",
                R"({ "Kind": "Hidden", "Name": "C", "N": 6, "Source": "X", "Activation": "Linear" })",
                R"({ "Kind": "Output", "Type": "Pooling", "Name": "Out", "DataSet": "t", "Function": ")" +
                    std::string(pooling.name) + R"(", "Source": ["A", "B", "C"] })"}),
          inputAndTarget(Storage::CsrAnalog, GetParam(), 2), "\"ErrorFunction\": \"" + std::string(loss) + "\""));
    }
}

/// Skips of a pooling layer are added behind the pooling.
TEST_P(Language, SkipsIntoPoolings) {
  checkLanguage(languageCase(
      list({kX, kHidden, R"({ "Kind": "Hidden", "Name": "G", "N": 7, "Source": "X", "Activation": "Relu" })",
            R"({ "Type": "Pooling", "Name": "P", "Function": "Maxout", "Source": ["G", "H"], "Skip": "H" })", kOut}),
      data()));
}

// Whole networks of the issue.

TEST_P(Language, TwoTowers) {
  for (const char *transposed : {"false"})
    checkLanguage(languageCase(
        list({R"({ "Kind": "Input", "Name": "Query", "N": 31, "DataSet": "query", "Sparse": true })",
              R"({ "Kind": "Input", "Name": "Item", "N": 31, "DataSet": "item", "Sparse": true })",
              R"({ "Kind": "Hidden", "Name": "Q", "N": 8, "Source": "Query", "Activation": "Tanh" })",
              R"({ "Kind": "Hidden", "Name": "I", "N": 8, "Source": "Item", "Activation": "Tanh", "SharedWeights":
                   { "InputLayer": "Item", "SourceInputLayer": "Query", "SourceOutputLayer": "Q", "Transposed": )" +
                  std::string(transposed) + "} }",
              R"({ "Kind": "Output", "Type": "Pooling", "Function": "Cosine", "Name": "Match", "DataSet": "match",
                   "Source": ["Q", "I"] })"}),
        {{"query", {.columns = 31, .storage = GetParam()}},
         {"item", {.columns = 29, .storage = Storage::CsrBinary}},
         {"match", {.columns = 1, .storage = Storage::Dense}}},
        R"("ErrorFunction": "L2Hinge", "Denoising": { "p": 0.2 }, "Training": { "Optimizer": "Adam" })"));
}

TEST_P(Language, FiveSources) {
  checkLanguage(languageCase(
      list(
          {kX, R"({ "Kind": "Input", "Name": "Y", "N": "auto", "DataSet": "t", "Sparse": true })",
           R"({ "Kind": "Hidden", "Name": "A", "N": 5, "Source": "X", "WeightInit": { "Bias": 0.3 } })",
           R"({ "Kind": "Hidden", "Name": "B", "N": 4, "Source": ["X", "Y", "A"], "Activation": "Tanh" })",
           R"({ "Kind": "Hidden", "Name": "C", "N": 3, "Source": ["X", "Y", "A", "B"] })",
           R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Source": ["X", "Y", "A", "B", "C"] })"}),
      data()));
}

TEST_P(Language, SeveralInputsAndOutputs) {
  checkLanguage(languageCase(
      list(
          {kX, R"({ "Kind": "Input", "Name": "Y", "N": 6, "DataSet": "y" })",
           R"({ "Kind": "Hidden", "Name": "H", "N": 7, "Source": ["X", "Y"] })",
           R"({ "Kind": "Output", "Name": "First", "N": "auto", "DataSet": "t", "Source": "H" })",
           R"({ "Kind": "Output", "Name": "Second", "N": "auto", "DataSet": "x", "Source": ["First", "H"] })",
           R"({ "Kind": "Output", "Name": "Third", "N": 8, "DataSet": "y", "Source": "H", "Activation": "SoftMax" })"}),
      {{"x", {.columns = 11, .storage = Storage::CsrBinary}},
       {"y", {.columns = 6, .storage = GetParam(), .unitInterval = true}},
       {"t", {.columns = 13, .storage = Storage::CsrAnalog, .unitInterval = true}}}));
}

TEST(Compatibility, OfOptimizersAndInitialisers) {
  for (const vocab::Optimizer &optimizer : vocab::optimizers()) {
    SCOPED_TRACE(optimizer.name);
    checkLanguage(languageCase(
        list({kX, R"({ "Kind": "Hidden", "Name": "H", "N": 7, "WeightInit": { "Scheme": "Constant", "Scale": 0.2 } })",
              kOut}),
        inputAndTarget(),
        R"("Compatibility": "dsstne", "Training": { "Optimizer": ")" + std::string(optimizer.name) + "\" }"));
  }
}

TEST_P(Language, Boost) {
  for (const vocab::Loss &loss : vocab::losses())
    for (const char *activation : {"Sigmoid", "Tanh"}) {
      bool isUnit = vocab::find(vocab::activations(), activation)->unitInterval;
      if (loss.boost == vocab::Boost::Never || (!isUnit && (loss.unitInterval || loss.boost != vocab::Boost::Always)))
        continue;
      SCOPED_TRACE(std::string(loss.name) + " " + activation);
      checkLanguage(languageCase(
          list({kX, kHidden,
                R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Activation": ")" +
                    std::string(activation) + "\" }"}),
          inputAndTarget(Storage::CsrBinary, GetParam()),
          "\"ErrorFunction\": \"" + std::string(loss.name) + R"(", "DeltaBoost": { "one": 3, "zero": 0.25 })"));
    }
}

std::string storageName(const ::testing::TestParamInfo<Storage> &info) {
  return info.param == Storage::Dense ? "Dense" : info.param == Storage::CsrBinary ? "CsrBinary" : "CsrAnalog";
}
INSTANTIATE_TEST_SUITE_P(Storages, Language, ::testing::ValuesIn(kStorages), storageName);

/// A tied autoencoder of the width that real ones have: the wide output is fused, its matrix lies as the input's
/// products like it.
TEST(Wide, TiedAutoencoder) {
  Case made = languageCase(list({kX, R"({ "Kind": "Hidden", "Name": "H", "N": 16 })",
                                 R"({ "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "x", "SharedWeights":
                 { "InputLayer": "H", "SourceInputLayer": "X", "SourceOutputLayer": "H", "Transposed": true } })"}),
                           {{"x", {.columns = 3000, .storage = Storage::CsrBinary}}}, R"("Denoising": { "p": 0.2 })");
  checkNetwork(made);
  checkThreads(made, {1, 2, 3});
  Network network(made.json);
  Program program = compileSchedules(network, 0).at("single");
  for (const plan::Entry &entry : program.plan.entries)
    for (const plan::Buffer &buffer : entry.buffers)
      EXPECT_FALSE(entry.name == "train" && buffer.dims.size() == 2 && buffer.dims[0].symbol == "B" &&
                   buffer.dims[1].symbol == "x")
          << buffer.name << " holds batch x outputs";
}

/// Two outputs and an input's layer use one matrix: their gradients meet in one buffer, whatever kernel makes them.
TEST(Wide, OutputsOfOneMatrix) {
  const std::string share = R"(, "SharedWeights":
      { "InputLayer": "H", "SourceInputLayer": "X", "SourceOutputLayer": "H", "Transposed": true } })",
                    output = R"({ "Kind": "Output", "N": "auto", "DataSet": "x", "Source": "H", "Name": ")";
  for (const char *optimizer : {"Adam", "Nesterov"})
    for (const char *activation : {"Sigmoid", "SoftMax"}) {
      Case made = languageCase(
          list({kX, R"({ "Kind": "Hidden", "Name": "H", "N": 9, "WeightNorm": 0.8, "DeltaNorm": 0.2 })",
                output + "First\"" + share, output + "Second\", \"Activation\": \"" + activation + "\"" + share}),
          {{"x", {.columns = 700, .storage = Storage::CsrBinary, .weighted = true, .indexed = true}}},
          R"("Denoising": { "p": 0.2 }, "DeltaBoost": { "one": 3, "zero": 0.5 },
             "Training": { "Lambda": 0.01, "Optimizer": ")" +
              std::string(optimizer) + "\" }");
      checkNetwork(made);
      checkThreads(made, {1, 2, 3});
    }
}

/// More examples in a batch than a lane has; a skip from a wide input into a wide output, which also feeds a layer.
TEST(Wide, SkipsOfInputsAndOutputsThatFeed) {
  for (Storage storage : kStorages) {
    Case made = languageCase(
        list(
            {kX, R"({ "Kind": "Hidden", "Name": "H", "N": 9, "BatchNormalization": true, "Activation": "SELU" })",
             R"({ "Kind": "Output", "Name": "First", "N": "auto", "DataSet": "x", "Source": "H", "Skip": "X",
                   "DeltaNorm": 1.5 })",
             R"({ "Kind": "Output", "Name": "Second", "N": 13, "DataSet": "t", "Source": ["First", "H"], "SharedWeights":
                   { "InputLayer": "H", "SourceInputLayer": "H", "SourceOutputLayer": "P" } })",
             R"({ "Kind": "Hidden", "Name": "P", "N": 13, "Source": "H", "Activation": "ELU" })",
             R"({ "Kind": "Output", "Name": "Third", "N": 13, "DataSet": "t", "Source": "P", "Activation": "Linear" })"}),
        {{"x", {.columns = 300, .storage = storage, .unitInterval = true}},
         {"t", {.columns = 13, .storage = Storage::CsrAnalog, .unitInterval = true, .ignoreZeros = true}}},
        R"("ErrorFunction": "L1", "Training": { "Optimizer": "AdaGrad" })", 1, 150);
    std::vector<int64_t> large;
    for (int64_t row = 0; row < 150; ++row)
      large.push_back(row * 7 % 150);
    made.batches[0] = large;
    checkNetwork(made);
    checkThreads(made, {1, 2, 3});
  }
}

/// The layers that feed nobody are ranked; nothing can be trained.
TEST(WithoutOutput, Predicts) {
  Case made = languageCase(list({kX, R"({ "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Tanh" })",
                                 R"({ "Kind": "Hidden", "Name": "A", "N": 9, "Activation": "SoftMax" })",
                                 R"({ "Kind": "Hidden", "Name": "B", "N": 5, "Source": ["H", "X"] })"}),
                           {{"x", {.columns = 11, .storage = Storage::CsrAnalog}}});
  checkNetwork(made);
}
} // namespace
} // namespace sn::test
