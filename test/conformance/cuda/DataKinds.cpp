// Data sets of every kind on the emulated device: indexed, weighted, 8-bit, with ignored zeros, of each storage.
#include "test/conformance/language/Cases.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
std::string layers(const std::string &activation) {
  return R"({ "Kind": "Input", "Name": "X", "N": "auto", "DataSet": "x", "Sparse": true },
  { "Kind": "Hidden", "Name": "H", "N": 7, "Activation": "Tanh" },
  { "Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "t", "Activation": ")" +
         activation + "\" }";
}

TEST(DataKinds, EveryStorageWithIndexWeightsAndIgnoredZeros) {
  std::vector<Case> cases;
  for (const auto &[loss, activation] :
       {std::pair("CrossEntropy", "Sigmoid"), {"CrossEntropy", "SoftMax"}, {"L2", "Linear"}})
    for (Storage input : kStorages)
      for (Storage target : kStorages)
        for (bool ignored : {false, true}) {
          const TableShape x{.columns = 11, .storage = input, .weighted = true, .indexed = true, .image = true},
              t{.columns = 13,
                .storage = target,
                .unitInterval = true,
                .weighted = true,
                .indexed = true,
                .ignoreZeros = ignored};
          if (ignored && target == Storage::Dense)
            continue;
          cases.push_back(languageCase(layers(activation), {{"x", x}, {"t", t}},
                                       "\"ErrorFunction\": \"" + std::string(loss) +
                                           R"(", "Denoising": { "p": 0.2 }, "Training": { "Lambda": 0.01 })"));
          cases.back().name = loss + std::string(" behind ") + activation + ", storages " +
                              std::to_string(static_cast<int>(input)) + " and " +
                              std::to_string(static_cast<int>(target)) + (ignored ? ", zeros ignored" : "");
        }
  checkNetworks(cases);
}
} // namespace
} // namespace sn::test
