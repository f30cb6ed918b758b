// Weights that the plan stores in BF16: device memory, training, weights files, what a run needs.
#include "runtime/hal/cuda/Bf16.h"
#include "compiler/Pipeline/Pipeline.h"
#include "runtime/exec/Needs.h"
#include "runtime/exec/Resume.h"
#include "runtime/hal/OwnMemory.h"
#include "test/unit/cuda_device/Fixture.h"
#include <cmath>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace sn::test {
namespace {
using rt::cuda::bf16Of;
using rt::cuda::floatOf;

bool isBf16(float value) { return floatOf(bf16Of(value)) == value; }

/// A shallow autoencoder of 12 hidden units, columns of its input weights limited to a norm.
const Network &narrow() {
  static const Network made = [] {
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    Compiled result =
        compileNetwork(context,
                       frontend::readNetworkText(R"({"Version": 0.7, "Name": "Narrow", "Precision": "bf16", "Layers": [
          {"Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},
          {"Name": "Hidden", "Kind": "Hidden", "N": 12, "Activation": "Sigmoid", "WeightNorm": 0.3},
          {"Name": "Output", "Kind": "Output", "DataSet": "output", "N": "auto", "Activation": "Sigmoid", "Sparse": true}],
        "ErrorFunction": "CrossEntropy"})",
                                                 "a test"),
                       {});
    return Network{std::move(result.plan), std::move(result.archive)};
  }();
  return made;
}

TEST(CudaBf16, TheNearestTiesToEven) {
  static_assert(bf16Of(1.0f) == 0x3f80 && floatOf(0x3f80) == 1.0f);
  static_assert(bf16Of(0x1.01p0f) == 0x3f80 && bf16Of(0x1.03p0f) == 0x3f82);              // ties
  static_assert(bf16Of(0x1.010002p0f) == 0x3f81 && bf16Of(-0x1.010002p0f) == 0xbf81);     // beyond one
  static_assert(bf16Of(0x1.fffffep127f) == 0x7f7f && bf16Of(-0x1.fffffep127f) == 0xff7f); // what is finite stays so
  static_assert(bf16Of(0x1p-149f) == 0 && bf16Of(-0x1p-149f) == 0x8000 && bf16Of(0x1p-133f) == 1); // denormals
  EXPECT_EQ(bf16Of(INFINITY), 0x7f80);
  EXPECT_EQ(bf16Of(-INFINITY), 0xff80);
  for (uint32_t bits : {0x7f800001u, 0xffffffffu, 0x7fc00000u})
    EXPECT_TRUE(std::isnan(floatOf(bf16Of(std::bit_cast<float>(bits))))) << bits;
}

TEST(CudaBf16, MemoryTakesTwoBytesAndItsPartsAreNamedByElements) {
  emulator::configure({});
  auto device = emulated(autoencoder().archive);
  const auto free = [&] { return dynamic_cast<rt::OwnMemory &>(*device).freeMemory(); };
  const int64_t before = free(), count = (1 << 20) + 7; // of which a few pass through host memory at a time
  float *memory = device->allocate(count, plan::Precision::Bf16);
  EXPECT_NEAR(static_cast<double>(before - free()), 2.0 * static_cast<double>(count), 4096);
  float *floats = device->allocate(64, plan::Precision::Fp32);

  std::vector<float> values(static_cast<size_t>(count)), back(values.size(), 7);
  device->download(back.data(), memory, count);
  EXPECT_EQ(back, values); // zeroed
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = std::sin(static_cast<float>(i));
  device->upload(memory, values.data(), count);
  device->upload(memory, 1000, values.data(), 3);
  device->upload(floats, 10, values.data() + 1, 3);
  device->download(back.data(), memory, count);
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(back[i], floatOf(bf16Of(values[i >= 1000 && i < 1003 ? i - 1000 : i]))) << i;
  device->download(back.data(), memory, 999, 5);
  EXPECT_EQ(back[0], floatOf(bf16Of(values[999])));
  EXPECT_EQ(back[2], floatOf(bf16Of(values[1])));
  EXPECT_EQ(back[4], floatOf(bf16Of(values[1003])));
  device->download(back.data(), floats, 9, 5);
  EXPECT_EQ(std::vector<float>(back.begin(), back.begin() + 5),
            (std::vector<float>{0, values[1], values[2], values[3], 0}));
}

/// Largest error and whether all values are numbers of BF16, of the weights and of the rest.
TEST(CudaBf16, WeightsAreNumbersOfBf16AndLearn) {
  const auto data = tastes(60, 150, true);
  const rt::Overrides overrides{.optimizer = "adam", .batch = 32};
  Job host(narrow(), false, bindingOf(data, data), overrides), device(narrow(), true, bindingOf(data, data), overrides);
  for (const plan::Parameter &parameter : narrow().plan.parameters) // the same draws, rounded to the nearest
    for (size_t i = 0; const float value : host.model.parameter(parameter.name))
      ASSERT_EQ(device.model.parameter(parameter.name)[i++],
                parameter.storage == plan::Precision::Bf16 ? floatOf(bf16Of(value)) : value);
  rt::Trainer expected(host.model, host.settings, host.binding), actual(device.model, device.settings, device.binding);
  const double first = expected.trainEpoch().training, start = actual.trainEpoch().training;
  EXPECT_NEAR(start, first, 0.01 * first);
  double last = 0, end = 0;
  for (int epoch = 0; epoch < 5; ++epoch) {
    last = expected.trainEpoch().training;
    end = actual.trainEpoch().training;
  }
  EXPECT_NEAR(end, last, 0.02 * last);
  EXPECT_LT(end, 0.98 * start);
  int stored = 0;
  for (const plan::Parameter &parameter : narrow().plan.parameters) {
    const std::vector<float> values = device.model.parameter(parameter.name);
    const bool all = std::all_of(values.begin(), values.end(), isBf16);
    EXPECT_EQ(all, parameter.storage == plan::Precision::Bf16) << parameter.name;
    stored += all;
    const std::vector<float> states = device.model.state(parameter.name, 0);
    EXPECT_FALSE(std::all_of(states.begin(), states.end(), isBf16)) << parameter.name; // always floats
  }
  EXPECT_EQ(stored, 2);
}

TEST(CudaBf16, TheSameBitsInAnyOrderOfBlocks) {
  const auto data = tastes(50, 200);
  std::map<std::string, std::vector<float>> first;
  for (uint64_t order : {0, 5}) {
    Job job(narrow(), true, bindingOf(data, data), {.optimizer = "adam", .batch = 32});
    rt::Trainer trainer(job.model, job.settings, job.binding);
    emulator::setOrder(order);
    trainer.trainEpoch();
    emulator::setOrder(0);
    for (const plan::Parameter &parameter : narrow().plan.parameters)
      if (order == 0)
        first[parameter.name] = job.model.parameter(parameter.name);
      else
        EXPECT_EQ(first.at(parameter.name), job.model.parameter(parameter.name)) << parameter.name;
  }
}

/// Values and states after so many steps.
std::vector<std::vector<float>> contentOf(const Job &job) {
  std::vector<std::vector<float>> all;
  for (const plan::Parameter &parameter : narrow().plan.parameters) {
    all.push_back(job.model.parameter(parameter.name));
    for (size_t i = 0; i < job.settings.optimizer->states.size(); ++i)
      all.push_back(job.model.state(parameter.name, i));
  }
  return all;
}
void train(rt::Trainer &trainer, int64_t steps) {
  while (steps > 0)
    if (trainer.runEpoch([&](const rt::BatchReport &) { return --steps > 0; }))
      trainer.closeEpoch();
}
/// The random numbers of a step are those of the run's step, not of the process.
TEST(CudaBf16, ResumedTrainingHasTheBitsOfOneThatRanThrough) {
  const auto data = tastes(60, 120);
  const rt::Overrides overrides{.optimizer = "adam", .batch = 20};
  const auto job = [&] { return std::make_unique<Job>(narrow(), true, bindingOf(data, data), overrides); };
  const std::unique_ptr<Job> through = job(), begun = job(), resumed = job(), apart = job();
  rt::Trainer one(through->model, through->settings, through->binding);
  train(one, 4);

  const std::string path =
      (std::filesystem::temp_directory_path() / ("sn-bf16-" + std::to_string(::getpid()) + ".h5")).string();
  rt::Trainer two(begun->model, begun->settings, begun->binding);
  train(two, 2);
  begun->session->save(
      begun->model, begun->session->header(begun->model, begun->settings, two.position(), begun->binding, two.sums()),
      path, true);
  const rt::CheckpointReader weights(path);
  std::filesystem::remove(path); // the reader has it open
  const rt::Start start = rt::resumeFrom(resumed->session->plan(), weights, {});
  resumed->model.load(weights, true);
  EXPECT_EQ(contentOf(*resumed), contentOf(*begun)); // the file holds the numbers of BF16 as they are
  rt::Trainer three(resumed->model, start.settings, resumed->binding);
  three.resume(start.position, start.sums);
  EXPECT_EQ(three.position().step, 2);
  train(three, 2);
  EXPECT_EQ(contentOf(*resumed), contentOf(*through));

  // The same start at another step is rounded otherwise.
  apart->model.load(weights, true);
  rt::Trainer four(apart->model, start.settings, apart->binding);
  rt::Position later = start.position;
  later.step += 100;
  four.resume(later, start.sums);
  train(four, 2);
  EXPECT_NE(contentOf(*apart), contentOf(*through));
}

TEST(CudaBf16, NeedsCountWhatTheDeviceStores) {
  const auto data = tastes(60, 120);
  const rt::Overrides overrides{.optimizer = "sgd", .batch = 20};
  for (bool cuda : {false, true}) {
    Job job(narrow(), cuda, bindingOf(data, data), overrides);
    rt::Forecast forecast(job.session->plan(), job.session->device(), job.model.symbols());
    const int64_t weights = 2 * 12 * 120, biases = 12 + 120;
    EXPECT_EQ(forecast.needs(20, job.settings.optimizer).parameters, weights * (cuda ? 2 : 4) + biases * 4);
    EXPECT_EQ(job.model.parameterBytes(), (weights + biases) * 4); // in a weights file
  }
}
} // namespace
} // namespace sn::test
