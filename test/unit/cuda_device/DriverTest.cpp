#include "runtime/hal/cuda/Driver.h"
#include "test/unit/cuda_device/Fixture.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
TEST(CudaDriver, ThatIsNotThere) {
  const std::string said = refusal([] { rt::cuda::openDriver("libsn-no-such-driver.so.1"); });
  EXPECT_HAS(said, "--device cuda: no NVIDIA driver was found on this machine (");
  EXPECT_HAS(said, "libsn-no-such-driver.so.1");
  EXPECT_HAS(said, "or take --device cpu");
}
TEST(CudaDriver, ThatIsTooOld) {
  const std::string said = refusal([] { rt::cuda::openDriver("libm.so.6"); });
  EXPECT_HAS(said, "the NVIDIA driver of this machine is too old: libm.so.6 has no cuInit; version 525 or later is "
                   "needed, or --device cpu");
}
} // namespace
} // namespace sn::test
