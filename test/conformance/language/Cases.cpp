#include "test/conformance/language/Cases.h"

namespace sn::test {
Case languageCase(const std::string &layers, const std::vector<Data> &data, const std::string &keys, uint64_t seed,
                  int64_t examples) {
  Case made{.seed = seed,
            .json = "{ " + keys + (keys.empty() ? "" : ", ") + "\"Layers\": [" + layers + "] }",
            .tables = {},
            .batches = {}};
  Random random(seed + 70);
  for (auto [name, shape] : data) {
    shape.rows = examples;
    addTable(made.tables, name, random, shape);
  }
  for (int64_t rows : {9, 9, 4}) {
    std::vector<int64_t> batch;
    for (int64_t row = 0; row < rows; ++row)
      batch.push_back((5 * row + 3 * rows) % examples);
    made.batches.push_back(batch);
  }
  return made;
}
} // namespace sn::test
