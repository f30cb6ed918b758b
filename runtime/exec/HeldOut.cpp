#include "runtime/exec/HeldOut.h"
#include <algorithm>
#include <fmt/ranges.h>

namespace sn::rt {
namespace {
const plan::Entry &predictEntry(const Model &model) {
  const plan::Entry *entry = plan::findEntry(model.plan(), "predict");
  if (!entry)
    userError("the plan of the network '{}' has no entry 'predict', so it cannot be measured by its lists",
              model.plan().network);
  return *entry;
}
} // namespace

Truth readTruth(const std::string &path, const std::string &dataset, const DataSet &data, const Names *columnNames) {
  DataFile file = DataFile::open(path);
  for (const std::string &name : {dataset, std::string("output"), std::string("input")})
    if (!name.empty() && file.has(name))
      return alignTruth(file.load(name), path, data, columnNames);
  userError("{}: has no data set '{}', 'output' or 'input'; it has {}", path, dataset, fmt::join(file.names(), ", "));
}

HeldOut::HeldOut(Model &model, const Settings &settings, DataFile &file, const Aliases &aliases,
                 const HeldOutWish &wish)
    : at(wish.at), inputs(bindData(model.plan(), dataSetsOf(predictEntry(model)), file, aliases)) {
  recommender.emplace(model, settings, inputs, wish.layer);
  std::string dataset = rankedDataSet(model.plan(), recommender->step());
  auto alias = aliases.find(dataset);
  const std::string &stored = alias == aliases.end() ? dataset : alias->second;
  const Names *columns = file.has(stored) ? file.load(stored)->columnNames.get() : nullptr; // the file keeps it
  truth = readTruth(wish.truth, dataset, *inputs.sets.begin()->second, columns);
  if (wish.exclude.empty())
    return;
  if (!file.has(wish.exclude))
    userError("--exclude {}: {} has no such data set; it has {}", wish.exclude, file.path(),
              fmt::join(file.names(), ", "));
  known = file.load(wish.exclude);
  recommender->leaveOut(known.get());
}

int64_t HeldOut::bufferCount(const Model &model, const Settings &settings, int64_t rows) {
  return EntryRun::bufferCount(predictEntry(model), model.extents(std::min(settings.batch, rows)));
}

std::optional<RankingReport> HeldOut::measure(const std::function<bool()> &stop) {
  struct Stopped {};
  try {
    return rank(recommender->source(), truth, at, recommender->block(), [&](int64_t) {
      if (stop && stop())
        throw Stopped();
    });
  } catch (const Stopped &) {
    return std::nullopt;
  }
}

nlohmann::json recordOf(const RankingReport &report) {
  nlohmann::json record = nlohmann::json::object();
  for (const RankingAt &one : report.at)
    if (report.users > 0) {
      record[fmt::format("recall@{}", one.k)] = one.recall;
      record[fmt::format("precision@{}", one.k)] = one.precision;
      record[fmt::format("ndcg@{}", one.k)] = one.ndcg;
    }
  return record;
}
} // namespace sn::rt
