#include "test/unit/cuda_device/Fixture.h"
#include "compiler/Pipeline/Pipeline.h"
#include "runtime/plan/Philox.h"
#include "test/emulator/EmulatedCompiler.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
Network compiled(const std::string &json) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  Compiled result = compileNetwork(context, frontend::readNetworkText(json, "a test"), {});
  return {std::move(result.plan), std::move(result.archive)};
}
std::string network(const std::string &activation, const std::string &error) {
  return R"({"Version": 0.7, "Name": "Small", "Kind": "FeedForward", "ShuffleIndices": true, "Denoising": {"p": 0.2},
    "Layers": [
      {"Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},
      {"Name": "Hidden", "Kind": "Hidden", "Type": "FullyConnected", "N": 12, "Activation": "Sigmoid", "pDropout": 0.1},
      {"Name": "Output", "Kind": "Output", "Type": "FullyConnected", "DataSet": "output", "N": "auto", "Activation": ")" +
         activation + R"(", "Sparse": true}],
    "ErrorFunction": ")" +
         error + R"("})";
}
/// A test during which a kernel wrote where it must not has failed.
struct NoFaults final : testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo &) override { EXPECT_EQ(emulator::lastFault(), ""); }
};
[[maybe_unused]] const bool watched = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new NoFaults);
  return true;
}();
} // namespace

const Network &autoencoder() {
  static const Network made = compiled(network("Sigmoid", "CrossEntropy"));
  return made;
}
const Network &classifier() {
  static const Network made = compiled(network("SoftMax", "CrossEntropy"));
  return made;
}

std::shared_ptr<rt::DataSet> tastes(int64_t rows, int64_t columns, bool gaps, bool values) {
  auto set = std::make_shared<rt::DataSet>();
  set->name = "made";
  set->rows = rows;
  set->columns = columns;
  set->loader = values ? rt::Loader::CsrAnalog : rt::Loader::CsrBinary;
  set->indptr = {0};
  const plan::RandomPoint at{7, 5, 0};
  for (int64_t r = 0; r < rows; ++r) {
    for (int32_t c = 0; c < columns && !(gaps && r % 5 == 4); ++c) {
      const float draw = plan::uniform(at, static_cast<uint64_t>(r), static_cast<uint64_t>(c));
      if (draw >= ((c < columns / 2) == (r % 2 == 0) ? 0.3f : 0.02f))
        continue;
      set->indices.push_back(c);
      if (values)
        set->values.push_back(1 + draw);
    }
    set->indptr.push_back(static_cast<int64_t>(set->indices.size()));
  }
  return set;
}

rt::Binding bindingOf(std::shared_ptr<const rt::DataSet> input, std::shared_ptr<const rt::DataSet> output) {
  rt::Binding binding{"made.h5", {}, input->rows};
  binding.sets = {{"input", std::move(input)}, {"output", std::move(output)}};
  return binding;
}

std::shared_ptr<rt::cuda::KernelCompiler> compiler() {
  static const std::shared_ptr<rt::cuda::KernelCompiler> one = emulator::makeCompiler();
  return one;
}
std::unique_ptr<rt::Device> emulated(const plan::Archive &archive) {
  return rt::cuda::makeCudaDevice(archive, emulator::driverApi(), compiler());
}

Job::Job(const Network &network, bool cuda, rt::Binding data, const rt::Overrides &overrides)
    : session(std::make_unique<rt::Session>(
          network.archive, network.plan,
          cuda ? emulated(network.archive) : rt::makeCpuDevice(network.archive, network.plan, 1), 1)),
      settings(rt::settle(session->plan(), overrides)), binding(std::move(data)),
      model(session->plan(), session->device(), rt::resolveSymbols(session->plan(), &binding, nullptr),
            session->workers()) {
  model.allocateStates(*settings.optimizer);
  model.initialize(settings.seed);
}

std::string refusal(const std::function<void()> &call) {
  try {
    call();
  } catch (const UserError &error) {
    return error.what();
  }
  return "";
}
} // namespace sn::test
