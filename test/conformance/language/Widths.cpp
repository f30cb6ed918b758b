// Layers that must be equally wide and take their widths from different data sets: the first one's holds for both, and
// another data set may have fewer columns.
#include "test/conformance/language/Cases.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
const std::string kX = R"({ "Kind": "Input", "Name": "X", "N": "auto", "DataSet": "x", "Sparse": true })";

std::vector<Data> sets(int64_t columns, const std::string &other, int64_t others) {
  return {{"x", {.columns = columns, .storage = Storage::CsrBinary}},
          {other, {.columns = others, .storage = Storage::CsrAnalog, .unitInterval = true, .weighted = true}}};
}

TEST(Widths, TiedAutoencoderOfTwoDataSets) {
  for (int64_t targets : {13, 9})
    checkLanguage(languageCase(kX + R"(, { "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Tanh" },
        { "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "SharedWeights":
          { "InputLayer": "H", "SourceInputLayer": "X", "SourceOutputLayer": "H", "Transposed": true } })",
                               sets(13, "t", targets), R"("Denoising": { "p": 0.2 })"));
}

TEST(Widths, SkipFromTheInputIntoTheOutput) {
  for (int64_t targets : {13, 9})
    checkLanguage(languageCase(kX + R"(, { "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Tanh" },
        { "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Skip": "X" })",
                               sets(13, "t", targets)));
}

TEST(Widths, TowersOfOneMatrix) {
  std::vector<Data> data = sets(31, "item", 29);
  data.push_back({"match", {.columns = 1, .storage = Storage::Dense}});
  checkLanguage(
      languageCase(kX + R"(, { "Kind": "Input", "Name": "Item", "N": "auto", "DataSet": "item", "Sparse": true },
        { "Kind": "Hidden", "Name": "Q", "N": 8, "Source": "X", "Activation": "Tanh" },
        { "Kind": "Hidden", "Name": "I", "N": 8, "Source": "Item", "Activation": "Tanh", "SharedWeights":
          { "InputLayer": "Item", "SourceInputLayer": "X", "SourceOutputLayer": "Q" } },
        { "Kind": "Output", "Type": "Pooling", "Function": "Cosine", "Name": "Match", "DataSet": "match", "Source": ["Q", "I"] })",
                   data, R"("ErrorFunction": "L2Hinge")"));
}

TEST(Widths, PoolingOfInputs) {
  for (const char *function : {"Maxout", "DotProduct", "Cosine"}) {
    std::vector<Data> data = sets(11, "y", 8);
    data.push_back({"t", {.columns = 5, .storage = Storage::CsrBinary}});
    checkNetwork(languageCase(kX + R"(, { "Kind": "Input", "Name": "Y", "N": "auto", "DataSet": "y" },
        { "Kind": "Hidden", "Type": "Pooling", "Name": "P", "Source": ["X", "Y"], "Function": ")" +
                                  std::string(function) + R"(" },
        { "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Source": ["P", "X"] })",
                              data));
  }
}
} // namespace
} // namespace sn::test
