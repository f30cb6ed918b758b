// Lists of the best columns from a plan's entry "predict".
#pragma once
#include "runtime/exec/EntryRun.h"
#include "runtime/exec/Ranking.h"

namespace sn::rt {
class Recommender {
public:
  /// `layer` names the layer whose columns are ranked; "" = the only one. UserError if the
  /// plan ranks no such layer. `model` and `data` must outlive the recommender.
  Recommender(Model &model, const Settings &settings, const Binding &data, const std::string &layer);

  /// Columns of the ranked layer.
  int64_t columns() const { return width; }
  /// The step of the entry that ranks.
  const plan::Step &step() const { return entry.entry().steps[position]; }
  int64_t block() const { return settings.batch; }
  /// Leaves out the columns stored in each row of `exclude` (null: none). It must have the rows of the data and outlive
  /// the recommender. UserError if it is wider than the layer or has other rows.
  void leaveOut(const DataSet *exclude);
  /// Lists for these rows of the data, in batches of block() rows, best first into rows.size() x k places. `after`: the
  /// rows that will be asked for next, which streamed data fetch meanwhile.
  void lists(const std::vector<int64_t> &rows, int64_t k, int32_t *columns, float *scores,
             const std::vector<int64_t> &after = {});
  ListSource source();
  EntryRun &run() { return entry; }

private:
  Settings settings;
  EntryRun entry;
  size_t position = 0; // of the wide_topk step
  int64_t width = 0;
  std::optional<DataView> exclude;
};

/// The data set whose columns a layer ranks: the target of the layer's steps in any entry, else the one its width comes
/// from; "" if neither.
std::string rankedDataSet(const plan::Plan &plan, const plan::Step &step);
} // namespace sn::rt
