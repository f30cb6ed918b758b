// The CPU computes in fp32 and stores fp32, whatever precision a network asks for.
#include "test/conformance/records/Tiny.h"
#include <cstring>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
TEST(Precision, ChangesNothingOnTheCpu) {
  std::vector<std::vector<float>> bits;
  for (const char *precision : {"fp32", "tf32", "bf16x3", "bf16"}) {
    Case made = tinyCase({.hiddenActivation = "Tanh", .optimizer = "Adam"});
    Json json = Json::parse(made.json);
    json["Precision"] = precision;
    Network network(json.dump());
    const Program program = compileSchedules(network, 0, {"single"}).at("single");
    EXPECT_EQ(narrowOf(program.plan).size(), precision == std::string("bf16") ? 2u : 0u);
    bits.push_back(trainedBits(program, network, made, 2));
  }
  for (const std::vector<float> &other : bits) {
    ASSERT_EQ(other.size(), bits[0].size());
    EXPECT_EQ(std::memcmp(other.data(), bits[0].data(), other.size() * sizeof(float)), 0);
  }
}
} // namespace
} // namespace sn::test
