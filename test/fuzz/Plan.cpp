// plan.json inside an archive packed for it, so that no checksum stops it: a plan or a UserError. A plan that is read
// is the same after writing and reading, and every step of it can be prepared on the CPU device, with slots that do
// nothing.
#include "runtime/hal/cpu/CpuDevice.h"
#include "runtime/plan/Error.h"
#include "test/fuzz/support/JsonMutator.h"
#include "test/fuzz/support/Target.h"

namespace {
using namespace sn;
using nlohmann::json;

constexpr int64_t kWidest = 4096; // of the extents given: prepare measures workspace, which is really allocated
constexpr int64_t kAutoColumns = 7, kBatch = 3;

void noSlot(int64_t, const float *const *, float *const *, const float *, double *) {}

/// Whether every extent is small enough to prepare here.
bool isSmall(const plan::Plan &plan) {
  auto small = [](const plan::Dim &dim) { return dim.value <= kWidest; };
  for (const plan::Parameter &p : plan.parameters)
    if (!small(p.in) || !small(p.out))
      return false;
  for (const plan::DataSet &set : plan.datasets)
    if (!small(set.columns))
      return false;
  for (const plan::Entry &entry : plan.entries) {
    for (const plan::Buffer &buffer : entry.buffers)
      for (const plan::Dim &dim : buffer.dims)
        if (!small(dim))
          return false;
    for (const plan::Step &step : entry.steps)
      if (!small(step.columns))
        return false;
  }
  return true;
}

void prepare(const plan::Plan &plan, rt::Loader loader) {
  rt::cpu::SlotTable table("x86-64-v2");
  for (const plan::SlotFunction &function : plan.functions)
    table.add(function.name, noSlot);
  std::unique_ptr<rt::Device> device = rt::cpu::makeCpuDevice(std::move(table), 1);
  static float memory[16]; // nothing runs, so one place serves for all
  static const int64_t indptr[] = {0, 0};
  rt::Memory names;
  rt::Extents extents;
  extents.maxRows = kBatch;
  for (const plan::Symbol &symbol : plan.symbols)
    extents.symbols[symbol.name] = kAutoColumns;
  for (const plan::DataSet &set : plan.datasets)
    names.data[set.name] = {loader, 1, extents.of(set.columns), 1, indptr, nullptr, memory, false};
  const plan::Optimizer *optimizer = nullptr;
  for (const plan::Optimizer &candidate : plan.optimizers)
    if (candidate.name == plan.training.optimizer)
      optimizer = &candidate;
  for (const plan::Parameter &p : plan.parameters) {
    names.parameters[p.name] = memory;
    if (optimizer)
      names.states[p.name].assign(optimizer->states.size(), memory);
  }
  for (const plan::Entry &entry : plan.entries) {
    names.buffers.clear();
    for (const plan::Buffer &buffer : entry.buffers)
      names.buffers[buffer.name] = memory;
    for (const plan::Step &step : entry.steps)
      if (!step.update || optimizer)
        device->prepare(plan, step, step.update ? optimizer : nullptr, names, extents);
  }
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  plan::Archive archive{{{"plan.json", std::string(reinterpret_cast<const char *>(data), size)}}};
  std::string path = fuzz::scratch("fuzz.plan");
  plan::writeArchive(archive, path, true);
  try {
    plan::Plan plan = plan::readPlan(plan::readArchive(path), path);
    json written = plan;
    fuzz::demand(json(written.get<plan::Plan>()) == written, "a plan changes when written and read");
    if (isSmall(plan))
      for (rt::Loader loader : {rt::Loader::CsrBinary, rt::Loader::Dense})
        prepare(plan, loader);
  } catch (const UserError &error) {
    fuzz::say(error.what());
    fuzz::demand(*error.what(), "an empty message");
  }
  return 0;
}
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  return sn::fuzz::mutateJson(data, size, maxSize, seed);
}
extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t firstSize, const uint8_t *second,
                                            size_t secondSize, uint8_t *out, size_t maxSize, unsigned seed) {
  return sn::fuzz::crossJson(first, firstSize, second, secondSize, out, maxSize, seed);
}
