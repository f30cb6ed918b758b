// Runs of an entry that are recorded and replayed, beside the same runs with every launch given anew.
#include "runtime/hal/StepTiming.h"
#include "runtime/plan/Cost.h"
#include "test/unit/cuda_device/Fixture.h"
#include <gtest/gtest.h>
#include <numeric>

namespace sn::test {
namespace {
void timeSteps(Job &job, bool on) { dynamic_cast<rt::StepTiming &>(job.session->device()).timeSteps(on); }

/// All parameters and states.
std::vector<float> everything(const Job &job) {
  std::vector<float> all;
  for (const plan::Parameter &parameter : job.session->plan().parameters) {
    std::vector<std::vector<float>> parts = {job.model.parameter(parameter.name)};
    for (size_t i = 0; i < job.settings.optimizer->states.size(); ++i)
      parts.push_back(job.model.state(parameter.name, i));
    for (const std::vector<float> &part : parts)
      all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// Batches of an entry, one after another.
class Batches {
public:
  Batches(Job &job, const std::string &entry, int64_t maxRows)
      : job(job), entry(job.model, entry, job.binding, maxRows, job.settings.optimizer) {}
  /// The next `rows` examples; the loss.
  double run(int64_t rows, const rt::Settings &settings) {
    std::vector<int64_t> ids(static_cast<size_t>(rows));
    std::iota(ids.begin(), ids.end(), (7 * step) % 20);
    ++step;
    const rt::Batch batch{rows, ids.data(), 3, static_cast<uint32_t>(step)};
    return entry.run(batch, rt::stepScalars(settings, step, 1, 1, rows)).reports.begin()->second;
  }
  double run(int64_t rows) { return run(rows, job.settings); }
  /// What `count` further runs cost the driver.
  emulator::DriverCounters cost(int64_t rows, int count) {
    const emulator::DriverCounters before = emulator::driverCounters();
    for (int i = 0; i < count; ++i)
      run(rows);
    emulator::DriverCounters now = emulator::driverCounters();
    now.calls -= before.calls;
    now.launches -= before.launches;
    now.graphs -= before.graphs;
    now.graphLaunches -= before.graphLaunches;
    return now;
  }
  const std::vector<rt::StepProfile> &profile() const { return entry.profile(); }

private:
  Job &job;
  rt::EntryRun entry;
  int64_t step = 0;
};

TEST(CudaGraph, ARunIsOneCallAndAWait) {
  const auto data = tastes(40, 100);
  Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "adam"});
  Batches train(job, "train", 16);
  const emulator::DriverCounters plain = train.cost(16, 1), recording = train.cost(16, 1), replay = train.cost(16, 3);
  EXPECT_EQ(plain.graphs + plain.graphLaunches, 0);
  EXPECT_GT(plain.launches, 4);
  EXPECT_GT(plain.calls, plain.launches + 2); // a copy in, one out, a wait
  EXPECT_EQ(recording.graphs, 1);
  EXPECT_EQ(recording.launches, plain.launches);
  EXPECT_EQ(replay.graphs, 0);
  EXPECT_EQ(replay.graphLaunches, 3);
  EXPECT_EQ(replay.launches, 3 * plain.launches);
  EXPECT_EQ(replay.calls, 3 * 2);
  const emulator::DriverCounters smaller = train.cost(5, 2); // as the last batch of an epoch
  EXPECT_EQ(smaller.graphs, 0);
  EXPECT_EQ(smaller.calls, 2 * 2);
  for (const rt::StepProfile &step : train.profile())
    EXPECT_EQ(step.seconds, 0) << step.label; // nobody asked
}

TEST(CudaGraph, StepsThatAreTimedAreNotRecorded) {
  const auto data = tastes(40, 100);
  Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "adam"});
  timeSteps(job, true);
  Batches train(job, "train", 16);
  EXPECT_EQ(train.cost(16, 4).graphs, 0);
  for (const rt::StepProfile &step : train.profile()) {
    EXPECT_EQ(step.launches, 4) << step.label;
    EXPECT_GT(step.seconds, 0) << step.label;
  }
  timeSteps(job, false);
  EXPECT_EQ(train.cost(16, 3).graphLaunches, 2);
}

/// Everything that a recording holds changes while it is in use: which features are touched, the length of lists, what
/// they leave out, the workspace's place. The losses, lists, parameters and states that come of it.
struct Result {
  std::vector<double> losses;
  std::vector<float> scores, values;
  int64_t graphs = 0, graphLaunches = 0;
};
Result changing(bool recorded) {
  const auto data = tastes(40, 120, true);
  Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "adagrad", .batch = 12});
  timeSteps(job, !recorded);
  rt::Settings idle = job.settings, moving = job.settings;
  for (const char *name : {"Lambda", "Lambda1"})
    idle.hyper[name] = 0;
  moving.hyper["Lambda"] = 1e-2;
  EXPECT_TRUE(plan::keepsUntouched(*job.settings.optimizer, idle.hyper));
  EXPECT_FALSE(plan::keepsUntouched(*job.settings.optimizer, moving.hyper));
  Result result;
  const emulator::DriverCounters before = emulator::driverCounters();
  rt::Recommender recommender(job.model, job.settings, job.binding, "");
  Batches train(job, "train", 12);
  auto lists = [&](int64_t k, const rt::DataSet *exclude) {
    std::vector<int64_t> rows(40);
    std::iota(rows.begin(), rows.end(), 0);
    std::vector<int32_t> columns(rows.size() * static_cast<size_t>(k));
    std::vector<float> scores(columns.size());
    recommender.leaveOut(exclude);
    recommender.lists(rows, k, columns.data(), scores.data());
    result.scores.insert(result.scores.end(), scores.begin(), scores.end());
    result.scores.insert(result.scores.end(), columns.begin(), columns.end());
  };
  for (int round = 0; round < 2; ++round) {
    for (const rt::Settings *settings : {&idle, &idle, &moving, &idle, &moving, &moving})
      for (int64_t rows : {12, 5, 12})
        result.losses.push_back(train.run(rows, *settings));
    lists(3, nullptr);
    lists(60, data.get()); // the workspace may move
    lists(60, nullptr);
    Batches larger(job, "train", 40 - 20 * round); // it may move again
    for (int i = 0; i < 3; ++i)
      result.losses.push_back(larger.run(18));
  }
  result.values = everything(job);
  result.graphs = emulator::driverCounters().graphs - before.graphs;
  result.graphLaunches = emulator::driverCounters().graphLaunches - before.graphLaunches;
  return result;
}
TEST(CudaGraph, TheSameBitsWhateverChanges) {
  const Result plain = changing(false), recorded = changing(true);
  EXPECT_EQ(plain.losses, recorded.losses);
  EXPECT_EQ(plain.scores, recorded.scores);
  EXPECT_EQ(plain.values, recorded.values);
  EXPECT_EQ(plain.graphs + plain.graphLaunches, 0);
  EXPECT_GE(recorded.graphs, 4); // two ways to train, lists, the larger batches
  EXPECT_GT(recorded.graphLaunches, 2 * recorded.graphs);
}

TEST(CudaGraph, ARecordingFollowsTheWorkspace) {
  const auto data = tastes(40, 100);
  Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "adam"});
  Batches train(job, "train", 4);
  EXPECT_EQ(train.cost(4, 3).graphs, 1);
  const int64_t before = job.session->device().workspaceBytes();
  Batches larger(job, "train", 40);
  ASSERT_GT(job.session->device().workspaceBytes(), before);
  const emulator::DriverCounters anew = train.cost(4, 3);
  EXPECT_EQ(anew.graphs, 1);
  EXPECT_EQ(anew.graphLaunches, 2);
}

/// The emulated driver, which copies nothing from the device while a stream is captured if `broken`.
bool broken = false, capturing = false;
const rt::cuda::DriverApi &fragileDriver() {
  static rt::cuda::DriverApi api = [] {
    rt::cuda::DriverApi made = emulator::driverApi();
    made.streamBeginCapture = [](rt::cuda::StreamHandle stream, int mode) {
      capturing = true;
      return emulator::driverApi().streamBeginCapture(stream, mode);
    };
    made.streamEndCapture = [](rt::cuda::StreamHandle stream, rt::cuda::GraphHandle *graph) {
      capturing = false;
      return emulator::driverApi().streamEndCapture(stream, graph);
    };
    made.memcpyDtoHAsync = [](void *to, rt::cuda::DevicePointer from, size_t bytes, rt::cuda::StreamHandle stream) {
      return broken && capturing ? 46 : emulator::driverApi().memcpyDtoHAsync(to, from, bytes, stream);
    };
    return made;
  }();
  return api;
}
TEST(CudaGraph, WhatCannotBeRecordedLeavesTheStreamAsItWas) {
  const auto data = tastes(40, 100);
  const Network &network = autoencoder();
  Job job(network, true, bindingOf(data, data), {.optimizer = "adam"});
  rt::Session session(network.archive, network.plan,
                      rt::cuda::makeCudaDevice(network.archive, fragileDriver(), compiler()), 1);
  rt::Model model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &job.binding, nullptr),
                  session.workers());
  model.initialize(1);
  rt::EntryRun run(model, "evaluate", job.binding, 8, nullptr);
  const std::vector<int64_t> ids = {1, 2, 3};
  auto loss = [&] {
    return run.run({3, ids.data(), 1, 0}, rt::stepScalars(job.settings, 1, 1, 1, 3)).reports.begin()->second;
  };
  const double before = loss();
  broken = true;
  EXPECT_HAS(refusal([&] { loss(); }), "--device cuda: copying from the device failed: ");
  broken = false;
  EXPECT_FALSE(capturing);
  EXPECT_EQ(loss(), before); // recorded now
  EXPECT_EQ(loss(), before);
}
} // namespace
} // namespace sn::test
