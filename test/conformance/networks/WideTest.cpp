// Layers so wide that a lane holds several tiles.
#include "dialects/Vocabulary/Records.h"
#include "runtime/plan/Lanes.h"
#include "test/support/Check.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sn::test {
namespace {
TEST(Wide, SeveralTilesInALane) {
  constexpr int64_t kColumns = plan::kLanes * plan::kTile * 5 / 4 + 3;
  static_assert(kColumns / plan::kLanes > plan::kTile);
  using Json = nlohmann::ordered_json;
  for (const vocab::Activation &activation : vocab::activations()) {
    if (!activation.unitInterval)
      continue;
    SCOPED_TRACE(activation.name);
    Json input{{"Kind", "Input"}, {"Name", "In"}, {"N", "auto"}, {"DataSet", "x"}, {"Sparse", true}},
        hidden{{"Kind", "Hidden"}, {"N", 4}};
    Json output{{"Kind", "Output"},
                {"Name", "Out"},
                {"N", "auto"},
                {"DataSet", "x"},
                {"Activation", std::string(activation.name)}};
    Case made{.seed = 2,
              .json = Json{{"Version", 0.9}, {"Denoising", {{"p", 0.2}}}, {"Layers", {input, hidden, output}}}.dump(1),
              .tables = {},
              .batches = {{0, 3, 1}, {2, 3}}};
    Random random(8);
    made.tables["x"] =
        randomTable(random, {.rows = 4, .columns = kColumns, .storage = Storage::CsrBinary, .unitInterval = true});
    checkNetwork(made);
  }
}
} // namespace
} // namespace sn::test
