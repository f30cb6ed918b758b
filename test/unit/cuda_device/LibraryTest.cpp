// Products by cuBLASLt: the emulator's stand-in, and where it is installed the real library's names.
#include "compiler/Pipeline/Pipeline.h"
#include "runtime/hal/Remarks.h"
#include "runtime/hal/cuda/LibraryProducts.h"
#include "runtime/plan/Philox.h"
#include "test/emulator/EmulatedLibrary.h"
#include "test/unit/cuda_device/Fixture.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>

namespace sn::test {
namespace {
using namespace rt::cuda;

/// input -> 40 -> 24 -> 17, which reads both of them -> output. The products among the hidden layers may go to a
/// library; their gradients add in one product.
Network deep(const std::string &precision) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  const std::string text =
      R"({"Version": 0.7, "Name": "Deep", "Kind": "FeedForward", "ShuffleIndices": true, "Precision": ")" + precision +
      R"(",
    "Layers": [
      {"Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},
      {"Name": "First", "Kind": "Hidden", "Type": "FullyConnected", "N": 40, "Activation": "Tanh"},
      {"Name": "Second", "Kind": "Hidden", "Type": "FullyConnected", "N": 24, "Activation": "Sigmoid"},
      {"Name": "Third", "Kind": "Hidden", "Type": "FullyConnected", "N": 17, "Activation": "Tanh", "Source": ["First", "Second"]},
      {"Name": "Output", "Kind": "Output", "Type": "FullyConnected", "DataSet": "output", "N": "auto", "Activation": "Sigmoid", "Sparse": true}],
    "ErrorFunction": "CrossEntropy"})";
  sn::Compiled result = compileNetwork(context, frontend::readNetworkText(text, "a test"), {});
  return {std::move(result.plan), std::move(result.archive)};
}
const Network &deepNetwork() {
  static const Network made = deep("fp32");
  return made;
}
constexpr LibraryLimits kAll{1, 1, 1, 1};

std::unique_ptr<rt::Device> withLibrary(const Network &network, LibraryOpener open, const LibraryLimits &least = kAll) {
  return makeCudaDevice(network.archive, emulator::driverApi(), compiler(), 0, std::move(open), least);
}
/// As Job, on a device of one's own.
struct Training {
  Training(const Network &network, std::unique_ptr<rt::Device> device, const rt::Overrides &overrides)
      : session(network.archive, network.plan, std::move(device), 1), settings(rt::settle(session.plan(), overrides)),
        data(tastes(70, 60)), binding(bindingOf(data, data)),
        model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &binding, nullptr),
              session.workers()) {
    model.allocateStates(*settings.optimizer);
    model.initialize(settings.seed);
  }
  /// Two epochs; all parameters afterwards.
  std::vector<float> run() {
    rt::Trainer trainer(model, settings, binding);
    trainer.trainEpoch();
    loss = trainer.trainEpoch().training;
    std::vector<float> all;
    for (const plan::Parameter &parameter : session.plan().parameters)
      for (const float value : model.parameter(parameter.name))
        all.push_back(value);
    return all;
  }
  std::vector<std::string> remarks() { return dynamic_cast<const rt::Remarks &>(session.device()).remarks(); }
  rt::Session session;
  rt::Settings settings;
  std::shared_ptr<rt::DataSet> data;
  rt::Binding binding;
  rt::Model model;
  double loss = 0;
};
const rt::Overrides kTraining{.optimizer = "adam", .batch = 32}; // the last batch of an epoch has 6 rows

double largestDifference(const std::vector<float> &a, const std::vector<float> &b) {
  double most = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(double(a[i]) - double(b[i])));
  return most;
}
std::vector<float> onTheCpu(const Network &network) {
  return Training(network, rt::makeCpuDevice(network.archive, network.plan, 1), kTraining).run();
}

TEST(CudaLibrary, TrainsAsTheCpuDoes) {
  emulator::configureLibrary({});
  const int64_t graphs = emulator::driverCounters().graphLaunches;
  std::vector<float> bits;
  for (int time = 0; time < 2; ++time) {
    Training job(deepNetwork(), withLibrary(deepNetwork(), emulator::openLibrary), kTraining);
    const std::vector<float> values = job.run();
    EXPECT_LT(largestDifference(values, onTheCpu(deepNetwork())), 2e-5);
    if (time > 0)
      EXPECT_EQ(values, bits);
    bits = values;
    ASSERT_EQ(job.remarks().size(), 1u);
    EXPECT_HAS(job.remarks()[0], "cuBLASLt 13.1.0 computes the products of ");
    EXPECT_HAS(job.remarks()[0], "Third");
  }
  const emulator::LibraryCounters counters = emulator::libraryCounters();
  EXPECT_GT(counters.products, 2 * 2 * 3 * 4); // at least four products in each of three steps
  EXPECT_GT(counters.accumulated, 0);
  EXPECT_EQ(counters.tf32, 0);
  EXPECT_EQ(counters.alive, 0); // handles and descriptors
  EXPECT_GT(emulator::driverCounters().graphLaunches, graphs);
  // Our kernels: the same but for rounding.
  Training own(deepNetwork(), withLibrary(deepNetwork(), {}), kTraining);
  EXPECT_LT(largestDifference(own.run(), bits), 2e-5);
  EXPECT_EQ(emulator::libraryCounters().products, counters.products);
  EXPECT_TRUE(own.remarks().empty());
}

TEST(CudaLibrary, RoundsFactorsWhereThePlanSaysTf32) {
  emulator::configureLibrary({});
  const Network network = deep("tf32");
  Training job(network, withLibrary(network, emulator::openLibrary), kTraining);
  const std::vector<float> values = job.run(), exact = onTheCpu(network);
  EXPECT_GT(emulator::libraryCounters().tf32, 0);
  EXPECT_EQ(emulator::libraryCounters().tf32, emulator::libraryCounters().products);
  EXPECT_LT(largestDifference(values, exact), 5e-2);
  EXPECT_GT(largestDifference(values, exact), 0);
}

TEST(CudaLibrary, TakesWhatIsLargeEnoughAndExactEnough) {
  plan::Step step;
  step.kernel = "gemm";
  StepArgs args;
  args.maxRows = 256;
  args.columns = 1024;
  float memory = 0;
  Source one;
  one.x = &memory;
  one.inner = 1024;
  one.outer = 1024;
  std::vector<Source> sources = {one};
  plan::Precision storage = plan::Precision::Fp32;
  const auto count = [&](const LibraryLimits &least = {}) {
    return libraryProducts({step, args, sources, rt::Loader::CsrBinary, &kPlainVariant, nullptr, storage}, least)
        .size();
  };
  EXPECT_EQ(count(), 1u);
  step.precision = plan::Precision::Tf32;
  EXPECT_EQ(count(), 1u);
  sources[0].inner = 512;
  EXPECT_EQ(count(), 0u);
  step.precision = plan::Precision::Fp32;
  EXPECT_EQ(count(), 1u);
  sources.push_back(one);
  const std::vector<LibraryProduct> both = libraryProducts({step, args, sources}, {});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0], (LibraryProduct{256, 512, 1024, false, false, plan::Precision::Fp32}));
  EXPECT_EQ(both[1], (LibraryProduct{256, 1024, 1024, false, true, plan::Precision::Fp32}));
  sources[1].inner = 100; // one that is not worth it: none
  EXPECT_EQ(count(), 0u);
  sources = {one};
  for (const plan::Precision precision : {plan::Precision::Bf16x3, plan::Precision::Bf16}) {
    step.precision = precision;
    EXPECT_EQ(count(kAll), 0u);
  }
  step.precision = plan::Precision::Fp32;
  storage = plan::Precision::Bf16;
  EXPECT_EQ(count(kAll), 0u);
  storage = plan::Precision::Fp32;
  args.maxRows = 255;
  EXPECT_EQ(count(), 0u);
  args.maxRows = 256;
  args.columns = sources[0].outer = 511;
  EXPECT_EQ(count(), 0u);
  args.columns = sources[0].outer = 512;
  step.kernel = "gemm_update";
  EXPECT_EQ(count(), 0u);
}

TEST(CudaLibrary, WorkspaceIsCounted) {
  emulator::configureLibrary({.workspaceBytes = size_t(3) << 20});
  Training job(deepNetwork(), withLibrary(deepNetwork(), emulator::openLibrary), kTraining);
  const plan::Entry &entry = job.session.entry("train");
  rt::Memory memory = job.model.memory();
  for (const plan::Buffer &buffer : entry.buffers)
    memory.buffers[buffer.name] = nullptr;
  for (const char *name : {"input", "output"})
    memory.data[name] =
        job.session.device().place(rt::boundView(job.session.plan(), job.binding, name, job.model.extents(32)));
  const rt::WorkspaceNeed need = job.session.device().workspaceNeed(job.session.plan(), entry, job.settings.optimizer,
                                                                    memory, job.model.extents(32));
  EXPECT_GT(need.prepared, 3 << 20);
  EXPECT_TRUE(job.remarks().empty()); // nothing is to run yet
  rt::Trainer trainer(job.model, job.settings, job.binding);
  EXPECT_EQ(job.session.device().workspaceBytes(), need.prepared);
  emulator::configureLibrary({});
}

/// What a device says whose library is not to be had, or of no use; it trains to the same bits as one that was given
/// none.
std::string remarkWithout(const LibraryOpener &open) {
  static const std::vector<float> own = Training(deepNetwork(), withLibrary(deepNetwork(), {}), kTraining).run();
  Training job(deepNetwork(), withLibrary(deepNetwork(), open), kTraining);
  EXPECT_EQ(job.run(), own);
  EXPECT_EQ(job.remarks().size(), 1u);
  return job.remarks().empty() ? "" : job.remarks()[0];
}
TEST(CudaLibrary, ThatIsOfNoUseIsDoneWithout) {
  int asked = 0;
  const std::string said = remarkWithout([&] {
    ++asked;
    return OpenedLibrary{nullptr, "was not found"};
  });
  EXPECT_HAS(said, "cuBLASLt was not found; the plan's own kernels compute the products of ");
  EXPECT_EQ(asked, 1);
  emulator::configureLibrary({.started = cublas::kNotInitialized});
  EXPECT_HAS(remarkWithout(emulator::openLibrary),
             "cuBLASLt 13.1.0 does not start: CUBLAS_STATUS_NOT_INITIALIZED (1); the plan's own kernels");
  // Atomic sums, or such whose order is the order of arrival: whether or not the library keeps to what it was asked.
  for (const bool ignores : {false, true}) {
    emulator::configureLibrary({.schemes = {cublas::kInPlace}, .ignoresReductions = ignores});
    EXPECT_HAS(remarkWithout(emulator::openLibrary),
               "cuBLASLt has no algorithm with sums in a fixed order; the plan's");
    EXPECT_EQ(emulator::libraryCounters().products, 0);
    EXPECT_GT(emulator::libraryCounters().proposals, 0);
  }
  emulator::configureLibrary({});
  EXPECT_EQ(emulator::libraryCounters().alive, 0);
}
TEST(CudaLibrary, WithNothingToDoIsNotOpened) {
  const auto never = []() -> OpenedLibrary { throw std::logic_error("nobody needs it"); };
  Training job(deepNetwork(), withLibrary(deepNetwork(), never, {}), kTraining);
  job.run();
  EXPECT_TRUE(job.remarks().empty());
}
TEST(CudaLibrary, ThatBreaksDown) {
  emulator::configureLibrary({.multiplied = cublas::kExecutionFailed});
  Training job(deepNetwork(), withLibrary(deepNetwork(), emulator::openLibrary), kTraining);
  const std::string said = refusal([&] { job.run(); });
  EXPECT_HAS(said, "--device cuda: cuBLASLt 13.1.0: the product [32, ");
  EXPECT_HAS(said,
             "in fp32 failed: CUBLAS_STATUS_EXECUTION_FAILED (13); with SNRT_CUBLASLT=none the plan's own kernels");
  emulator::configureLibrary({.multiplied = cublas::kNotSupported}); // ours to blame
  EXPECT_THROW(Training(deepNetwork(), withLibrary(deepNetwork(), emulator::openLibrary), kTraining).run(),
               std::logic_error);
  emulator::configureLibrary({});
}

/// Products one by one, on memory of the emulated driver.
class Products : public testing::Test {
protected:
  Products() : context(emulator::driverApi(), 0), products(context, emulator::openLibrary, kAll) {
    emulator::configureLibrary({});
  }
  /// In device memory.
  DevicePointer upload(const std::vector<float> &values) {
    blocks.push_back(std::make_unique<DeviceBlock>(context));
    const int64_t bytes = static_cast<int64_t>(values.size() * sizeof(float));
    blocks.back()->reserve(bytes);
    context.copyIn(blocks.back()->at(), values.data(), bytes);
    context.synchronize();
    return blocks.back()->at();
  }
  std::vector<float> download(DevicePointer from, size_t count) {
    std::vector<float> values(count);
    context.copyOut(values.data(), from, static_cast<int64_t>(count * sizeof(float)));
    context.synchronize();
    return values;
  }
  static std::vector<float> drawn(int64_t count, uint64_t stream) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(plan::uniform({1, static_cast<uint32_t>(stream), 0}, static_cast<uint64_t>(i), 0) - 0.5f);
    return values;
  }
  std::optional<LibraryUse> choose(const std::vector<Source> &sources, int64_t rows, int64_t columns) {
    step.kernel = "gemm";
    step.label = "products";
    args.maxRows = rows;
    args.columns = columns;
    return products.choose({step, args, sources});
  }

  Context context;
  LibraryProducts products;
  std::vector<std::unique_ptr<DeviceBlock>> blocks;
  plan::Step step;
  StepArgs args;
};

TEST_F(Products, OfBothLayoutsOneUponTheOther) {
  const int64_t rows = 7, columns = 12, inner[] = {20, 9};
  std::vector<Source> sources(2);
  std::vector<std::vector<float>> x, e;
  for (size_t s = 0; s < 2; ++s) {
    x.push_back(drawn(rows * inner[s], s));
    e.push_back(drawn(inner[s] * columns, 10 + s));
    sources[s].x = reinterpret_cast<const float *>(upload(x[s]));
    sources[s].weights.value = reinterpret_cast<float *>(upload(e[s]));
    sources[s].inner = inner[s];
    sources[s].outer = columns;
    sources[s].outerFirst = s == 1;
  }
  const std::optional<LibraryUse> use = choose(sources, rows, columns);
  ASSERT_TRUE(use);
  EXPECT_EQ(use->workspaceBytes, 1 << 10);
  const DevicePointer result = upload(std::vector<float>(static_cast<size_t>(rows * columns), NAN));
  const DevicePointer workspace = upload(std::vector<float>(256));
  for (size_t s = 0; s < 2; ++s)
    products.multiply(use->products[s], sources[s].x, sources[s].weights.value, reinterpret_cast<float *>(result),
                      reinterpret_cast<void *>(workspace), 1 << 10);
  const std::vector<float> found = download(result, static_cast<size_t>(rows * columns));
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      double expected = 0;
      for (size_t s = 0; s < 2; ++s)
        for (int64_t i = 0; i < inner[s]; ++i)
          expected += double(x[s][r * inner[s] + i]) * e[s][s == 1 ? c * inner[s] + i : i * columns + c];
      ASSERT_NEAR(found[static_cast<size_t>(r * columns + c)], expected, 1e-6) << r << ", " << c;
    }
  // What it was not asked about, what is misplaced.
  LibraryProduct other = use->products[0];
  other.rows += 1;
  const auto give = [&](const LibraryProduct &product, const float *at, int64_t bytes) {
    products.multiply(product, at, sources[0].weights.value, reinterpret_cast<float *>(result),
                      reinterpret_cast<void *>(workspace), bytes);
  };
  EXPECT_THROW(give(other, sources[0].x, 1 << 10), std::logic_error);
  EXPECT_THROW(give(use->products[0], sources[0].x + 1, 1 << 10), std::logic_error);
  EXPECT_THROW(give(use->products[0], sources[0].x, 100), std::logic_error);
}

/// The stand-in has the codes of the real library for what is wrong.
TEST_F(Products, WrongArguments) {
  using namespace cublas;
  const LibraryApi &api = emulator::libraryApi();
  LibraryHandle library = nullptr;
  ASSERT_EQ(api.create(&library), kSuccess);
  LibraryOperationHandle operation = nullptr;
  EXPECT_EQ(api.operationCreate(&operation, 70, kFloat), kNotSupported); // CUBLAS_COMPUTE_64F
  ASSERT_EQ(api.operationCreate(&operation, kCompute32F, kFloat), kSuccess);
  int side = 5;
  EXPECT_EQ(api.operationSetAttribute(operation, kTransposeA, &side, sizeof side), kInvalidValue);
  side = kTransposed;
  EXPECT_EQ(api.operationSetAttribute(operation, kTransposeA, &side, 1), kInvalidValue);
  EXPECT_EQ(api.operationSetAttribute(operation, kTransposeA, &side, sizeof side), kSuccess);
  LibraryLayoutHandle a = nullptr, b = nullptr, d = nullptr, wrong = nullptr;
  EXPECT_EQ(api.layoutCreate(&a, kFloat, 8, 4, 7), kInvalidValue); // columns would overlap
  ASSERT_EQ(api.layoutCreate(&a, kFloat, 8, 4, 8), kSuccess);
  ASSERT_EQ(api.layoutCreate(&b, kFloat, 8, 3, 8), kSuccess);
  ASSERT_EQ(api.layoutCreate(&d, kFloat, 4, 3, 4), kSuccess);
  ASSERT_EQ(api.layoutCreate(&wrong, kFloat, 3, 4, 4), kSuccess);
  LibraryPreferenceHandle preference = nullptr;
  ASSERT_EQ(api.preferenceCreate(&preference), kSuccess);
  LibraryProposal proposals[4];
  int count = 0;
  const auto propose = [&](LibraryLayoutHandle result) {
    return api.propose(library, operation, a, b, result, result, preference, 4, proposals, &count);
  };
  EXPECT_EQ(propose(wrong), kInvalidValue);
  ASSERT_EQ(propose(d), kSuccess); // without workspace: uncut
  EXPECT_EQ(count, 1);
  const uint64_t tensorCores = kTensorCores | 0xff00 | 0xff0000;
  ASSERT_EQ(api.preferenceSetAttribute(preference, kImplementations, &tensorCores, sizeof tensorCores), kSuccess);
  EXPECT_EQ(propose(d), kNotSupported); // strict fp32 is none of theirs
  float *x = reinterpret_cast<float *>(upload(std::vector<float>(128, 1)));
  const float one = 1;
  float *result = x + 64;
  const auto multiply = [&](const void *left, LibraryLayoutHandle layout, const LibraryAlgorithm &algorithm) {
    return api.multiply(library, operation, &one, left, a, x, b, &one, result, layout, result, layout, &algorithm,
                        nullptr, 0, context.stream());
  };
  EXPECT_EQ(multiply(nullptr, d, proposals[0].algorithm), kInvalidValue);
  EXPECT_EQ(multiply(x + 1, d, proposals[0].algorithm), kInvalidValue); // less aligned than promised
  EXPECT_EQ(multiply(x, d, LibraryAlgorithm{}), kNotSupported);
  EXPECT_EQ(multiply(x, wrong, proposals[0].algorithm), kNotSupported);
  EXPECT_EQ(multiply(x + 32, d, proposals[0].algorithm), kInvalidValue);     // aligned to 128, not to 256
  EXPECT_EQ(multiply(x + 128, d, proposals[0].algorithm), kExecutionFailed); // beyond the memory
  EXPECT_EQ(multiply(x, d, proposals[0].algorithm), kSuccess);
  EXPECT_EQ(download(reinterpret_cast<DevicePointer>(result), 12),
            std::vector<float>(12, 9)); // 8 products of ones, upon one
  for (LibraryLayoutHandle layout : {a, b, d, wrong})
    EXPECT_EQ(api.layoutDestroy(layout), kSuccess);
  EXPECT_EQ(api.layoutDestroy(a), kInvalidValue);
  EXPECT_EQ(api.operationDestroy(operation), kSuccess);
  EXPECT_EQ(api.preferenceDestroy(preference), kSuccess);
  EXPECT_EQ(api.destroy(library), kSuccess);
}

/// A variable of the environment while it lives.
struct Variable {
  Variable(const char *name, const char *value) : name(name), before(std::getenv(name) ? std::getenv(name) : "") {
    setenv(name, value, 1);
  }
  ~Variable() { before.empty() ? unsetenv(name) : setenv(name, before.c_str(), 1); }
  const char *name;
  std::string before;
};
TEST(CudaLibraryFile, IsNamedOrTurnedOff) {
  {
    const Variable none("SNRT_CUBLASLT", "none");
    const OpenedLibrary off = systemLibrary();
    EXPECT_EQ(off.api, nullptr);
    EXPECT_EQ(off.reason, "is turned off by SNRT_CUBLASLT=none");
  }
  const Variable wrong("SNRT_CUBLASLT", "libm.so.6");
  EXPECT_HAS(refusal([] { systemLibrary(); }),
             "SNRT_CUBLASLT: 'libm.so.6' cannot be used: libm.so.6 has no cublasLtCreate; CUDA 12 or later is needed; "
             "name another library, or none");
  const Variable missing("SNRT_CUBLASLT", "/nowhere/libcublasLt.so.13");
  EXPECT_HAS(refusal([] { systemLibrary(); }), "SNRT_CUBLASLT: '/nowhere/libcublasLt.so.13' cannot be opened: ");
}
/// The installed library, if there is one, has every function of the table; without a device it does not start.
TEST(CudaLibraryFile, HasAllFunctions) {
  const Variable unset("SNRT_CUBLASLT", "");
  const OpenedLibrary opened = systemLibrary();
  if (!opened.api) {
    EXPECT_HAS(opened.reason, "was not found (no libcublasLt.so.13 or .so.12 where the system looks for libraries");
    GTEST_SKIP() << opened.reason;
  }
  EXPECT_GE(opened.api->getVersion(), 120000u);
  EXPECT_STREQ(opened.api->getStatusName(cublas::kNotSupported), "CUBLAS_STATUS_NOT_SUPPORTED");
  // Descriptors need no device.
  LibraryOperationHandle operation = nullptr;
  ASSERT_EQ(opened.api->operationCreate(&operation, cublas::kComputeTf32, cublas::kFloat), cublas::kSuccess);
  const int side = cublas::kTransposed;
  EXPECT_EQ(opened.api->operationSetAttribute(operation, cublas::kTransposeA, &side, sizeof side), cublas::kSuccess);
  EXPECT_EQ(opened.api->operationDestroy(operation), cublas::kSuccess);
  LibraryLayoutHandle layout = nullptr;
  ASSERT_EQ(opened.api->layoutCreate(&layout, cublas::kFloat, 8, 4, 8), cublas::kSuccess);
  EXPECT_EQ(opened.api->layoutDestroy(layout), cublas::kSuccess);
  LibraryPreferenceHandle preference = nullptr;
  ASSERT_EQ(opened.api->preferenceCreate(&preference), cublas::kSuccess);
  const auto prefer = [&](int attribute, auto value) {
    return opened.api->preferenceSetAttribute(preference, attribute, &value, sizeof value);
  };
  EXPECT_EQ(prefer(cublas::kMostWorkspace, size_t(1) << 20), cublas::kSuccess);
  EXPECT_EQ(prefer(cublas::kReductions, cublas::kInWorkspace), cublas::kSuccess);
  EXPECT_EQ(prefer(cublas::kAlignmentD, uint32_t(16)), cublas::kSuccess);
  EXPECT_EQ(prefer(cublas::kImplementations, ~cublas::kTensorCores), cublas::kSuccess);
  EXPECT_EQ(opened.api->preferenceDestroy(preference), cublas::kSuccess);
  LibraryHandle library = nullptr;
  const LibraryStatus started = opened.api->create(&library);
  if (started == cublas::kSuccess) { // a GPU is here: the emulated memory of a test is not for it
    EXPECT_EQ(opened.api->destroy(library), cublas::kSuccess);
    return;
  }
  EXPECT_HAS(remarkWithout(systemLibrary),
             " does not start: CUBLAS_STATUS_NOT_INITIALIZED (1); the plan's own kernels");
}
} // namespace
} // namespace sn::test
