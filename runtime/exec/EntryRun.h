// An entry of a plan made ready to run: buffers placed, kernels prepared, data bound.
#pragma once
#include "runtime/exec/Model.h"
#include "runtime/exec/RowFeed.h"
#include "runtime/plan/Error.h"

namespace sn::rt {
/// What the steps of one batch reported.
struct BatchSums {
  std::map<std::string, double, std::less<>> reports; // by Step::report: sums over examples and units
  double regularization = 0;                          // sum of the update slots' terms
};

/// Time spent in one step of an entry.
struct StepProfile {
  std::string kernel, label;
  int64_t launches = 0;
  double seconds = 0;
  int64_t rows = 0; // examples of all launches
};

/// A step reported NaN or infinity.
class NotFinite : public UserError {
public:
  using UserError::UserError;
};

class EntryRun {
public:
  /// The entry must exist. `optimizer` may be null for entries without updates; its states must be allocated. `model`
  /// and `data` must outlive the run. `feed`: of another entry that runs the same batches of the same data; null: its
  /// own.
  EntryRun(Model &model, const std::string &entry, const Binding &data, int64_t maxRows,
           const plan::Optimizer *optimizer, std::shared_ptr<RowFeed> feed = nullptr);

  EntryRun(const EntryRun &) = delete; // kernels point into it
  EntryRun &operator=(const EntryRun &) = delete;

  /// Floats the buffers of an entry need for batches of `maxRows`.
  static int64_t bufferCount(const plan::Entry &entry, const Extents &extents);

  /// The batch that will come after the next run(): of streamed data, it is fetched during that.
  void announce(const int64_t *ids, int64_t rows) { theFeed->announce(ids, rows); }
  /// Runs the steps in order. `lists` is handed to step `listStep` (a wide_topk step), the other wide_topk steps are
  /// left out. Throws NotFinite if a step reports NaN or infinity; parameters updated by earlier steps of the batch
  /// keep their new values. UserError where the rows of streamed data cannot be had.
  BatchSums run(const Batch &batch, const StepScalars &scalars, size_t listStep = SIZE_MAX, TopK *lists = nullptr);

  const plan::Entry &entry() const { return theEntry; }
  const Binding &data() const { return binding; }
  /// The device's view of a bound data set.
  const DataView &view(const std::string &name) const { return memory.data.at(name); }
  /// The device's view of a further data set with the rows of these, `columns` wide; streamed as they are. Before the
  /// first run. `set` must outlive the run.
  DataView alsoReads(const DataSet &set, int64_t columns);
  const std::shared_ptr<RowFeed> &feed() const { return theFeed; }
  const std::vector<StepProfile> &profile() const { return times; }

private:
  DataView placed(Device &device, const DataSet &set, const DataView &view);
  Model &theModel;
  const bool trains; // on the batch at hand: rows with updates to make up for are caught up as they are gathered
  const plan::Entry &theEntry;
  const Binding &binding;
  Memory memory;
  std::shared_ptr<RowFeed> theFeed;
  std::unique_ptr<Program> program;
  std::vector<StepProfile> times;
};
} // namespace sn::rt
