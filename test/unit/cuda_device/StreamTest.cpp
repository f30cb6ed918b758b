// Data that do not fit on the device: batches cross while the one before is computed, with the same bits.
#include "test/unit/cuda_device/Fixture.h"
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

namespace sn::test {
namespace {
std::vector<float> everything(const Job &job) {
  std::vector<float> all;
  for (const plan::Parameter &parameter : job.session->plan().parameters) {
    const std::vector<float> one = job.model.parameter(parameter.name);
    all.insert(all.end(), one.begin(), one.end());
    for (size_t i = 0; i < job.settings.optimizer->states.size(); ++i) {
      const std::vector<float> state = job.model.state(parameter.name, i);
      all.insert(all.end(), state.begin(), state.end());
    }
  }
  return all;
}

/// Trains on resident and on streamed data.
void compare(rt::Binding data, const rt::Overrides &overrides) {
  std::vector<std::vector<float>> results;
  for (const bool streamed : {false, true}) {
    emulator::configure({});
    data.toDevice = streamed;
    Job job(autoencoder(), true, data, overrides);
    rt::Trainer trainer(job.model, job.settings, job.binding);
    for (int epoch = 0; epoch < 3; ++epoch)
      EXPECT_TRUE(std::isfinite(trainer.trainEpoch().training));
    results.push_back(everything(job));
    EXPECT_GT(emulator::driverCounters().graphLaunches, 0);
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(CudaStream, TrainsToTheSameBits) {
  const auto data = tastes(70, 150, true);
  compare(bindingOf(data, data), {.optimizer = "adam", .batch = 32});
}

TEST(CudaStream, AnalogIndexedWeightedAndDenseData) {
  const auto sparse = tastes(40, 80, true, true);
  auto indexed = std::make_shared<rt::DataSet>(*sparse);
  indexed->rows = 50;
  for (int32_t i = 0; i < 50; ++i) {
    indexed->index.push_back((7 * i) % 40);
    indexed->weights.push_back(0.5f + 0.01f * static_cast<float>(i));
  }
  auto dense = std::make_shared<rt::DataSet>();
  dense->loader = rt::Loader::Dense;
  dense->rows = 50;
  dense->columns = 70;
  for (int i = 0; i < 50 * 70; ++i)
    dense->values.push_back(static_cast<float>(i % 9) / 9);
  compare(bindingOf(indexed, dense), {.optimizer = "sgd", .batch = 16});
  compare(bindingOf(dense, indexed), {.optimizer = "momentum", .batch = 16});
}

TEST(CudaStream, TakesTheMemoryOfTwoBatches) {
  const auto data = tastes(3000, 150, false);
  std::vector<int64_t> peaks;
  for (const bool streamed : {false, true}) {
    emulator::configure({});
    rt::Binding binding = bindingOf(data, data);
    binding.toDevice = streamed;
    Job job(autoencoder(), true, binding, {.optimizer = "sgd", .batch = 16});
    rt::Trainer trainer(job.model, job.settings, job.binding);
    trainer.runEpoch([&](const rt::BatchReport &) { return trainer.position().step < 3; });
    peaks.push_back(static_cast<int64_t>(emulator::driverCounters().peakBytes));
  }
  EXPECT_LT(peaks[1], peaks[0] - rt::bytesOf(*data) * 3 / 4); // what stays are places, 4 bytes for each example
}

TEST(CudaStream, ListsLeaveTheSameOut) {
  const auto data = tastes(45, 120, true);
  std::vector<int64_t> rows(45);
  std::iota(rows.begin(), rows.end(), 0);
  for (const rt::DataSet *exclude : std::initializer_list<const rt::DataSet *>{nullptr, data.get()}) {
    std::vector<std::vector<int32_t>> columns;
    for (const bool streamed : {false, true}) {
      rt::Binding binding = bindingOf(data, data);
      binding.toDevice = streamed;
      Job job(autoencoder(), true, binding, {.batch = 20});
      rt::Recommender recommender(job.model, job.settings, job.binding, "");
      recommender.leaveOut(exclude);
      std::vector<float> scores(450);
      recommender.lists(rows, 10, columns.emplace_back(450).data(), scores.data());
    }
    EXPECT_EQ(columns[0], columns[1]);
  }
}
} // namespace
} // namespace sn::test
