// The weights are the same to the last bit with any number of threads.
#include "test/support/Check.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
class Threads : public ::testing::TestWithParam<uint64_t> {};
TEST_P(Threads, GiveTheSameBits) {
  checkThreads(randomCase(GetParam(), {.parameters = 100000, .largestBatch = 300}), {1, 2, 3, 5});
}
INSTANTIATE_TEST_SUITE_P(Seeds, Threads, ::testing::Range<uint64_t>(1000, 1024));
} // namespace
} // namespace sn::test
