// snrt itself, on a plan file whose object holds the test's slots.
#include "test/unit/exec/Networks.h"
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace sn {
namespace {
using namespace sn::test;
using nlohmann::json;

struct Result {
  int code;
  std::string out, err;
};

class Command : public testing::Test {
protected:
  Folder folder;
  std::string plan = folder("ae.plan"), data = folder("data.h5"), weights = folder("ae.weights.h5");

  void SetUp() override {
    plan::writeArchive(archiveOf(twoLayerPlan()), plan, false);
    auto set = tastes(200, 30, 1);
    rt::Names users, items;
    for (int64_t i = 0; i < set->rows; ++i)
      users.add("user" + std::to_string(i));
    for (int64_t i = 0; i < set->columns; ++i)
      items.add("item" + std::to_string(i));
    set->rowNames = std::make_shared<const rt::Names>(users);
    set->columnNames = std::make_shared<const rt::Names>(items);
    rt::DataFileWriter writer(data, false);
    writer.write("input", *set);
    writer.link("input", "output");
    writer.commit();
  }
  Result snrt(const std::string &arguments) const {
    std::string out = folder("stdout"), err = folder("stderr");
    int status = std::system((std::string(SNRT) + " " + arguments + " >'" + out + "' 2>'" + err + "'").c_str());
    return {WEXITSTATUS(status), contentOf(out), contentOf(err)};
  }
  Result train(const std::string &more = "", int threads = 2) const {
    return snrt("train '" + plan + "' '" + data + "' --threads " + std::to_string(threads) + " " + more);
  }
  /// The lines of one kind of the metrics file beside the weights.
  std::vector<json> metrics(const std::string &kind) const { return ofKind(contentOf(folder("metrics.jsonl")), kind); }
  static std::vector<json> ofKind(const std::string &text, const std::string &kind) {
    std::vector<json> found;
    for (const std::string &line : linesOf(text))
      if (json object = json::parse(line); object["kind"] == kind)
        found.push_back(object);
    return found;
  }
  static std::vector<std::string> linesOf(const std::string &text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
      lines.push_back(line);
    return lines;
  }
};
#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

Result failed(Result result, int code) {
  EXPECT_EQ(result.code, code) << result.out << result.err;
  return result;
}

TEST_F(Command, TrainWritesWeightsAndMetricsBesideThePlan) {
  Result done = failed(train(), 0);
  EXPECT_HAS(done.out, "epoch 3: average error");
  EXPECT_HAS(done.err, "workspace");
  rt::CheckpointReader reader(weights);
  EXPECT_EQ(reader.header().epoch, 3);
  EXPECT_EQ(reader.header().step, 6);
  EXPECT_EQ(reader.header().symbols.at("outputs"), 30);
  EXPECT_EQ((*reader.header().columnNames.at("output"))[3], "item3");
  EXPECT_EQ(reader.header().network, "{\"Name\": \"test\"}");
  std::vector<json> epochs = metrics("epoch");
  ASSERT_EQ(epochs.size(), 3u);
  EXPECT_EQ(epochs[2]["epoch"], 3);
  EXPECT_LT(epochs[2]["training"], epochs[0]["training"]);

  std::string before = contentOf(weights);
  EXPECT_HAS(failed(train(), 1).err, "' exists and is not overwritten; give another name with -o or --force");
  EXPECT_EQ(contentOf(weights), before);
  failed(train("--force"), 0);
  EXPECT_EQ(contentOf(weights), before) << "equal runs give equal bytes";
  failed(train("--force", 5), 0);
  EXPECT_EQ(contentOf(weights), before) << "threads do not change the bytes";
  failed(train("--force --seed 5"), 0);
  EXPECT_NE(contentOf(weights), before);
}

TEST_F(Command, KnobsAndJson) {
  Result done = failed(
      train("--json --optimizer adam --epochs 2 --batch 64 --alpha 0.05 --validation '" + data + "' --profile"), 0);
  EXPECT_EQ(done.out, contentOf(folder("metrics.jsonl"))) << "the same lines";
  std::vector<json> epochs = metrics("epoch");
  ASSERT_EQ(epochs.size(), 2u) << done.out;
  EXPECT_EQ(epochs[0]["steps"], 4);
  EXPECT_EQ(epochs[0]["alpha"], 0.05);
  EXPECT_GT(epochs[0]["validation"], 0.0);
  ASSERT_EQ(metrics("profile").size(), 1u);
  EXPECT_EQ(metrics("profile")[0]["steps"].size(), 5u);
  ASSERT_EQ(metrics("end").size(), 1u);
  EXPECT_EQ(metrics("end")[0]["weights"], "ae.weights.h5");
  EXPECT_EQ(rt::CheckpointReader(weights).header().optimizer, "Adam");
}

TEST_F(Command, MetricsAreAsSpecified) {
  failed(train("--epochs 2 --batch 64"), 0);
  std::vector<std::string> kinds;
  for (const std::string &line : linesOf(contentOf(folder("metrics.jsonl"))))
    kinds.push_back(json::parse(line)["kind"]);
  std::vector<std::string> expected = {"run"};
  for (int epoch = 0; epoch < 2; ++epoch) {
    expected.insert(expected.end(), 4, "batches");
    expected.push_back("epoch");
  }
  expected.insert(expected.end(), {"checkpoint", "profile", "end"});
  EXPECT_EQ(kinds, expected);
  json run = metrics("run")[0];
  EXPECT_EQ(run["version"], 1);
  EXPECT_EQ(run["weights"], "ae.weights.h5");
  EXPECT_EQ(run["settings"]["optimizer"], "SGD");
  EXPECT_EQ(run["settings"]["alpha"], "Alpha");
  EXPECT_EQ(run["datasets"]["input"]["columns"], 30);
  EXPECT_EQ(run["parameters"], 2 * 30 * 8 + 8 + 30);
  EXPECT_EQ(run["memory"]["parameters"], 4 * run["parameters"].get<int64_t>());
  ASSERT_EQ(run["graph"].size(), 5u);
  EXPECT_EQ(run["graph"][0]["reads"], json({"input", "Input->Hidden/bias", "Input->Hidden/weights"}));
  EXPECT_EQ(run["graph"][0]["writes"], json({"h"}));
  EXPECT_EQ(run["graph"][1]["target"], "output");
  EXPECT_EQ(run["graph"][1]["sweep"], "single");
  EXPECT_EQ(run["graph"][1]["writes"], json({"dh", "Hidden->Output/weights", "Hidden->Output/bias"}));
  double sum = 0;
  for (const json &line : metrics("batches"))
    if (line["epoch"] == 2)
      sum += line["training"].get<double>() * (line["examples"] == 200 ? 8 : 64);
  EXPECT_NEAR(sum / 200, metrics("epoch")[1]["training"].get<double>(), 1e-9);
  json end = metrics("end")[0];
  EXPECT_EQ(end["reason"], "finished");
  EXPECT_EQ(end["step"], 8);
  EXPECT_EQ(end["epoch"], 2);
}

TEST_F(Command, ALineOfTheMetricsThatWasCutOffIsClosed) {
  std::ofstream(folder("metrics.jsonl")) << R"({"kind":"epoch","epo)";
  failed(train("--epochs 1"), 0);
  EXPECT_EQ(json::parse(linesOf(contentOf(folder("metrics.jsonl"))).at(1))["kind"], "run");
}

TEST_F(Command, InitThenTrainFromThere) {
  failed(snrt("init '" + plan + "' '" + data + "' -o '" + folder("w0.h5") + "' --seed 12134"), 0);
  failed(train(), 0);
  failed(train("--from '" + folder("w0.h5") + "' -o '" + folder("from.h5") + "'"), 0);
  EXPECT_EQ(contentOf(folder("from.h5")), contentOf(weights)) << "the plan's seed draws the same weights";
}

/// Writes a weights file as version 1 of the format had it: no number of examples, no sums.
void writeVersion1(const std::string &from, const std::string &to) {
  rt::CheckpointReader reader(from);
  const rt::CheckpointHeader &header = reader.header();
  rt::h5::File file = rt::h5::File::create(to, to);
  file.createGroup("snc");
  file.setAttribute("snc", "format", std::string("snc-weights"));
  file.setAttribute("snc", "version", uint64_t(1));
  file.setAttribute("snc", "optimizer", header.optimizer);
  for (auto [name, value] : {std::pair<const char *, int64_t>{"step", header.step},
                             {"epoch", header.epoch},
                             {"position", header.position},
                             {"seed", int64_t(header.seed)}})
    file.setAttribute("snc", name, uint64_t(value));
  file.writeText("snc/network", header.network);
  file.writeText("snc/training", header.training.dump());
  file.writeText("snc/symbols", json(header.symbols).dump());
  rt::Names datasets, parameters;
  for (const auto &[dataset, names] : header.columnNames) {
    datasets.add(dataset);
    file.writeNames("snc/names/" + dataset + "/column_names", *names);
  }
  file.writeNames("snc/datasets", datasets);
  for (const rt::TensorSpec &spec : reader.parameters()) {
    parameters.add(spec.name);
    std::vector<float> values(spec.count());
    reader.readParameter(spec, [&](const rt::Tile &tile, const float *block) {
      ASSERT_EQ(tile.count(), spec.count());
      std::copy_n(block, tile.count(), values.data());
    });
    file.createArray<float>(spec.name, spec.vector ? std::vector{spec.out} : std::vector{spec.in, spec.out});
    file.writeRows(spec.name, 0, spec.vector ? spec.out : spec.in, values.data());
  }
  file.writeNames("snc/parameters", parameters);
  file.close();
}

TEST_F(Command, WeightsFilesOfVersion1StillServe) {
  failed(train("--epochs 2"), 0);
  std::string old = folder("old.h5"), direct = folder("direct.h5"), other = folder("other.h5");
  writeVersion1(weights, old);
  std::string end = "' '" + data + "' ";
  for (const std::string command : {"eval '" + plan + "' '", "predict -o - '" + plan + "' '"})
    EXPECT_EQ(failed(snrt(command + old + end), 0).out, failed(snrt(command + weights + end), 0).out);
  failed(train("--epochs 1 --from '" + old + "' -o '" + direct + "'"), 0);
  failed(train("--epochs 1 --from '" + weights + "' -o '" + other + "'"), 0);
  EXPECT_EQ(contentOf(direct), contentOf(other));
  failed(train("--epochs 3 --resume '" + old + "'"), 0);
  failed(train("--epochs 3 --resume '" + weights + "'"), 0);
  EXPECT_EQ(contentOf(old), contentOf(weights)) << "one written at the end of an epoch holds all it takes to go on";
}

TEST_F(Command, ResumingSaysWhatDiffers) {
  failed(train("--epochs 2"), 0);
  std::string resume = "--resume '" + weights + "' ";
  Result done = failed(train(resume), 0);
  EXPECT_HAS(done.err, "has finished its 2 epochs; --epochs 4 goes on");
  EXPECT_EQ(done.out, "") << "nothing was trained";
  done = failed(train(resume + "--epochs 3 --alpha 0.25 --batch 50"), 0);
  EXPECT_HAS(done.err, "snrt: --batch 50 from here on; it was 100");
  EXPECT_HAS(done.err, "snrt: Alpha is 0.25 from here on; it was 0.5");
  EXPECT_HAS(done.out, "resumed after step 4: epoch 3, example 0");
  EXPECT_EQ(metrics("run").back()["resumed"], (json{{"step", 4}, {"epoch", 2}, {"example", 0}}));
  EXPECT_EQ(rt::CheckpointReader(weights).header().training["hyper"]["Alpha"], 0.25);
  EXPECT_HAS(failed(train(resume + "--optimizer Adam"), 1).err, "was trained with SGD");
  EXPECT_HAS(failed(train(resume + "--epochs 1"), 1).err, "--epochs 1: ");
  EXPECT_HAS(failed(train(resume + "--from '" + weights + "'"), 1).err, "--from");
}

TEST_F(Command, AnInfiniteValidationLossIsNoReasonToStop) {
  plan::Plan spoilt = twoLayerPlan();
  spoilt.entries[1].steps[1].slots["stored"].function = "test_nan";
  plan::writeArchive(archiveOf(spoilt), plan, true);
  Result done = failed(train("--epochs 2 --validation '" + data + "'"), 0);
  EXPECT_HAS(done.err, "data.h5': the loss of 'Output' is nan for rows 0 to 99; the weights hold numbers that are "
                       "too large or not numbers at all");
  EXPECT_HAS(done.out, "epoch 2: ");
  EXPECT_TRUE(metrics("epoch").at(1)["validation"].is_null());
}

TEST_F(Command, EvalMeasuresLossAndLists) {
  failed(train("--epochs 20 --alpha 2"), 0);
  std::string start = "eval '" + plan + "' '" + weights + "' '" + data + "' ";
  EXPECT_HAS(failed(snrt(start), 0).out, "average loss");
  double loss = json::parse(failed(snrt(start + "--json"), 0).out)["loss"];
  EXPECT_GT(loss, 1);
  EXPECT_LT(loss, 20);
  Result done = failed(snrt(start + "--truth '" + data + "' --at 5,10 --baseline popularity,item-knn --json"), 0);
  json measured = json::parse(done.out);
  EXPECT_EQ(measured["users"].get<int64_t>() + measured["skipped"].get<int64_t>(), 200);
  ASSERT_EQ(measured["results"].size(), 6u);
  EXPECT_GT(measured["results"][1]["recall"], 0.7) << "two tastes are easily told apart";
  EXPECT_GT(measured["results"][1]["recall"], measured["results"][3]["recall"]) << "popularity does not know them";
  done = failed(snrt(start + "--truth '" + data + "' --exclude input --at 5"), 0);
  EXPECT_HAS(done.out, "recall@5");
  EXPECT_HAS(done.out, "0.0000"); // everything relevant is known already
  EXPECT_HAS(failed(snrt(start + "--truth '" + data + "' --baseline luck"), 1).err,
             "popularity and item-knn are known");
  EXPECT_HAS(failed(snrt(start + "--truth '" + data + "' --exclude clicks"), 1).err, "--exclude clicks");
}

TEST_F(Command, PredictByName) {
  failed(train(), 0);
  std::string start = "predict '" + plan + "' '" + weights + "' '" + data + "' ", out = folder("recs.tsv");
  Result done = failed(snrt(start + "-o '" + out + "' --top-k 4"), 0);
  EXPECT_HAS(done.err, "known items are not excluded");
  std::vector<std::string> lines = linesOf(contentOf(out));
  ASSERT_EQ(lines.size(), 200u);
  EXPECT_EQ(lines[7].substr(0, 10), "user7\titem");
  EXPECT_EQ(std::count(lines[7].begin(), lines[7].end(), '\t'), 8);
  EXPECT_HAS(failed(snrt(start + "-o '" + out + "'"), 1).err, "exists");

  done = failed(snrt(start + "-o - --rows user7,user3 --exclude input"), 0);
  EXPECT_HAS(done.err, "known items (data set 'input') are excluded");
  lines = linesOf(done.out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].substr(0, 6), "user3\t");
  auto set = rt::DataFile::open(data).load("input");
  for (auto [at, end] = rt::rowOf(*set, 7); at != end; ++at)
    EXPECT_EQ(lines[0].find("item" + std::to_string(*at) + "\t"), std::string::npos) << *at;
  EXPECT_HAS(failed(snrt(start + "-o - --rows nobody"), 1).err, "no row of this name");
}

TEST_F(Command, AnotherVocabularyIsRefused) {
  failed(train(), 0);
  auto set = tastes(10, 30, 2);
  rt::Names items;
  for (int64_t i = 0; i < set->columns; ++i)
    items.add("item" + std::to_string(i < 20 ? i : i + 1));
  set->columnNames = std::make_shared<const rt::Names>(items);
  rt::DataFileWriter writer(folder("other.h5"), false);
  writer.write("input", *set);
  writer.link("input", "output");
  writer.commit();
  std::string other = "'" + folder("other.h5") + "'";
  const char *says = "column 20 of 'input' is named 'item21', but 'item20'";
  EXPECT_HAS(failed(snrt("predict '" + plan + "' '" + weights + "' " + other + " -o -"), 1).err, says);
  EXPECT_HAS(failed(train("--force --validation " + other), 1).err, "is named 'item21'");
  EXPECT_HAS(failed(train("-o '" + folder("w.h5") + "' --from '" + weights + "' --bind input=output"), 0).out,
             "epoch 3");
}

TEST_F(Command, PredictWithFilter) {
  failed(train(), 0);
  std::string start = "predict '" + plan + "' '" + weights + "' '" + data + "' -o - --top-k 3 --rows user1,user2 ";
  std::vector<std::string> plain = linesOf(failed(snrt(start + "--json"), 0).out);
  std::string best1 = json::parse(plain[0])["items"][0]["item"], second2 = json::parse(plain[1])["items"][1]["item"];
  std::ofstream(folder("filter")) << best1 << "\nuser2\t" << second2 << "\nnothing\n";
  Result done = failed(snrt(start + "--json --filter '" + folder("filter") + "'"), 0);
  EXPECT_HAS(
      done.err,
      "drops 1 items for all rows and 1 for single ones; 1 of its 4 names is unknown, first 'nothing' in line 3");
  std::vector<std::string> lines = linesOf(done.out);
  EXPECT_EQ(lines[0].find("\"" + best1 + "\""), std::string::npos);
  EXPECT_EQ(lines[1].find("\"" + second2 + "\""), std::string::npos);
  EXPECT_EQ(json::parse(lines[0])["items"][0], json::parse(plain[0])["items"][1]);
  EXPECT_EQ(json::parse(lines[0])["items"].size(), 3u);
}

TEST_F(Command, AFilterThatIsNoneIsRefused) {
  failed(train(), 0);
  std::ofstream(folder("blank")) << "\n\t\n\r\n";
  std::ofstream(folder("nothing"));
  std::string out = folder("recs.tsv"),
              start = "predict '" + plan + "' '" + weights + "' '" + data + "' -o '" + out + "' ";
  auto said = [&](const std::string &filter) { return failed(snrt(start + "--filter '" + filter + "'"), 1).err; };
  EXPECT_HAS(said(folder("")), "is a folder or a device; a text file of item names is expected, one a line");
  EXPECT_HAS(said("/dev/zero"), "--filter /dev/zero: is a folder or a device");
  EXPECT_HAS(said(folder("absent")), "absent: cannot be read: No such file or directory");
  if (::geteuid() != 0) { // whom the system refuses nothing
    std::ofstream(folder("locked")) << "item1\n";
    std::filesystem::permissions(folder("locked"), std::filesystem::perms::none);
    EXPECT_HAS(said(folder("locked")), "locked: cannot be read: Permission denied");
  }
  EXPECT_HAS(said("/proc/self/mem"), "--filter /proc/self/mem: cannot be read: Input/output error");
  for (const char *empty : {"nothing", "blank"})
    EXPECT_HAS(said(folder(empty)), "is empty; a text file of item names is expected");
  for (const std::string &binary : {data, plan})
    EXPECT_HAS(said(binary), "is no text; a text file of item names");
  EXPECT_FALSE(std::filesystem::exists(out));
  // Where no name is known, that is said; a filter may be older than the vocabulary.
  std::ofstream(folder("foreign")) << "item1000\nuser1000\titem1\n" << std::string(100, 'x') << "\n";
  EXPECT_HAS(
      failed(snrt(start + "--filter '" + folder("foreign") + "'"), 0).err,
      "drops 0 items for all rows and 0 for single ones; 3 of its 4 names are unknown, first 'item1000' in line 1");
  std::ofstream(folder("long")) << std::string(100, 'x') << "\n";
  EXPECT_HAS(failed(snrt(start + "--force --filter '" + folder("long") + "'"), 0).err, "xxx...' in line 1");
}

TEST_F(Command, ErrorsSayWhatAndWhere) {
  EXPECT_HAS(failed(snrt("train '" + plan + "' '" + folder("none.h5") + "'"), 1).err, "none.h5");
  EXPECT_HAS(failed(snrt("train '" + data + "' '" + data + "'"), 1).err, "is no plan");
  EXPECT_HAS(failed(train("--optimizer Lion"), 1).err, "no optimizer 'Lion'");
  EXPECT_HAS(failed(train("--device tpu"), 1).err,
             "--device tpu: there is no such kind of device; it is one of cpu, cuda");
  EXPECT_HAS(failed(train("--device cpu:1"), 1).err, "--device cpu:1: cpu takes no number");
  EXPECT_HAS(failed(train("--device cuda:x"), 1).err,
             "--device cuda:x: after the colon the number of a device is expected, as in cuda:1");
  EXPECT_HAS(failed(train("--batch 0"), 1).err, "--batch");
  EXPECT_HAS(failed(train("-o '" + folder("no/w.h5") + "'"), 1).err, "there is no folder");
  EXPECT_EQ(json::parse(failed(train("--json --optimizer Lion"), 1).err)["code"], 1);
  EXPECT_FALSE(std::filesystem::exists(weights));
  EXPECT_HAS(failed(snrt("train --help"), 0).out, "Example: snrt train");
  failed(snrt(""), 1);
}

TEST_F(Command, DivergenceLeavesTheOldWeights) {
  failed(train(), 0);
  std::string before = contentOf(weights);
  EXPECT_HAS(failed(train("--force --alpha 1e38"), 1).err, "training has diverged in step");
  EXPECT_EQ(contentOf(weights), before);
}

TEST_F(Command, APlanWithoutOptimizersIsNotTrained) {
  plan::Plan bare = twoLayerPlan();
  bare.optimizers.clear();
  bare.training.optimizer = "";
  plan::writeArchive(archiveOf(bare), plan, true);
  EXPECT_HAS(failed(train(), 1).err, "the plan has no optimizer, so it cannot be trained");
}

TEST_F(Command, APlanWithoutASlotIsRefused) {
  plan::Plan spoilt = twoLayerPlan();
  spoilt.functions.push_back({"test_gone", 2, 1, 0, false});
  spoilt.entries[0].steps[0].slots["epilogue"].function = "test_gone";
  plan::writeArchive(archiveOf(spoilt), plan, true);
  EXPECT_HAS(failed(train(), 1).err, "'test_gone'");
  spoilt = twoLayerPlan();
  spoilt.entries[0].steps[0].slots.clear();
  plan::writeArchive(archiveOf(spoilt), plan, true);
  EXPECT_HAS(failed(train(), 1).err, "slot 'epilogue' is missing");
}
} // namespace
} // namespace sn
