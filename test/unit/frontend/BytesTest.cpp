// Whatever happens to a file, it is either a network or refused at a place inside it: every byte of a network is left
// out, replaced, or made the last.
#include "test/unit/frontend/Support.h"
#include <nlohmann/json.hpp>

namespace sn::frontend::test {
namespace {
const std::string kAutoEncoder = R"({ // layers on top of each other
  "Version": 0.7, "Name": "A\u00e9", "Kind": "AutoEncoder", "ShuffleIndices": false,
  "SparsenessPenalty": {"p": 0.5, "beta": 2.0}, "Denoising": {"p": 2e-1},
  "ErrorFunction": "ScaledMarginalCrossEntropy", "ScaledMarginalCrossEntropy": {"oneTarget": 1.0, "zeroScale": 1},
  "Layers": [
    {"Name": "In", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},
    {"Name": "H", "Type": "FullyConnected", "Source": ["In"], "N": [8], "Activation": "Tanh", "pDropout": 0.1},
    {"N": 8, "WeightInit": {"Scheme": "Gaussian", "Scale": 0.1}, "Sparse": true, "SparsenessPenalty": {"p": 0.1}},
    {"Name": "Schlu\u00df ü", "Kind": "Output", "DataSet": "output", "N": "auto", "Source": "Hidden2"}
  ], /* done */
  "Training": {"Optimizer": "Adam", "Alpha": 1e-3, "Schedule": {"Kind": "Step", "Every": 2}, "Batch": 64, "Seed": 1}
}
)";
const std::string kTowers = R"({ // layers that depend on each other
  "Compatibility": "dsstne", "WeightsData": "w.nc", "Decay": 0.1, "Slope": 0.1, "MaxOut": {"k": 2},
  "ErrorFunction": "L2Hinge", "DeltaBoost": {"one": 2, "zero": 1},
  "Layers": [
    {"Name": "Query", "Kind": "Input", "N": "auto", "DataSet": "q"},
    {"Name": "Item", "Kind": "Input", "N": "auto", "DataSet": "i"},
    {"Name": "Left", "N": 4, "Source": "Query", "Activation": "LRelu", "WeightNorm": 2, "BatchNormalization": true},
    {"Name": "Right", "N": [2, 2], "Source": "Item", "Activation": "SELU", "ELUAlpha": 1.6, "SELULambda": 1.1,
     "DeltaNorm": 1, "SharedWeights": [
      {"InputLayer": "Item", "SourceInputLayer": "Query", "SourceOutputLayer": "Left", "Transposed": false}]},
    {"Name": "Most", "Kind": "Pooling", "Function": "Maxout", "Source": ["Left", "Right"], "Skip": ["Left"]},
    {"Type": "Pooling", "Function": "Cosine", "Source": ["Left", "Most"], "N": "auto", "DataSet": "target"}
  ]
}
)";

class Bytes : public testing::TestWithParam<std::string> {
protected:
  const std::string &network = GetParam(); // sound
};

bool liesInside(Position at, const std::string &text) {
  int line = 1;
  size_t start = 0;
  for (; line < at.line; ++line) {
    start = text.find('\n', start) + 1;
    if (start == 0)
      return false;
  }
  size_t length = std::min(text.find('\n', start), text.size()) - start;
  return at.line >= 1 && at.column >= 1 && static_cast<size_t>(at.column) <= length + 1;
}

/// Whether the text was refused.
bool look(const std::string &text) {
  Report report = reportOf(text);
  for (const Finding &finding : report.findings) {
    EXPECT_TRUE(liesInside(finding.at, text)) << text << report.text();
    EXPECT_NE(finding.message, "");
    for (const Diagnostic &note : finding.notes)
      EXPECT_TRUE(liesInside(note.at, text)) << text << report.text();
  }
  auto object = nlohmann::json::parse(report.json());
  EXPECT_EQ(object["errors"], report.errors);
  for (const auto &one : object["diagnostics"])
    EXPECT_GE(one["end_column"], one["column"]);
  return report.errors > 0;
}
/// Where the keys, words and sources of a text begin, behind the quotation mark: all strings but free names.
std::vector<size_t> wordsOf(const std::string &text) {
  std::vector<size_t> words;
  for (size_t open = text.find('"'); open != std::string::npos;) {
    size_t close = text.find('"', open + 1);
    std::string_view before = std::string_view(text).substr(0, open);
    bool isKey = text[close + 1] == ':';
    if (isKey ||
        !(before.ends_with("\"Name\": ") || before.ends_with("\"DataSet\": ") || before.ends_with("\"WeightsData\": ")))
      words.push_back(open + 1);
    open = text.find('"', close + 1);
  }
  return words;
}
std::string misspelt(std::string text, size_t word) {
  return text.insert(word + (text.find('"', word) - word) / 2, 1, 'z');
}
} // namespace

TEST_P(Bytes, TheNetworkIsSound) { EXPECT_EQ(messageOf(network), ""); }

TEST_P(Bytes, EachOneLeftOut) {
  int refused = 0;
  for (size_t i = 0; i < network.size() && !testing::Test::HasFailure(); ++i)
    refused += look(std::string(network).erase(i, 1));
  EXPECT_GT(refused, 500);
}

TEST_P(Bytes, EachOneTheLast) {
  size_t brace = network.rfind('}');
  for (size_t i = 0; i < brace && !testing::Test::HasFailure(); ++i)
    EXPECT_TRUE(look(network.substr(0, i))) << i;
}

TEST_P(Bytes, EachOneReplaced) {
  int refused = 0;
  for (size_t i = 0; i < network.size() && !testing::Test::HasFailure(); ++i)
    for (char c : {'\0', '\xFF', '\n', ' ', '"', '\\', '{', '}', '[', ']', ',', '/', '-', '0', 'e', '\x1B'}) {
      std::string text = network;
      text[i] = c;
      refused += look(text);
    }
  EXPECT_GT(refused, 8000);
}

TEST_P(Bytes, EachOneTwice) {
  for (size_t i = 0; i < network.size() && !testing::Test::HasFailure(); ++i)
    look(std::string(network).insert(i, 1, network[i]));
}

// Every key and every word of the language, with a letter too many: that is all that is said, and what was meant.
TEST_P(Bytes, EachWordMisspelt) {
  std::vector<size_t> words = wordsOf(network);
  EXPECT_GT(words.size(), 55u);
  for (size_t word : words) {
    std::string text = misspelt(network, word);
    Report report = reportOf(text);
    ASSERT_EQ(report.findings.size(), 1u) << text << report.text();
    EXPECT_EQ(report.findings[0].suggestion, network.substr(word, network.find('"', word) - word)) << report.text();
  }
}

// One mistake hides another only where it stands around it ("Training" misspelt), and two cause no third.
TEST_P(Bytes, EachTwoWordsMisspelt) {
  std::vector<size_t> words = wordsOf(network);
  size_t pairs = 0, both = 0;
  for (size_t first : words)
    for (size_t second : words)
      if (first < second) {
        Report report = reportOf(misspelt(misspelt(network, second), first));
        ASSERT_TRUE(report.errors == 1 || report.errors == 2) << report.text();
        ++pairs;
        both += report.errors == 2;
      }
  EXPECT_GT(both, pairs * 8 / 10) << pairs;
}

// Members that stand for each other's mistakes: any two lines out, no crash and no place outside.
TEST_P(Bytes, LinesLeftOut) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < network.size();) {
    size_t end = network.find('\n', start) + 1;
    lines.push_back(network.substr(start, end - start));
    start = end;
  }
  for (size_t first = 0; first < lines.size(); ++first)
    for (size_t second = first; second < lines.size() && !testing::Test::HasFailure(); ++second) {
      std::string text;
      for (size_t i = 0; i < lines.size(); ++i)
        if (i != first && i != second)
          text += lines[i];
      look(text);
    }
}
INSTANTIATE_TEST_SUITE_P(Networks, Bytes, testing::Values(kAutoEncoder, kTowers),
                         [](const auto &info) { return info.index == 0 ? "AutoEncoder" : "Towers"; });
} // namespace sn::frontend::test
