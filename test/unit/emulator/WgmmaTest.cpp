// Products of warpgroups and bulk copies of the emulator: layouts by the formulas of the PTX manual, and what kernels
// that break the rules are told.
#include "test/emulator/Launch.h"
#include <gtest/gtest.h>
#include <random>
#include <vector>
// after the standard headers
#include "test/emulator/cuda.h"
// after it
#include "kernels-templates/cuda/tensor_core_90a.cuh"

namespace {
using namespace sn::cuda;
using sn::emulator::launch;

constexpr size_t kShared = 64 << 10;
/// The block's shared memory from a multiple of 1,024 on.
unsigned char *patterns() {
  return reinterpret_cast<unsigned char *>((reinterpret_cast<size_t>(dynamicShared<char>()) + 1023) / 1024 * 1024);
}

/// A layout with the names of the PTX manual ("Shared Memory Matrix Layout", canonical layouts of K-major operands): in
/// elements of 16 bytes, T of them to an element, row (8, m) and column 2, with strides of bytes.
struct Layout {
  const char *name;
  unsigned mode, line, leading, stride; // line: bytes from a row to the next of eight
  unsigned swizzleBits;                 // B of Swizzle<B, 4, 3>
};
constexpr Layout kLayouts[] = {{"none", 0, 16, 2048, 128, 0},
                               {"32 bytes", 3, 32, 16, 256, 1},
                               {"64 bytes", 2, 64, 16, 512, 2},
                               {"128 bytes", 1, 128, 16, 1024, 3}};
/// Swizzle<B, 4, 3> of a byte's address: bits 4 ... 4 + B - 1 change by those three places above.
size_t swizzled(size_t address, unsigned bits) {
  for (unsigned b = 0; b < bits; ++b)
    if (address >> (7 + b) & 1)
      address ^= size_t(1) << (4 + b);
  return address;
}
unsigned long long descriptorOf(const Layout &layout, const void *start) {
  const unsigned long long address = reinterpret_cast<size_t>(start) & 0x3ffff;
  return address / 16 | (layout.leading / 16ull) << 16 | (layout.stride / 16ull) << 32 |
         static_cast<unsigned long long>(layout.mode) << 62;
}
/// Stores value (row, k) where the layout has it.
void store(const Layout &layout, unsigned char *start, unsigned row, unsigned k, float value, bool bf16) {
  const unsigned width = bf16 ? 2 : 4, byte = k * width;
  const size_t at = reinterpret_cast<size_t>(start) + row % 8 * layout.line + row / 8 * layout.stride +
                    byte / 16 * layout.leading + byte % 16;
  const unsigned bits = __builtin_bit_cast(unsigned, value) >> (bf16 ? 16 : 0);
  __builtin_memcpy(reinterpret_cast<void *>(swizzled(at, layout.swizzleBits)), &bits, width);
}

std::vector<float> smallNumbers(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> result(count);
  for (float &value : result)
    value = static_cast<float>(static_cast<int>(random() % 31) - 15);
  return result;
}
/// PTX ISA, "Register Fragments", figure of accumulator D: row and column of value i of a thread of the warpgroup.
void checkSums(const std::vector<float> &sums, const std::vector<float> &a, const std::vector<float> &b, unsigned inner,
               float before) {
  unsigned wrong = 0;
  for (unsigned t = 0; t < 128; ++t)
    for (unsigned i = 0; i < 64; ++i) {
      const unsigned laneid = t % 32, row = t / 32 * 16 + (laneid >> 2) + (i & 2 ? 8 : 0),
                     column = 8 * (i / 4) + laneid % 4 * 2 + (i & 1);
      float expected = before;
      for (unsigned k = 0; k < inner; ++k)
        expected += a[row * inner + k] * b[column * inner + k];
      wrong += sums[t * 64 + i] != expected;
    }
  EXPECT_EQ(wrong, 0u);
}

TEST(Wgmma, MultipliesWhatDescriptorsAddress) {
  for (const Layout &layout : kLayouts)
    for (bool bf16 : {false, true}) {
      SCOPED_TRACE(testing::Message() << layout.name << (bf16 ? ", BF16" : ", TF32"));
      const unsigned inner = bf16 ? 16 : 8;
      const std::vector<float> a = smallNumbers(64 * inner, 1), b = smallNumbers(128 * inner, 2);
      std::vector<float> sums(128 * 64);
      launch(1, 1, 128, kShared, [&] {
        unsigned char *left = patterns(), *right = left + 16384;
        for (unsigned n = threadIdx.x; n < 64 * inner; n += 128)
          store(layout, left, n / inner, n % inner, a[n], bf16);
        for (unsigned n = threadIdx.x; n < 128 * inner; n += 128)
          store(layout, right, n / inner, n % inner, b[n], bf16);
        fenceProxyAsync();
        __syncthreads();
        float d[64];
        for (float &value : d)
          value = 3;
        wgmmaFence();
        if (bf16)
          wgmmaBf16(d, descriptorOf(layout, left), descriptorOf(layout, right));
        else
          wgmmaTf32(d, descriptorOf(layout, left), descriptorOf(layout, right));
        wgmmaCommit();
        wgmmaWait<0>();
        std::copy(d, d + 64, &sums[threadIdx.x * 64]);
      });
      checkSums(sums, a, b, inner, 3);
    }
}

/// A line of 128 bytes is four products; two warpgroups have 64 rows each; groups end one after the other.
TEST(Wgmma, AdvancesInSwizzledLines) {
  const Layout &layout = kLayouts[3];
  constexpr unsigned kInner = 32;
  const std::vector<float> a = smallNumbers(128 * kInner, 3), b = smallNumbers(128 * kInner, 4);
  std::vector<float> sums(256 * 64);
  launch(1, 1, 256, kShared, [&] {
    unsigned char *left = patterns(), *right = left + 16384;
    for (unsigned n = threadIdx.x; n < 128 * kInner; n += 256) {
      store(layout, left, n / kInner, n % kInner, a[n], false);
      store(layout, right, n / kInner, n % kInner, b[n], false);
    }
    fenceProxyAsync();
    __syncthreads();
    float d[64] = {};
    const unsigned long long l = wgmmaDescriptor(left + threadIdx.x / 128 * 8192), r = wgmmaDescriptor(right);
    EXPECT_EQ(r, descriptorOf(layout, right));
    wgmmaFence();
    for (int at = 0; at < 128; at += kWgmmaBytes) {
      wgmmaTf32(d, advance(l, at), advance(r, at));
      wgmmaCommit();
    }
    wgmmaWait<2>();
    EXPECT_TRUE(__builtin_isnan(d[0]) && __builtin_isnan(d[63])) << "two are under way";
    wgmmaWait<0>();
    std::copy(d, d + 64, &sums[threadIdx.x * 64]);
  });
  for (size_t group = 0; group < 2; ++group)
    checkSums(
        {sums.begin() + static_cast<long>(group * 8192), sums.begin() + static_cast<long>(group * 8192 + 8192)},
        {a.begin() + static_cast<long>(group * 64 * kInner), a.begin() + static_cast<long>((group + 1) * 64 * kInner)},
        b, kInner, 0);
}

TEST(Wgmma, RoundsTf32Down) {
  std::vector<float> sums(128 * 64);
  launch(1, 1, 128, kShared, [&] {
    unsigned char *at = patterns();
    for (unsigned n = threadIdx.x; n < 128 * 8; n += 128)
      store(kLayouts[3], at, n / 8, n % 8, 1 + 0x1.8p-10f, false); // the hardware does not look at the lower 13 bits
    fenceProxyAsync();
    __syncthreads();
    float d[64] = {};
    wgmmaFence();
    wgmmaTf32(d, wgmmaDescriptor(at), wgmmaDescriptor(at));
    wgmmaCommit();
    wgmmaWait<0>();
    std::copy(d, d + 64, &sums[threadIdx.x * 64]);
  });
  for (float sum : sums)
    EXPECT_EQ(sum, 8 * (1 + 0x1p-10f) * (1 + 0x1p-10f));
}

// ---- Rules

std::string faultOf(unsigned threads, const std::function<void()> &kernel) {
  try {
    launch(1, 1, threads, kShared, kernel);
  } catch (const sn::emulator::Fault &fault) {
    return fault.what();
  }
  return "";
}
void expectParts(const std::string &message, const std::vector<std::string> &parts) {
  for (const std::string &part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' in: " << message;
}

/// A product done right, but for what is changed.
struct Steps {
  std::function<void()> shown = [] {
    fenceProxyAsync();
    __syncthreads();
  };
  std::function<void()> fenced = [] { wgmmaFence(); };
  std::function<unsigned long long(unsigned char *)> describe = [](unsigned char *at) { return wgmmaDescriptor(at); };
  std::function<void(float *, unsigned char *)> meanwhile = [](float *, unsigned char *) {};
  std::function<void()> waited = [] { wgmmaWait<0>(); };

  void operator()() const {
    unsigned char *at = patterns();
    for (unsigned n = threadIdx.x; n < 128 * 8; n += blockDim.x)
      store(kLayouts[3], at, n / 8, n % 8, 1, false);
    shown();
    float d[64] = {};
    fenced();
    wgmmaTf32(d, describe(at), describe(at));
    wgmmaCommit();
    meanwhile(d, at);
    waited();
  }
};

TEST(WgmmaFault, NothingWrong) { EXPECT_EQ(faultOf(128, Steps()), ""); }
TEST(WgmmaFault, MissingFences) {
  const std::string stored =
      "has factors that were stored without fence.proxy.async by all threads and a barrier after";
  Steps steps;
  steps.shown = [] { __syncthreads(); };
  expectParts(faultOf(128, steps), {"block (0, 0, 0): the product of thread (", "tensor_core_90a.cuh:", stored});
  steps.shown = [] {
    if (threadIdx.x != 77)
      fenceProxyAsync();
    __syncthreads();
  };
  expectParts(faultOf(128, steps), {stored});
  steps.shown = [] {
    __syncthreads();
    fenceProxyAsync();
  };
  expectParts(faultOf(128, steps), {stored});
  steps = {};
  steps.fenced = [] {};
  expectParts(faultOf(128, steps), {"comes without wgmma.fence after its registers may have been touched"});
}
TEST(WgmmaFault, FenceAgainAfterAWait) {
  Steps steps;
  steps.waited = [] {
    wgmmaWait<0>();
    float d[64] = {};
    wgmmaTf32(d, wgmmaDescriptor(patterns()), wgmmaDescriptor(patterns()));
    wgmmaCommit();
    wgmmaWait<0>();
  };
  expectParts(faultOf(128, steps), {"comes without wgmma.fence"});
}
TEST(WgmmaFault, SumsTouchedTooEarly) {
  Steps steps;
  bool isNaN = true;
  steps.meanwhile = [&](float *d, unsigned char *) {
    for (int i = 0; i < 64; ++i)
      isNaN = isNaN && __builtin_isnan(d[i]);
  };
  EXPECT_EQ(faultOf(128, steps), "");
  EXPECT_TRUE(isNaN) << "who reads sums before they are there gets NaN";
  steps.meanwhile = [](float *d, unsigned char *) { d[40] = 1; };
  expectParts(faultOf(128, steps), {"finds its accumulators written when it is waited for"});
}
TEST(WgmmaFault, FactorsWrittenTooEarly) {
  Steps steps;
  steps.meanwhile = [](float *, unsigned char *at) {
    __syncthreads();
    if (threadIdx.x == 5)
      store(kLayouts[3], at, 30, 3, 2, false);
    __syncthreads();
  };
  expectParts(faultOf(128, steps), {"finds its factors changed when it is waited for"});
  steps.meanwhile = [](float *, unsigned char *) {};
  steps.waited = [] {
    wgmmaWait<0>();
    if (threadIdx.x == 0) // the others still wait
      store(kLayouts[3], patterns(), 30, 3, 2, false);
  };
  expectParts(faultOf(128, steps), {"finds its factors changed when it is waited for"});
}
TEST(WgmmaFault, NobodyWaits) {
  Steps steps;
  steps.waited = [] {};
  expectParts(faultOf(128, steps), {"is not waited for before the thread ends"});
}
TEST(WgmmaFault, WrongDescriptors) {
  Steps steps;
  steps.describe = [](unsigned char *at) { return wgmmaDescriptor(at) | 1ull << 49; };
  expectParts(faultOf(128, steps),
              {"has a matrix descriptor with a base offset: patterns must be aligned to 1,024 bytes"});
  steps.describe = [](unsigned char *at) { return wgmmaDescriptor(at) | 1ull << 55; };
  expectParts(faultOf(128, steps), {"has a matrix descriptor with bits that must be 0"});
  steps.describe = [](unsigned char *at) { return wgmmaDescriptor(at + 61 * 1024); };
  expectParts(faultOf(128, steps), {"has a matrix descriptor that leaves the block's dynamic shared memory"});
  steps.describe = [](unsigned char *at) { return wgmmaDescriptor(at + (threadIdx.x == 64 ? 32 : 0)); };
  expectParts(faultOf(128, steps), {"thread (64, 0, 0)", "is not that of the other threads of its warpgroup"});
}
/// A descriptor that addresses memory of the block is right for all that the emulator knows; but what nobody wrote is
/// NaN.
TEST(WgmmaFault, WrongSwizzleIsSeenInTheResult) {
  Steps steps;
  steps.describe = [](unsigned char *at) { return wgmmaDescriptor(at) & ~(3ull << 62); };
  float *sums = nullptr, sum = 0;
  steps.meanwhile = [&](float *d, unsigned char *) { sums = threadIdx.x == 0 ? d : sums; };
  steps.waited = [&] {
    wgmmaWait<0>();
    if (threadIdx.x == 0)
      sum = sums[1];
  };
  EXPECT_EQ(faultOf(128, steps), "");
  EXPECT_TRUE(__builtin_isnan(sum)) << sum;
}
TEST(WgmmaFault, HalfAWarpgroup) {
  expectParts(faultOf(64, Steps()), {"needs warpgroups: blocks of a multiple of 128 threads"});
  const std::string fault = faultOf(128, [] {
    Steps steps;
    if (threadIdx.x < 32) {
      steps();
    } else {
      for (unsigned n = threadIdx.x; n < 128 * 8; n += 128)
        store(kLayouts[3], patterns(), n / 8, n % 8, 1, false);
      steps.shown();
    }
  });
  expectParts(fault, {"thread (32, 0, 0) has asked for 0 products, thread (0, 0, 0) of its warpgroup for 1"});
}

// ---- Bulk copies

struct Landing {
  float line[2][64];
  CopyBarrier full[2];
};
alignas(16) float source[256];

void beginLanding(Landing &to, int arrivals = 1) {
  if (threadIdx.x == 0)
    for (CopyBarrier &barrier : to.full)
      barrier.begin(arrivals);
  fenceProxyAsync();
  __syncthreads();
}
/// One copy: announced are `expected` bytes, copied `bytes`.
std::string faultOfCopy(int expected, int bytes, int offset = 0) {
  return faultOf(32, [=] {
    Landing &to = *dynamicShared<Landing>();
    beginLanding(to);
    if (threadIdx.x == 0) {
      to.full[0].arriveExpecting(expected);
      copyBulk(to.line[0], source + offset, bytes, to.full[0]);
    }
    to.full[0].wait(0);
  });
}

TEST(BulkCopy, LandsWhenItIsWaitedFor) {
  for (int i = 0; i < 256; ++i)
    source[i] = static_cast<float>(i);
  std::vector<float> seen(4 * 64);
  bool early = false;
  launch(1, 1, 64, kShared, [&] {
    Landing &to = *dynamicShared<Landing>();
    beginLanding(to);
    const auto begin = [&](int n) {
      if (threadIdx.x == 0 && n < 4) {
        to.full[n % 2].arriveExpecting(256);
        copyBulk(to.line[n % 2], source + n * 64, 128, to.full[n % 2]);
        copyBulk(to.line[n % 2] + 32, source + n * 64 + 32, 128, to.full[n % 2]);
      }
    };
    begin(0);
    if (threadIdx.x == 0)
      early = !__builtin_isnan(to.line[0][0]);
    for (int n = 0; n < 4; ++n) {
      begin(n + 1);
      to.full[n % 2].wait(n / 2 % 2);
      seen[static_cast<size_t>(n) * 64 + threadIdx.x] = to.line[n % 2][threadIdx.x];
      __syncthreads();
    }
  });
  EXPECT_FALSE(early);
  for (size_t i = 0; i < seen.size(); ++i)
    EXPECT_EQ(seen[i], static_cast<float>(i));
}
TEST(BulkCopy, PhasesNeedAllArrivals) {
  int order = 0;
  launch(1, 1, 64, kShared, [&] {
    Landing &to = *dynamicShared<Landing>();
    beginLanding(to, 63);
    if (threadIdx.x == 0) {
      to.full[0].wait(0);
      order = order == 63 ? 1000 : -1000;
    } else {
      ++order;
      to.full[0].arrive();
    }
  });
  EXPECT_EQ(order, 1000);
}
TEST(BulkCopyFault, WrongSizes) {
  EXPECT_EQ(faultOfCopy(256, 256), "");
  expectParts(faultOfCopy(20, 20), {"a bulk copy of 20 bytes by thread (0, 0, 0) at ", "it must be a multiple of 16"});
  expectParts(faultOfCopy(16, 16, 1), {"a bulk copy of 16 bytes", "as both addresses"});
  expectParts(faultOfCopy(2 * kShared, 2 * kShared), {"end within dynamic shared memory"});
  expectParts(faultOfCopy(256, 128), {"threads wait for ever: 32 at ", "lacks 0 arrivals and 128 bytes"});
  expectParts(faultOfCopy(128, 256), {"threads wait for ever: 32 at ", "lacks 0 arrivals and -128 bytes"});
}
TEST(BulkCopyFault, BarriersAndBytesThatAreTouched) {
  const auto with = [](const std::function<void(Landing &)> &what) {
    return faultOf(32, [=] {
      Landing &to = *dynamicShared<Landing>();
      beginLanding(to);
      if (threadIdx.x == 0)
        what(to);
    });
  };
  const auto begun = [](Landing &to) {
    to.full[0].arriveExpecting(64);
    copyBulk(to.line[0], source, 64, to.full[0]);
  };
  expectParts(with(begun), {"the block ends while the bulk copy that thread (0, 0, 0) began at ", " is under way"});
  expectParts(with([&](Landing &to) {
                begun(to);
                to.line[0][3] = 1;
                to.full[0].wait(0);
              }),
              {"shared memory is written while the bulk copy to it that thread (0, 0, 0) began at "});
  expectParts(with([&](Landing &to) {
                to.line[0][3] = 1;
                begun(to);
              }),
              {"goes over what threads stored without fence.proxy.async and a barrier after it"});
  expectParts(with([&](Landing &to) {
                to.full[1].word = 0;
                to.full[1].wait(0);
              }),
              {"the barrier in shared memory that thread (0, 0, 0) uses at ", " was written over"});
  expectParts(with([](Landing &to) { reinterpret_cast<CopyBarrier *>(to.line)->arrive(); }),
              {"uses a barrier in shared memory that nobody has begun"});
  expectParts(with([](Landing &to) {
                to.full[0].arriveExpecting(16);
                to.full[0].arrive();
              }),
              {"one arrival more than the barrier expects, by thread (0, 0, 0)"});
  expectParts(with([](Landing &to) { to.full[0].begin(0); }), {"a barrier of 0 arrivals cannot begin at "});
}
} // namespace
