// Every network of examples/ on small data sets of each storage.
#include "test/support/Check.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace sn::test {
namespace {
std::vector<std::string> examples() {
  std::vector<std::string> files;
  for (const auto &file : std::filesystem::recursive_directory_iterator(SNC_EXAMPLES))
    if (file.path().extension() == ".json")
      files.push_back(file.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

/// Data for the network's layers: automatic ones get `columns`.
Case caseOf(const std::string &file, Storage storage, uint64_t seed) {
  constexpr int64_t kRows = 21, kColumns = 97;
  Random random(seed);
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  Case made{seed, text.str(), {}, {}};
  frontend::Network network = frontend::readNetworkText(made.json, file);
  for (const frontend::Layer &layer : network.layers)
    if (!layer.dataSet.empty() && !made.tables.contains(layer.dataSet))
      made.tables[layer.dataSet] = randomTable(random, {.rows = kRows,
                                                        .columns = layer.automatic ? kColumns : layer.units,
                                                        .storage = storage,
                                                        .unitInterval = network.loss.record->unitInterval});
  for (int64_t rows : {kRows, kRows, int64_t(5)}) {
    std::vector<int64_t> batch;
    for (int64_t row = 0; row < rows; ++row)
      batch.push_back((row * 8 + rows) % kRows);
    made.batches.push_back(batch);
  }
  return made;
}

class Example : public ::testing::TestWithParam<std::string> {};
TEST_P(Example, EqualsOracle) {
  uint64_t seed = 0;
  for (Storage storage : kStorages)
    checkNetwork(caseOf(GetParam(), storage, ++seed));
}
INSTANTIATE_TEST_SUITE_P(Files, Example, ::testing::ValuesIn(examples()), [](const auto &info) {
  std::string name;
  for (char c : std::filesystem::relative(info.param, SNC_EXAMPLES).string())
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Example);
} // namespace
} // namespace sn::test
