// Layers of many sources: their formulas have more operands than one slot takes.
#include "test/conformance/language/Cases.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
/// One input and `count` small hidden layers, then `last`, which may name all of them.
Case manySources(int count, const std::function<std::string(const std::string &sources)> &last) {
  std::string layers = R"({ "Kind": "Input", "Name": "X", "N": "auto", "DataSet": "x", "Sparse": true })", sources;
  for (int i = 0; i < count; ++i) {
    std::string name = "\"H" + std::to_string(i) + "\"";
    layers += R"(, { "Kind": "Hidden", "N": 3, "Source": "X", "Activation": "Tanh", "Name": )" + name + " }";
    sources += (i ? ", " : "") + name;
  }
  return languageCase(layers + ", " + last(sources),
                      {{"x", {.columns = 11, .storage = Storage::CsrBinary}},
                       {"t", {.columns = 3, .storage = Storage::Dense, .unitInterval = true}},
                       {"pairs", {.columns = count - 1, .storage = Storage::Dense, .unitInterval = true}}},
                      R"("ErrorFunction": "L2")");
}

TEST(ManySources, OfACosine) {
  checkNetwork(manySources(36, [](const std::string &sources) {
    return R"({ "Kind": "Output", "Name": "Out", "Type": "Pooling", "Function": "Cosine", "DataSet": "pairs", "Source": [)" +
           sources + "] }";
  }));
}

TEST(ManySources, OfASum) {
  checkNetwork(manySources(36, [](const std::string &sources) {
    return R"({ "Kind": "Output", "Name": "Out", "N": 3, "DataSet": "t", "Source": [)" + sources + "] }";
  }));
}

TEST(ManySources, OfAMaxout) {
  checkNetwork(manySources(36, [](const std::string &sources) {
    return R"({ "Kind": "Output", "Name": "Out", "Type": "Pooling", "Function": "Maxout", "DataSet": "t", "Source": [)" +
           sources + "] }";
  }));
}
} // namespace
} // namespace sn::test
