#include "test/unit/cuda_device/Fixture.h"
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

namespace sn::test {
namespace {
double largestDifference(const std::vector<float> &a, const std::vector<float> &b) {
  double most = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(double(a[i]) - double(b[i])));
  return most;
}

/// Two epochs on both devices; reports, parameters and states agree.
void compare(const Network &network, const rt::Binding &data, const rt::Overrides &overrides) {
  Job host(network, false, data, overrides), device(network, true, data, overrides);
  rt::Trainer expected(host.model, host.settings, host.binding), actual(device.model, device.settings, device.binding);
  for (int epoch = 0; epoch < 2; ++epoch) {
    const rt::EpochReport one = expected.trainEpoch(), two = actual.trainEpoch();
    EXPECT_NEAR(two.training, one.training, 2e-5 * std::abs(one.training));
    EXPECT_NEAR(two.regularization, one.regularization, 2e-5 * std::abs(one.regularization));
  }
  for (const plan::Parameter &parameter : network.plan.parameters) {
    EXPECT_LT(largestDifference(host.model.parameter(parameter.name), device.model.parameter(parameter.name)), 2e-5)
        << parameter.name;
    for (size_t i = 0; i < host.settings.optimizer->states.size(); ++i)
      EXPECT_LT(largestDifference(host.model.state(parameter.name, i), device.model.state(parameter.name, i)), 2e-5)
          << parameter.name;
  }
  EXPECT_GT(emulator::driverCounters().launches, 2 * actual.stepsPerEpoch());
  for (const rt::StepProfile &step : actual.run().profile()) {
    EXPECT_EQ(step.launches, 2 * actual.stepsPerEpoch()) << step.label;
    EXPECT_GE(step.seconds, 0) << step.label;
  }
}

TEST(CudaTraining, AgreesWithTheCpu) {
  // The last batch of an epoch is smaller than the others.
  const auto data = tastes(70, 150, true);
  compare(autoencoder(), bindingOf(data, data), {.optimizer = "adam", .batch = 32});
}

TEST(CudaTraining, UntouchedFeaturesKeepTheirValuesWhereTheyMay) {
  const auto data = tastes(20, 90);
  for (double lambda : {0.0, 1e-3}) // with decay they move; under momentum they always may
    for (const char *optimizer : {"adagrad", "momentum"})
      compare(autoencoder(), bindingOf(data, data),
              {.optimizer = optimizer, .hyper = {{"Lambda", lambda}}, .batch = 3});
}

TEST(CudaTraining, AnalogIndexedWeightedAndDenseData) {
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
  const rt::Overrides overrides{.optimizer = "sgd", .batch = 16};
  compare(autoencoder(), bindingOf(indexed, dense), overrides);
  compare(autoencoder(), bindingOf(dense, indexed), overrides);
}

TEST(CudaTraining, SmallestExtents) {
  rt::DataSet nothing;
  nothing.name = "nothing";
  nothing.rows = 5;
  nothing.columns = 4;
  nothing.indptr.assign(6, 0);
  const auto empty = std::make_shared<rt::DataSet>(nothing), narrow = tastes(5, 1), some = tastes(5, 9);
  const rt::Overrides overrides{.optimizer = "adam", .batch = 1};
  compare(autoencoder(), bindingOf(empty, empty), overrides);
  compare(autoencoder(), bindingOf(narrow, some), overrides);
  compare(classifier(), bindingOf(some, narrow), overrides);
}

TEST(CudaTraining, Softmax) {
  const auto data = tastes(40, 300);
  compare(classifier(), bindingOf(data, data), {.optimizer = "adam", .batch = 40});
}

TEST(CudaTraining, EvaluatesAndRecommends) {
  const auto data = tastes(45, 120, true);
  Job host(autoencoder(), false, bindingOf(data, data), {.batch = 20}),
      device(autoencoder(), true, bindingOf(data, data), {.batch = 20});
  auto lossOf = [](Job &job) {
    rt::EntryRun run(job.model, "evaluate", job.binding, 20, nullptr);
    std::vector<int64_t> ids(20);
    std::iota(ids.begin(), ids.end(), 3);
    return run.run({20, ids.data(), 1, 0}, rt::stepScalars(job.settings, 1, 1, 1, 20)).reports.begin()->second;
  };
  const double loss = lossOf(host);
  EXPECT_NEAR(lossOf(device), loss, 1e-5 * std::abs(loss));

  rt::Recommender expected(host.model, host.settings, host.binding, ""),
      actual(device.model, device.settings, device.binding, "");
  std::vector<int64_t> rows(45);
  std::iota(rows.begin(), rows.end(), 0);
  const std::shared_ptr<rt::DataSet> wide = tastes(45, 120);
  for (const rt::DataSet *exclude : std::initializer_list<const rt::DataSet *>{nullptr, data.get(), wide.get()})
    for (int64_t k : {1, 10, 130}) { // more than there are columns: places stay empty
      std::vector<int32_t> columns(45 * static_cast<size_t>(k)), found = columns;
      std::vector<float> scores(columns.size()), foundScores = scores;
      expected.leaveOut(exclude);
      actual.leaveOut(exclude);
      expected.lists(rows, k, columns.data(), scores.data());
      actual.lists(rows, k, found.data(), foundScores.data());
      for (size_t i = 0; i < columns.size(); ++i) {
        EXPECT_EQ(columns[i] < 0, found[i] < 0) << i;
        if (columns[i] >= 0)
          ASSERT_NEAR(foundScores[i], scores[i], 1e-5) << "place " << i << " of lists of " << k;
      }
    }
}

TEST(CudaTraining, RefusesMoreEntriesThanItHasRoomFor) {
  rt::DataSet uneven;
  uneven.name = "uneven";
  uneven.rows = 4;
  uneven.columns = 30;
  uneven.indptr = {0, 30, 31, 32, 33};
  for (int32_t i = 0; i < 33; ++i)
    uneven.indices.push_back(i < 30 ? i : 0);
  const auto data = std::make_shared<rt::DataSet>(uneven);
  Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "sgd"});
  rt::EntryRun run(job.model, "train", job.binding, 4, job.settings.optimizer);
  const rt::StepScalars scalars = rt::stepScalars(job.settings, 1, 1, 1, 4);
  const std::vector<int64_t> each = {3, 0, 1, 2}, twice = {0, 0, 1, 2};
  run.run({4, each.data(), 1, 1}, scalars);
  EXPECT_THROW(run.run({4, twice.data(), 1, 1}, scalars), std::logic_error);
  EXPECT_THROW(run.run({5, twice.data(), 1, 1}, scalars), std::logic_error); // more rows than it was prepared for
}

TEST(CudaTraining, TheSameBitsInAnyOrderOfBlocks) {
  const auto data = tastes(50, 200);
  std::vector<float> first;
  for (uint64_t order : {0, 5}) {
    Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "adam", .batch = 32});
    rt::Trainer trainer(job.model, job.settings, job.binding);
    emulator::setOrder(order);
    trainer.trainEpoch();
    emulator::setOrder(0);
    const std::vector<float> now = job.model.parameter(autoencoder().plan.parameters.front().name);
    if (first.empty())
      first = now;
    EXPECT_EQ(first, now);
  }
}

TEST(CudaTraining, StepsPreparedOneByOneDoTheSame) {
  const auto data = tastes(24, 100);
  std::map<std::string, double, std::less<>> whole;
  std::vector<float> expected;
  const std::string weights = autoencoder().plan.parameters.front().name;
  std::vector<int64_t> ids(24);
  std::iota(ids.begin(), ids.end(), 0);
  for (bool apart : {false, true}) {
    Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "adam"});
    rt::Device &device = job.session->device();
    const rt::StepScalars scalars = rt::stepScalars(job.settings, 1, 1, 1, 24);
    rt::EntryRun run(job.model, "train", job.binding, 24, job.settings.optimizer);
    if (!apart) {
      whole = run.run({24, ids.data(), 1, 1}, scalars).reports;
      expected = job.model.parameter(weights);
      continue;
    }
    rt::Memory memory = job.model.memory();
    for (const plan::Buffer &buffer : run.entry().buffers) {
      int64_t count = 1;
      for (const plan::Dim &dim : buffer.dims)
        count *= dim.symbol == "B" ? 24 : job.model.extents(24).of(dim);
      memory.buffers[buffer.name] = device.allocate(count);
    }
    for (const char *name : {"input", "output"})
      memory.data[name] = run.view(name);
    rt::Launch launch;
    launch.batch = {24, ids.data(), 1, 1};
    launch.scalar = [&](std::string_view name) { return scalars(name); };
    double loss = 0;
    for (const plan::Step &step : run.entry().steps) {
      device.prepare(job.session->plan(), step, job.settings.optimizer, memory, job.model.extents(24))->launch(launch);
      loss += step.report.empty() ? 0 : launch.sum;
    }
    EXPECT_EQ(loss, whole.begin()->second);
    EXPECT_EQ(job.model.parameter(weights), expected);
  }
}

TEST(CudaTraining, WorkspaceIsWhatWasForeseen) {
  const auto data = tastes(60, 150);
  Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "adam", .batch = 32});
  const plan::Entry &entry = job.session->entry("train");
  rt::Memory memory = job.model.memory();
  for (const plan::Buffer &buffer : entry.buffers)
    memory.buffers[buffer.name] = nullptr;
  for (const char *name : {"input", "output"})
    memory.data[name] =
        job.session->device().place(rt::boundView(job.session->plan(), job.binding, name, job.model.extents(32)));
  const rt::WorkspaceNeed need = job.session->device().workspaceNeed(job.session->plan(), entry, job.settings.optimizer,
                                                                     memory, job.model.extents(32));
  rt::Trainer trainer(job.model, job.settings, job.binding);
  EXPECT_EQ(job.session->device().workspaceBytes(), need.prepared);
  EXPECT_EQ(need.running, 0);
  rt::Recommender lists(job.model, job.settings, job.binding, "");
  EXPECT_GT(
      job.session->device()
          .workspaceNeed(job.session->plan(), job.session->entry("predict"), nullptr, memory, job.model.extents(32))
          .running,
      0);
}
} // namespace
} // namespace sn::test
