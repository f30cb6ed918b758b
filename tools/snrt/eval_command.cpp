// snrt eval: recall, precision and ndcg against held-out entries, beside baselines; or the loss.
#include "runtime/exec/Baselines.h"
#include "runtime/exec/HeldOut.h"
#include "tools/snrt/Options.h"
#include "tools/snrt/Output.h"
#include <algorithm>

namespace sn::snrt {
namespace {
struct EvalOptions {
  std::string plan, weights, data, truth, exclude, layer;
  std::vector<int64_t> at = {20, 100};
  std::vector<std::string> baselines;
  int64_t neighbours = 100;
  RunOptions run;
  rt::Overrides overrides;
};
struct Scored {
  std::string name;
  rt::RankingReport report;
};

class Evaluation {
public:
  explicit Evaluation(const EvalOptions &options)
      : options(options), trained(options.plan, options.weights, options.data, options.run, options.overrides,
                                  options.truth.empty() ? "evaluate" : "predict", held(options)) {}
  void run() { options.truth.empty() ? loss() : ranking(); }

private:
  static std::vector<HeldData> held(const EvalOptions &options) {
    std::vector<HeldData> data;
    if (!options.exclude.empty())
      data.push_back({options.data, {options.exclude}});
    if (!options.truth.empty())
      data.push_back({options.truth, {"output", "input"}});
    return data;
  }
  void loss();
  void ranking();
  std::shared_ptr<const rt::DataSet> history(const std::string &dataset);
  rt::ListSource baseline(const std::string &name, const std::shared_ptr<const rt::DataSet> &past,
                          const rt::DataSet *exclude);
  rt::RankingReport measure(const std::string &name, const rt::ListSource &lists, const rt::Truth &truth,
                            int64_t block);
  void print(const std::vector<Scored> &results);

  const EvalOptions &options;
  Trained trained;
};

void Evaluation::loss() {
  rt::Binding data = rt::bindData(trained.session.plan(), rt::dataSetsOf(trained.session.entry("evaluate")),
                                  trained.file, trained.aliases);
  rt::EntryRun run(trained.model, "evaluate", data, std::min(trained.settings.batch, data.rows), nullptr);
  const rt::CheckpointHeader &header = trained.weights.header();
  double average = rt::averageLoss(run, trained.settings, {header.step, header.epoch, header.position});
  if (options.run.json)
    fmt::print("{}\n", nlohmann::json{{"loss", average}, {"examples", data.rows}}.dump());
  else
    fmt::print("average loss {:.6f} per example over {} examples\n", average, data.rows);
  if (options.run.profile)
    printProfile("evaluate", run.profile(), rt::workOf(run, trained.model, trained.settings), options.run.json);
}

void Evaluation::ranking() {
  for (const std::string &name : options.baselines)
    if (name != "popularity" && name != "item-knn")
      userError("--baseline {}: popularity and item-knn are known", name);
  rt::Recommender recommender(trained.model, trained.settings, trained.inputs,
                              rankedLayer(trained.session.plan(), options.layer));
  std::string dataset = rt::rankedDataSet(trained.session.plan(), recommender.step());
  const rt::DataSet &any = *trained.inputs.sets.begin()->second;
  rt::Truth truth = rt::readTruth(options.truth, dataset, any, trained.columnNames(dataset));
  std::shared_ptr<const rt::DataSet> known;
  if (!options.exclude.empty())
    known = trained.load(options.exclude, "--exclude");
  recommender.leaveOut(known.get());
  fmt::print(stderr, "snrt: {}\n",
             known ? fmt::format("entries of '{}' are left out of the lists", options.exclude)
                   : "known entries stay in the lists; --exclude input leaves them out");
  std::vector<Scored> results = {{"network", measure("network", recommender.source(), truth, recommender.block())}};
  if (!options.baselines.empty()) {
    // Baselines count and compare all of the data.
    if (known)
      known = trained.load(options.exclude, "--exclude", true);
    std::shared_ptr<const rt::DataSet> past = known ? known : history(dataset);
    for (const std::string &name : options.baselines)
      results.push_back({name, measure(name, baseline(name, past, known.get()), truth, 4096)});
  }
  print(results);
  if (options.run.profile)
    printProfile("predict", recommender.run().profile(), rt::workOf(recommender.run(), trained.model, trained.settings),
                 options.run.json);
}

std::shared_ptr<const rt::DataSet> Evaluation::history(const std::string &dataset) {
  auto alias = trained.aliases.find(dataset);
  const std::string &stored = alias == trained.aliases.end() ? dataset : alias->second;
  if (trained.file.has(stored))
    return trained.file.loadWhole(stored);
  return trained.file.loadWhole(trained.inputs.sets.begin()->second->name);
}

rt::ListSource Evaluation::baseline(const std::string &name, const std::shared_ptr<const rt::DataSet> &past,
                                    const rt::DataSet *exclude) {
  if (name == "popularity")
    return rt::popularityLists(*past, exclude);
  return rt::itemKnnLists(*past, exclude, options.neighbours, trained.session.workers());
}

rt::RankingReport Evaluation::measure(const std::string &name, const rt::ListSource &lists, const rt::Truth &truth,
                                      int64_t block) {
  Progress progress(name, static_cast<int64_t>(truth.rowOf.size()), "rows", options.run.json);
  return rt::rank(lists, truth, options.at, block, [&](int64_t rows) { progress.update(rows); });
}

void Evaluation::print(const std::vector<Scored> &results) {
  const rt::RankingReport &first = results.front().report;
  if (options.run.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Scored &result : results)
      for (const rt::RankingAt &at : result.report.at)
        list.push_back({{"name", result.name},
                        {"at", at.k},
                        {"recall", at.recall},
                        {"precision", at.precision},
                        {"ndcg", at.ndcg}});
    fmt::print("{}\n", nlohmann::json{{"users", first.users}, {"skipped", first.skipped}, {"results", list}}.dump());
    return;
  }
  std::vector<std::vector<std::string>> rows = {{""}};
  for (const char *measure : {"recall", "precision", "ndcg"})
    for (const rt::RankingAt &at : first.at)
      rows[0].push_back(fmt::format("{}@{}", measure, at.k));
  for (const Scored &result : results) {
    rows.push_back({result.name});
    for (double rt::RankingAt::*measure : {&rt::RankingAt::recall, &rt::RankingAt::precision, &rt::RankingAt::ndcg})
      for (const rt::RankingAt &at : result.report.at)
        rows.back().push_back(fmt::format("{:.4f}", at.*measure));
  }
  printTable(rows);
  fmt::print("{} rows measured, {} skipped (nothing to find)\n", first.users, first.skipped);
}
} // namespace

void addEvalCommand(CLI::App &app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App *command = app.add_subcommand("eval", "Measure a trained network");
  command->add_option("plan", options->plan, "Plan file written by snc compile")->required();
  command->add_option("weights", options->weights, "Weights file written by snrt train")->required();
  command->add_option("data", options->data, "Data file with the inputs")->required();
  command->add_option("--truth", options->truth,
                      "Data file of what should be recommended; without it the loss is measured");
  command->add_option("--exclude", options->exclude,
                      "Leave the entries of this data set out of the lists, as in --exclude input");
  command->add_option("--at", options->at, "List lengths")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--baseline", options->baselines, "popularity, item-knn: measured beside the network")
      ->delimiter(',');
  command->add_option("--neighbours", options->neighbours, "Neighbours of an item in item-knn")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--layer,--output", options->layer,
                      "Layer to rank (default: the one named Output, or the only one)");
  addBatchOption(*command, options->overrides);
  addRunOptions(*command, options->run);
  command->footer("Example: snrt eval ae.plan ae.weights.h5 data.h5 --truth test.h5 --exclude input --at 20,100 "
                  "--baseline popularity,item-knn");
  command->callback([options] { Evaluation(*options).run(); });
}
} // namespace sn::snrt
