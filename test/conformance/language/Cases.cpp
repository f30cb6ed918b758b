#include "test/conformance/language/Cases.h"
#include "test/support/Gradients.h"
#include <gtest/gtest.h>

namespace sn::test {
Case languageCase(const std::string &layers, const std::vector<Data> &data, const std::string &keys, uint64_t seed) {
  constexpr int64_t kRows = 17;
  Case made{.seed = seed, .json = "{ " + keys + (keys.empty() ? "" : ", ") + "\"Layers\": [" + layers + "] }"};
  Random random(seed + 70);
  for (auto [name, shape] : data) {
    shape.rows = kRows;
    addTable(made.tables, name, random, shape);
  }
  for (int64_t rows : {9, 9, 4}) {
    std::vector<int64_t> batch;
    for (int64_t row = 0; row < rows; ++row)
      batch.push_back((5 * row + 3 * rows) % kRows);
    made.batches.push_back(batch);
  }
  return made;
}

void checkLanguage(const Case &made) {
  checkNetwork(made);
  checkThreads(made, {1, 2, 3});
  Network network(made.json);
  if (hasDefinedDelta(network.spec()))
    return;
  GradientCounts counts = checkGradients(network, made);
  EXPECT_GT(4 * counts.checked, counts.kinks) << "kinks almost everywhere";
}
} // namespace sn::test
