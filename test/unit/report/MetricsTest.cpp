// Metrics files read back: what counts, what is skipped, what is refused.
#include "runtime/plan/Error.h"
#include "runtime/report/Summary.h"
#include "test/unit/report/Support.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::report {
namespace {
std::string refusal(const std::string &text) {
  MetricsFile file(text);
  try {
    readMetrics({file.path});
  } catch (const UserError &error) {
    return std::string(error.what()).substr(file.path.size());
  }
  return "";
}

TEST(Metrics, ARunIsReadWhole) {
  Metrics metrics = read(
      std::string(kRunLine) +
      R"({"kind":"batches","epoch":1,"step":5,"examples":50,"training":2.5,"alpha":0.1,"seconds":1})"
      "\n"
      R"({"kind":"batches","epoch":1,"step":10,"examples":100,"training":1.5,"alpha":0.1,"seconds":2})"
      "\n"
      R"({"kind":"epoch","epoch":1,"training":2,"validation":3,"ranking":{"recall@20":0.25},"reports":{"aux":1},"examples_per_second":50})"
      "\n"
      R"({"kind":"checkpoint","path":"w.h5","step":10,"epoch":1,"example":0,"seconds":0.1})"
      "\n"
      R"({"kind":"profile","entry":"train","seconds":4,"steps":[{"kernel":"gemm","sweep":"","label":"H","launches":10,"seconds":3},)"
      R"({"kernel":"map","sweep":"","label":"H","launches":10,"seconds":1}]})"
      "\n"
      R"({"kind":"end","reason":"finished","step":10,"epoch":1,"example":0,"seconds":5,"weights":"w.h5"})"
      "\n");
  ASSERT_EQ(metrics.runs.size(), 1u);
  const report::Run &run = metrics.runs[0];
  EXPECT_EQ(run.network, "AE");
  EXPECT_EQ(run.settings.front(), (std::pair<std::string, std::string>("optimizer", "SGD")));
  ASSERT_EQ(run.batches.size(), 2u);
  EXPECT_DOUBLE_EQ(run.batches[0].at, 0.5);
  EXPECT_TRUE(std::isnan(run.batches[0].rate));
  EXPECT_DOUBLE_EQ(run.batches[1].rate, 50);
  EXPECT_DOUBLE_EQ(run.epochs.at(0).ranking.at("recall@20"), 0.25);
  EXPECT_DOUBLE_EQ(run.checkpoints.at(0).at, 1);
  EXPECT_EQ(run.memory.at("parameters"), 4096);
  EXPECT_EQ(run.datasets.at(0).entries, 400);
  EXPECT_EQ(shares(run), (std::vector<double>{0.75, 0.25}));
  EXPECT_EQ(run.end.reason, "finished");
  EXPECT_EQ(run.trained, 5);
  EXPECT_EQ(metrics.skippedLines, 0);
}

TEST(Metrics, ResumedRunsAreOneAndTheLastLineOfAnEpochCounts) {
  std::string text = kRunLine;
  for (int step : {4, 8, 12, 16})
    text += R"({"kind":"batches","epoch":)" + std::to_string(step > 10 ? 2 : 1) + R"(,"step":)" + std::to_string(step) +
            R"(,"examples":40,"training":9,"seconds":)" + std::to_string(step) + "}\n";
  text += epochLine(1, 9) + epochLine(2, 8);
  std::string again = kRunLine;
  again.insert(again.find("\"version\""), R"("resumed":{"step":10,"epoch":1,"example":0},)");
  text += again +
          R"({"kind":"batches","epoch":2,"step":14,"examples":40,"training":5,"seconds":1})"
          "\n" +
          epochLine(2, 5) + epochLine(3, 4) + epochLine(3, 3);
  Metrics metrics = read(text);
  ASSERT_EQ(metrics.runs.size(), 1u);
  const report::Run &run = metrics.runs[0];
  std::vector<int64_t> steps, epochs;
  std::vector<double> losses;
  for (const BatchPoint &point : run.batches)
    steps.push_back(point.step);
  for (const EpochPoint &point : run.epochs)
    epochs.push_back(point.epoch), losses.push_back(point.training);
  EXPECT_EQ(steps, (std::vector<int64_t>{4, 8, 14}));
  EXPECT_EQ(epochs, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(losses, (std::vector<double>{9, 5, 3}));
  EXPECT_DOUBLE_EQ(run.resumed.at(0).at, 1);
  EXPECT_TRUE(std::isnan(run.batches[2].rate)) << "no rate across an interruption";
}

TEST(Metrics, AnotherTrainingIsAnotherRun) {
  Metrics metrics = read(std::string(kRunLine) + epochLine(1, 5) + kRunLine + epochLine(1, 4));
  ASSERT_EQ(metrics.runs.size(), 2u);
  EXPECT_EQ(metrics.runs[1].epochs.at(0).training, 4);
}

TEST(Metrics, RunsAreNamedByWhatSetsThemApart) {
  std::string other = kRunLine;
  other.replace(other.find("0.1}"), 4, "0.02}");
  EXPECT_EQ(labels(read(std::string(kRunLine) + other).runs),
            (std::vector<std::string>{"1: Alpha 0.1", "2: Alpha 0.02"}));
  EXPECT_EQ(labels(read(std::string(kRunLine) + kRunLine).runs), (std::vector<std::string>{"1", "2"}));
}

TEST(Metrics, DamagedLinesAreSkippedAndUnknownThingsPassedOver) {
  Metrics metrics =
      read(std::string(kRunLine) + "{\"kind\":\"epoch\",\"epo\n" + R"({"kind":"weather","sun":1})" + "\n\n[1]\n" +
           R"({"kind":"epoch","epoch":1,"training":null,"validation":"low","new":[{}],"alpha":1e999})" + "\n" +
           R"({"kind":"epoch","epoch":2,"training":null,"validation":1e301})" + "\n{\"kind\":\"ep");
  ASSERT_EQ(metrics.runs.size(), 1u);
  EXPECT_EQ(metrics.runs[0].epochs.size(), 1u);
  EXPECT_TRUE(std::isnan(metrics.runs[0].epochs[0].training));
  EXPECT_TRUE(std::isnan(metrics.runs[0].epochs[0].validation));
  ASSERT_EQ(metrics.skippedLines, 4);
  EXPECT_EQ(metrics.skipped[0].line, 2);
  EXPECT_EQ(metrics.skipped[0].why, "it is not JSON");
  EXPECT_EQ(metrics.skipped[1].line, 5);
  EXPECT_EQ(metrics.skipped[1].why, "it is not an object with a 'kind'");
  EXPECT_EQ(metrics.skipped[2].line, 6); // a number that is none
  EXPECT_EQ(metrics.skipped[3].line, 8);
  EXPECT_EQ(metrics.skipped[3].why, "half a line: the run ended while it was written");
}

TEST(Metrics, MembersOfAnyTypeDoNoHarm) {
  const char *const values[] = {
      "null", "true", "-1", "1e300", "\"x\"", "[]", "[null,[1],{}]", "{}", "{\"a\":{\"b\":null}}"};
  for (const char *kind : {"run", "batches", "epoch", "checkpoint", "profile", "end"})
    for (const char *value : values) {
      std::string line = std::string("{\"kind\":\"") + kind + "\"";
      for (const char *name :
           {"version",  "network", "settings",   "hyper", "examples", "parameters", "datasets", "memory",
            "estimate", "graph",   "resumed",    "epoch", "step",     "training",   "alpha",    "seconds",
            "ranking",  "reports", "validation", "path",  "entry",    "steps",      "reason"})
        line += std::string(",\"") + name + "\":" + value;
      Metrics metrics = read(line + "}\n");
      EXPECT_EQ(metrics.runs.size(), 1u) << line;
      EXPECT_FALSE(summary(metrics).dump().empty());
    }
}

TEST(Metrics, WhatIsNoMetricsFileIsRefused) {
  EXPECT_EQ(refusal(""), ": is empty; snrt train writes its lines to metrics.jsonl beside the weights");
  EXPECT_EQ(refusal("\n\n"), ": is empty; snrt train writes its lines to metrics.jsonl beside the weights");
  EXPECT_EQ(refusal("\nuser,item\n1,2\n"),
            ":2: no metrics file: it is not JSON. Give the metrics.jsonl that snrt train writes "
            "beside the weights");
  EXPECT_EQ(refusal("{\"epoch\":1}\n"),
            ":1: no metrics file: it is not an object with a 'kind'. Give the metrics.jsonl that snrt "
            "train writes beside the weights");
  EXPECT_EQ(refusal("{\"kind\":\"weather\"}\n"),
            ":1: no metrics file: its lines are of other kinds than run, batches, epoch, checkpoint, profile and end");
  EXPECT_EQ(refusal(std::string(1 << 25, 'x')).substr(0, 60),
            ":1: no metrics file: it is longer than any line of a metrics");
  try {
    readMetrics({std::filesystem::temp_directory_path().string()});
    FAIL() << "a folder was read";
  } catch (const UserError &error) {
    EXPECT_NE(std::string(error.what()).find("is a folder; name the metrics file in it"), std::string::npos);
  }
  try {
    readMetrics({"/nowhere/metrics.jsonl"});
    FAIL() << "nothing was read";
  } catch (const UserError &error) {
    EXPECT_STREQ(error.what(),
                 "/nowhere/metrics.jsonl: cannot be read: No such file or directory; snrt train writes metrics.jsonl "
                 "beside the weights");
  }
}

TEST(Metrics, BestValuesAndEndings) {
  Metrics metrics =
      read(std::string(kRunLine) + R"({"kind":"epoch","epoch":1,"training":3,"validation":2,"ranking":{"ndcg@20":0.1}})"
                                   "\n"
                                   R"({"kind":"epoch","epoch":2,"training":2,"validation":1,"ranking":{"ndcg@20":0.3}})"
                                   "\n"
                                   R"({"kind":"epoch","epoch":3,"training":1,"validation":4,"ranking":{"ndcg@20":0.2}})"
                                   "\n");
  report::Run &run = metrics.runs[0];
  EXPECT_EQ(bestValidation(run).epoch, 2);
  EXPECT_EQ(bestRanking(run).at("ndcg@20").epoch, 2);
  EXPECT_EQ(ending(run), "No end is written: the run still goes on, or was killed. So far 3 epochs.");
  run.end = {"diverged", "", "the loss of 'Output' is nan", 12, 3, 9};
  run.trained = 9;
  EXPECT_EQ(ending(run), "Diverged after 3 epochs and 12 steps in 9.00 s. the loss of 'Output' is nan");
}
} // namespace
} // namespace sn::report
