#include "runtime/exec/EntryRun.h"
#include "runtime/exec/Arena.h"
#include <chrono>
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
                   const plan::Optimizer *optimizer)
    : theEntry(entryOf(model.plan(), entry)), binding(data), memory(model.memory()) {
  Extents extents = model.extents(maxRows);
  Packing packing = placeBuffers(theEntry, extents);
  float *arena = model.arena(packing.total);
  for (size_t i = 0; i < theEntry.buffers.size(); ++i)
    memory.buffers[theEntry.buffers[i].name] = arena + packing.offsets[i];
  for (const std::string &name : dataSetsOf(theEntry))
    memory.data[name] = boundView(model.plan(), data, name, extents);
  for (const plan::Step &step : theEntry.steps) {
    kernels.push_back(model.device().prepare(model.plan(), step, optimizer, memory, extents));
    times.push_back({step.kernel, step.label});
  }
}

BatchSums EntryRun::run(const Batch &batch, const StepScalars &scalars, size_t listStep, TopK *lists) {
  BatchSums sums;
  Launch launch;
  launch.batch = batch;
  launch.scalar = [&scalars](std::string_view name) { return scalars(name); };
  for (size_t i = 0; i < theEntry.steps.size(); ++i) {
    const plan::Step &step = theEntry.steps[i];
    if (givesLists(step) && i != listStep)
      continue;
    launch.topk = i == listStep ? lists : nullptr;
    issue(i, launch);
    if (!step.report.empty())
      sums.reports[step.report] += launch.sum;
    sums.regularization += launch.regularization;
  }
  return sums;
}

void EntryRun::issue(size_t step, Launch &launch) {
  launch.sum = launch.regularization = 0;
  auto begin = std::chrono::steady_clock::now();
  kernels[step]->launch(launch);
  times[step].seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ++times[step].launches;
  if (!std::isfinite(launch.sum) || !std::isfinite(launch.regularization))
    throw NotFinite(fmt::format("the {} of '{}' is {}", std::isfinite(launch.sum) ? "regularisation" : "loss",
                                theEntry.steps[step].label,
                                std::isfinite(launch.sum) ? launch.regularization : launch.sum));
}
} // namespace sn::rt
