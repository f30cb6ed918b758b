// Rows that come batch by batch: the same bits as from memory, errors where they belong.
#include "runtime/data/StoredRows.h"
#include "runtime/exec/DataWay.h"
#include "runtime/exec/Recommender.h"
#include "runtime/plan/Philox.h"
#include "test/unit/exec/Networks.h"
#include <chrono>
#include <gtest/gtest.h>
#include <numeric>
#include <thread>

namespace sn::rt {
namespace {
using namespace sn::test;

/// A model on streamed or resident data.
struct Job {
  Job(plan::Plan plan, std::map<std::string, std::shared_ptr<const DataSet>> sets, bool streamed, Overrides overrides)
      : session(sessionOf(std::move(plan), 2)), settings(settle(session->plan(), overrides)),
        binding(bindingOf(std::move(sets))),
        model(session->plan(), session->device(), resolveSymbols(session->plan(), &binding, nullptr),
              session->workers()) {
    binding.toDevice = streamed;
    model.allocateStates(*settings.optimizer);
    model.initialize(settings.seed);
  }
  std::vector<float> weights() const {
    std::vector<float> all;
    for (const plan::Parameter &parameter : session->plan().parameters) {
      const std::vector<float> one = model.parameter(parameter.name);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }
  std::unique_ptr<Session> session;
  Settings settings;
  Binding binding;
  Model model;
};

/// Of every kind: binary, analog, dense; indexed and weighted where `dealt`.
std::shared_ptr<DataSet> ofKind(Loader kind, bool dealt) {
  std::shared_ptr<DataSet> data = tastes(150, 40, 1);
  uint64_t at = 0;
  auto random = [&] { return static_cast<float>(plan::randomWord({3, 1, 0}, at++, 0)) * 0x1p-32f; };
  if (kind == Loader::CsrAnalog)
    for (size_t i = 0; i < data->indices.size(); ++i)
      data->values.push_back(random());
  if (kind == Loader::Dense) {
    data->values.resize(static_cast<size_t>(data->rows * data->columns));
    for (float &value : data->values)
      value = random();
    data->indices.clear();
    data->indptr.clear();
  }
  data->loader = kind;
  if (!dealt)
    return data;
  for (int64_t example = 0; example < 210; ++example) {
    data->index.push_back(static_cast<int32_t>((example * 7) % 150));
    data->weights.push_back(0.5f + random());
  }
  data->rows = 210;
  return data;
}

TEST(Streamed, TrainsToTheSameBits) {
  for (const Loader kind : {Loader::CsrBinary, Loader::CsrAnalog, Loader::Dense})
    for (const bool dealt : {false, true})
      for (const plan::Plan &plan : {oneLayerPlan(), twoLayerPlan()}) {
        SCOPED_TRACE(fmt::format("{} {} {}", int(kind), dealt, plan.network));
        const std::shared_ptr<DataSet> input = ofKind(kind, dealt), output = ofKind(Loader::CsrBinary, dealt);
        std::vector<std::vector<float>> weights;
        std::vector<double> losses;
        for (const bool streamed : {false, true}) {
          Job job(plan, {{"input", input}, {"output", output}}, streamed, {.batch = 32});
          Trainer trainer(job.model, job.settings, job.binding);
          for (int epoch = 0; epoch < 3; ++epoch)
            losses.push_back(trainer.trainEpoch().training);
          weights.push_back(job.weights());
        }
        EXPECT_EQ(weights[0], weights[1]);
        for (size_t epoch = 0; epoch < 3; ++epoch)
          EXPECT_EQ(losses[epoch], losses[epoch + 3]);
      }
}

TEST(Streamed, ListsAreTheSame) {
  const std::shared_ptr<DataSet> data = ofKind(Loader::CsrBinary, false);
  const std::vector<int64_t> rows = {149, 3, 3, 77, 0, 12, 3, 90, 91, 5, 148};
  for (const bool leave : {false, true}) {
    std::vector<std::vector<int32_t>> columns;
    for (const bool streamed : {false, true}) {
      Job job(twoLayerPlan(), {{"input", data}, {"output", data}}, streamed, {.batch = 4});
      Recommender recommender(job.model, job.settings, job.binding, "");
      if (leave)
        recommender.leaveOut(data.get());
      std::vector<float> scores(rows.size() * 5);
      recommender.lists(rows, 5, columns.emplace_back(rows.size() * 5).data(), scores.data(), {1, 2});
      recommender.lists({1, 2}, 5, columns.back().data(), scores.data());
    }
    EXPECT_EQ(columns[0], columns[1]);
  }
}

/// Rows of a data set, counted; reading example `broken` fails.
class Counting final : public RowSource {
public:
  explicit Counting(const DataSet &data) : below(rowsInMemory(data)) {}
  void read(const int64_t *rows, int64_t count, int32_t *indices, float *values, int64_t *lengths) override {
    if (std::count(rows, rows + count, broken) > 0)
      userError("row {} is broken", broken);
    ++reads;
    reader = std::this_thread::get_id();
    below->read(rows, count, indices, values, lengths);
  }
  std::shared_ptr<RowSource> below;
  int64_t broken = -1;
  std::atomic<int> reads = 0;
  std::thread::id reader;
};

struct Fed {
  Fed() : whole(ofKind(Loader::CsrAnalog, false)), source(std::make_shared<Counting>(*whole)) {
    data.loader = whole->loader;
    data.rows = whole->rows;
    data.columns = whole->columns;
    data.indptr = whole->indptr;
    data.rowsFrom = source;
  }
  std::shared_ptr<DataSet> whole;
  DataSet data;
  std::shared_ptr<Counting> source;
  std::unique_ptr<Session> session = sessionOf(oneLayerPlan(), 1);
};

TEST(Streamed, SaysWhichWayAndWhatItCosts) {
  DataWay way;
  EXPECT_EQ(way.text(), "data in memory");
  way.batchBytes = 3 << 20;
  way.why = "so";
  way.streaming = {false, true};
  EXPECT_EQ(way.text(), "data streamed from memory to the device, up to 3.0 MiB a batch: so");
  way.streaming = {true, true};
  EXPECT_EQ(way.text(), "data streamed from the file to the device, up to 3.0 MiB a batch: so");
  EXPECT_EQ(nlohmann::json(way),
            (nlohmann::json{{"from", "file"}, {"streamed", true}, {"batch_bytes", 3 << 20}, {"why", "so"}}));

  auto data = std::make_shared<DataSet>();
  data->name = "input";
  data->rows = 100000;
  data->chunks = 10;
  const std::shared_ptr<DataSet> whole = ofKind(Loader::CsrBinary, false);
  data->rowsFrom = rowsInMemory(*whole);
  Settings settings;
  settings.batch = 1000;
  settings.shuffle = true;
  const Binding binding = bindingOf({{"input", data}, {"output", data}});
  ASSERT_EQ(readingNotes(binding, settings).size(), 1u);
  EXPECT_NE(readingNotes(binding, settings)[0].find("'input' lies in 10 chunks, and a shuffled epoch reads and unpacks "
                                                    "it about 100 times; stored in one piece (h5repack -l CONTI), its "
                                                    "rows are read one by one"),
            std::string::npos);
  settings.shuffle = false;
  EXPECT_TRUE(readingNotes(binding, settings).empty());
}

TEST(RowFeed, FetchesOneBatchAheadOnItsOwnThread) {
  Fed fed;
  RowFeed feed(fed.session->device(), 8);
  const DataView view = feed.add(fed.data, viewOf(fed.data, 40)), again = feed.add(fed.data, viewOf(fed.data, 44));
  EXPECT_EQ(again.indices, view.indices);
  EXPECT_EQ(again.columns, 44);
  auto expectRows = [&](const std::vector<int64_t> &ids) {
    for (int64_t id : ids) {
      const int64_t place = view.storedRow(id), begin = fed.whole->indptr[size_t(id)];
      ASSERT_EQ(view.indptr[place + 1] - view.indptr[place], fed.whole->indptr[size_t(id) + 1] - begin);
      for (int64_t i = 0; i < view.indptr[place + 1] - view.indptr[place]; ++i) {
        EXPECT_EQ(view.indices[view.indptr[place] + i], fed.whole->indices[size_t(begin + i)]);
        EXPECT_EQ(view.values[view.indptr[place] + i], fed.whole->values[size_t(begin + i)]);
      }
    }
  };
  const std::vector<int64_t> first = {5, 149, 0, 7, 7, 5}, second = {5, 1, 2, 3, 4, 6, 8, 9}, third = {148};
  auto begin = [&](const std::vector<int64_t> &ids) { feed.begin({int64_t(ids.size()), ids.data(), 0, 0, 0}); };
  feed.announce(second.data(), 8);
  begin(first);
  expectRows(first);
  EXPECT_NE(fed.source->reader, std::this_thread::get_id());
  begin(second);
  EXPECT_EQ(fed.source->reads, 2);
  expectRows(second);
  feed.announce(third.data(), 1);
  begin(second); // the same batch again: for a trial and its step
  begin(first);  // not what was announced
  expectRows(first);
  EXPECT_EQ(fed.source->reads, 4);
  begin(third);
  expectRows(third);
}

/// Waits for the thread that reads; whether so many reads came.
bool comesTo(const Counting &source, int reads) {
  for (int tries = 0; tries < 2000 && source.reads < reads; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return source.reads == reads;
}

TEST(Streamed, TheFirstBatchOfTheNextEpochIsFetchedToo) {
  Fed fed;
  const auto data = std::make_shared<DataSet>(fed.data);
  Job job(oneLayerPlan(), {{"input", data}, {"output", data}}, false, {.batch = 32, .epochs = 3, .shuffle = true});
  Trainer trainer(job.model, job.settings, job.binding);
  trainer.trainEpoch(); // five batches
  EXPECT_TRUE(comesTo(*fed.source, 6)) << fed.source->reads;
  trainer.trainEpoch();
  EXPECT_TRUE(comesTo(*fed.source, 11)) << fed.source->reads << ": what was fetched ahead is used";
  trainer.trainEpoch();
  EXPECT_EQ(fed.source->reads, 15) << "after the last epoch nothing comes";
}

TEST(RowFeed, ProblemsReachTheStepThatNeedsTheRows) {
  Fed fed;
  fed.source->broken = 2;
  RowFeed feed(fed.session->device(), 8);
  feed.add(fed.data, viewOf(fed.data, 40));
  const std::vector<int64_t> good = {5, 6}, bad = {1, 2}, other = {3};
  feed.announce(bad.data(), 2);
  feed.begin({2, good.data(), 0, 0, 0});
  feed.begin({2, good.data(), 0, 0, 0});
  feed.begin({1, other.data(), 0, 0, 0}); // not what failed
  for (int attempt = 0; attempt < 2; ++attempt)
    EXPECT_EQ(refusal([&] { feed.begin({2, bad.data(), 0, 0, 0}); }), "row 2 is broken");
  fed.source->broken = -1;
  feed.begin({2, bad.data(), 0, 0, 0});
}
} // namespace
} // namespace sn::rt
