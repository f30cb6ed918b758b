// Whatever happens to a file, it is either a network or refused at a place inside it: every byte of a network is left
// out, replaced, or made the last.
#include "test/unit/frontend/Support.h"
#include <nlohmann/json.hpp>

namespace sn::frontend::test {
namespace {
const std::string kNetwork = R"({ // every part of the language
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
    if (isKey || !(before.ends_with("\"Name\": ") || before.ends_with("\"DataSet\": ")))
      words.push_back(open + 1);
    open = text.find('"', close + 1);
  }
  return words;
}
std::string misspelt(std::string text, size_t word) {
  return text.insert(word + (text.find('"', word) - word) / 2, 1, 'z');
}
} // namespace

TEST(Bytes, TheNetworkIsSound) { EXPECT_EQ(messageOf(kNetwork), ""); }

TEST(Bytes, EachOneLeftOut) {
  int refused = 0;
  for (size_t i = 0; i < kNetwork.size() && !testing::Test::HasFailure(); ++i)
    refused += look(std::string(kNetwork).erase(i, 1));
  EXPECT_GT(refused, 500);
}

TEST(Bytes, EachOneTheLast) {
  size_t brace = kNetwork.rfind('}');
  for (size_t i = 0; i < brace && !testing::Test::HasFailure(); ++i)
    EXPECT_TRUE(look(kNetwork.substr(0, i))) << i;
}

TEST(Bytes, EachOneReplaced) {
  int refused = 0;
  for (size_t i = 0; i < kNetwork.size() && !testing::Test::HasFailure(); ++i)
    for (char c : {'\0', '\xFF', '\n', ' ', '"', '\\', '{', '}', '[', ']', ',', '/', '-', '0', 'e', '\x1B'}) {
      std::string text = kNetwork;
      text[i] = c;
      refused += look(text);
    }
  EXPECT_GT(refused, 8000);
}

TEST(Bytes, EachOneTwice) {
  for (size_t i = 0; i < kNetwork.size() && !testing::Test::HasFailure(); ++i)
    look(std::string(kNetwork).insert(i, 1, kNetwork[i]));
}

// Every key and every word of the language, with a letter too many: that is all that is said, and what was meant.
TEST(Bytes, EachWordMisspelt) {
  std::vector<size_t> words = wordsOf(kNetwork);
  EXPECT_EQ(words.size(), 58u);
  for (size_t word : words) {
    std::string text = misspelt(kNetwork, word);
    Report report = reportOf(text);
    ASSERT_EQ(report.findings.size(), 1u) << text << report.text();
    EXPECT_EQ(report.findings[0].suggestion, kNetwork.substr(word, kNetwork.find('"', word) - word)) << report.text();
  }
}

// One mistake hides another only where it stands around it ("Training" misspelt), and two cause no third.
TEST(Bytes, EachTwoWordsMisspelt) {
  std::vector<size_t> words = wordsOf(kNetwork);
  size_t pairs = 0, both = 0;
  for (size_t first : words)
    for (size_t second : words)
      if (first < second) {
        Report report = reportOf(misspelt(misspelt(kNetwork, second), first));
        ASSERT_TRUE(report.errors == 1 || report.errors == 2) << report.text();
        ++pairs;
        both += report.errors == 2;
      }
  EXPECT_GT(both, pairs * 8 / 10) << pairs;
}

// Members that stand for each other's mistakes: any two lines out, no crash and no place outside.
TEST(Bytes, LinesLeftOut) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < kNetwork.size();) {
    size_t end = kNetwork.find('\n', start) + 1;
    lines.push_back(kNetwork.substr(start, end - start));
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
} // namespace sn::frontend::test
