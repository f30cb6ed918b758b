#include "runtime/exec/EntryRun.h"
#include "runtime/exec/Arena.h"
#include <cmath>
#include <stdexcept>

namespace sn::rt {
namespace {
Packing placeBuffers(const plan::Entry &entry, const Extents &extents) {
  std::vector<BufferNeed> needs;
  for (const plan::Buffer &buffer : entry.buffers) {
    int64_t count = 1;
    for (const plan::Dim &dim : buffer.dims)
      count *= dim.symbol == "B" ? extents.maxRows : extents.of(dim);
    needs.push_back({count, buffer.first, buffer.last});
  }
  return packBuffers(needs);
}

const plan::Entry &entryOf(const plan::Plan &plan, const std::string &name) {
  const plan::Entry *entry = plan::findEntry(plan, name);
  if (!entry)
    userError("the plan of the network '{}' has no entry '{}'", plan.network, name);
  return *entry;
}
} // namespace

int64_t EntryRun::bufferCount(const plan::Entry &entry, const Extents &extents) {
  return placeBuffers(entry, extents).total;
}

EntryRun::EntryRun(Model &model, const std::string &entry, const Binding &data, int64_t maxRows,
                   const plan::Optimizer *optimizer, std::shared_ptr<RowFeed> feed)
    : theModel(model), trains(entry == "train" || entry == "trial"), theEntry(entryOf(model.plan(), entry)),
      binding(data), memory(model.memory()),
      theFeed(feed ? std::move(feed) : std::make_shared<RowFeed>(model.device(), maxRows)) {
  Extents extents = model.extents(maxRows);
  Packing packing = placeBuffers(theEntry, extents);
  float *arena = model.arena(packing.total);
  for (size_t i = 0; i < theEntry.buffers.size(); ++i)
    memory.buffers[theEntry.buffers[i].name] = arena + packing.offsets[i];
  for (const std::string &name : dataSetsOf(theEntry))
    memory.data[name] = placed(model.device(), *data.sets.at(name), boundView(model.plan(), data, name, extents));
  program = model.device().prepare(model.plan(), theEntry, optimizer, memory, extents);
  for (const plan::Step &step : theEntry.steps)
    times.push_back({step.kernel, step.label});
}

DataView EntryRun::placed(Device &device, const DataSet &set, const DataView &view) {
  return set.streamed() || binding.toDevice ? theFeed->add(set, view) : device.place(view);
}

DataView EntryRun::alsoReads(const DataSet &set, int64_t columns) {
  const DataView view = viewOf(set, columns);
  return set.streamed() || binding.toDevice ? theFeed->add(set, view) : view;
}

BatchSums EntryRun::run(const Batch &batch, const StepScalars &scalars, size_t listStep, TopK *lists) {
  if (!trains)
    theModel.settle();
  if (theEntry.name != "train" && !theModel.plain())
    throw std::logic_error("inside an epoch of factored steps only training goes on");
  BatchSums sums;
  Launch launch;
  launch.batch = batch;
  launch.scalar = [&scalars](std::string_view name) { return scalars(name); };
  launch.topk = lists;
  theFeed->begin(batch);
  program->run(launch, listStep, [&](size_t index, const StepResult &result) {
    const plan::Step &step = theEntry.steps[index];
    times[index].seconds += result.seconds;
    ++times[index].launches;
    times[index].rows += batch.rows;
    if (!std::isfinite(result.sum) || !std::isfinite(result.regularization))
      throw NotFinite(fmt::format("the {} of '{}' is {}", std::isfinite(result.sum) ? "regularisation" : "loss",
                                  step.label, std::isfinite(result.sum) ? result.regularization : result.sum));
    if (!step.report.empty())
      sums.reports[step.report] += result.sum;
    sums.regularization += result.regularization;
  });
  return sums;
}
} // namespace sn::rt
