#include "runtime/hal/cuda/CudaDevice.h"
#include "runtime/hal/OwnMemory.h"
#include "runtime/hal/Remarks.h"
#include "runtime/hal/StepTiming.h"
#include "runtime/hal/cuda/Bf16.h"
#include "runtime/hal/cuda/CudaLanding.h"
#include "runtime/hal/cuda/CudaProgram.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <set>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
constexpr int kMostLanes = 32; // what the templates combine in a tree (pointwise.cuh, kMostReduceLanes)
/// Lists of this length are counted before a run says how long they are.
constexpr int64_t kUsualLists = 100;

void checkLanes(const plan::Plan &plan) {
  if (plan.lanes < 1 || plan.lanes > kMostLanes)
    userError("the plan asks for {} lanes; the CUDA device walks 1 to {}", plan.lanes, kMostLanes);
}

DevicePointer addressOf(const float *pointer) { return reinterpret_cast<DevicePointer>(pointer); }

/// To launches a null pointer means an operand that a step does not have; those that are measured have all, nowhere.
Memory withoutNulls(Memory memory) {
  static float nowhere = 0;
  for (auto *pointers : {&memory.buffers, &memory.parameters})
    for (auto &[name, pointer] : *pointers)
      pointer = pointer ? pointer : &nowhere;
  return memory;
}

/// One step as a program.
class OneStep final : public Kernel {
public:
  OneStep(std::unique_ptr<Program> program, bool lists) : program(std::move(program)), lists(lists) {}
  void launch(Launch &launch) override {
    launch.sum = launch.regularization = 0;
    program->run(launch, lists ? 0 : SIZE_MAX, [&](size_t, const StepResult &result) {
      launch.sum = result.sum;
      launch.regularization = result.regularization;
    });
  }

private:
  std::unique_ptr<Program> program;
  bool lists;
};

class CudaDevice final : public Device, public OwnMemory, public StepTiming, public Remarks {
public:
  CudaDevice(const plan::Archive &archive, const DriverApi &driver, std::shared_ptr<KernelCompiler> compiler,
             int ordinal, LibraryOpener open, const LibraryLimits &least)
      : context(driver, ordinal), modules(archive, context, std::move(compiler)), workspace(context), data(context),
        library(context, std::move(open), least), ordinal(ordinal) {}

  std::string description() const override {
    return fmt::format("CUDA device {}: {}, compute capability {}.{}, {:.1f} GiB", ordinal, context.name(),
                       context.major(), context.minor(), static_cast<double>(context.totalBytes()) / 1073741824.0);
  }
  int64_t freeMemory() const override {
    context.use();
    return context.freeBytes();
  }
  int64_t elementBytes(plan::Precision storage) const override {
    return static_cast<int64_t>(storage == plan::Precision::Bf16 ? sizeof(uint16_t) : sizeof(float));
  }
  void timeSteps(bool on) override { timed = on; }
  std::string product() const override { return context.name(); }
  std::vector<std::string> remarks() const override { return library.remarks(); }

  float *allocate(int64_t count) override { return allocate(count, plan::Precision::Fp32); }
  float *allocate(int64_t count, plan::Precision storage) override {
    context.use();
    const int64_t bytes = std::max<int64_t>(1, count) * elementBytes(storage);
    DeviceBlock &block = *blocks.emplace_back(std::make_unique<DeviceBlock>(context));
    block.reserve(bytes);
    context.zero(block.at(), bytes);
    context.synchronize();
    if (storage == plan::Precision::Bf16)
      bf16.insert(block.at());
    return block.as<float>();
  }
  using Device::download;
  using Device::upload;
  void upload(float *memory, int64_t first, const float *from, int64_t count) override {
    context.use();
    if (bf16.count(addressOf(memory)) > 0)
      return uploadBf16(addressOf(memory), first, from, count);
    context.copyIn(addressOf(memory + first), from, count * static_cast<int64_t>(sizeof(float)));
    context.synchronize();
  }
  void download(float *to, const float *memory, int64_t first, int64_t count) override {
    context.use();
    if (bf16.count(addressOf(memory)) > 0)
      return downloadBf16(to, addressOf(memory), first, count);
    context.copyOut(to, addressOf(memory + first), count * static_cast<int64_t>(sizeof(float)));
    context.synchronize();
  }
  DataView place(const DataView &view) override {
    context.use();
    return data.place(view);
  }

  std::unique_ptr<Landing> land(const DataView &streamed, int64_t maxRows) override {
    return std::make_unique<CudaLanding>(context, modules, data, streamed, maxRows);
  }

  std::unique_ptr<Program> prepare(const plan::Plan &plan, const plan::Entry &entry, const plan::Optimizer *optimizer,
                                   const Memory &memory, const Extents &extents) override {
    return programOf(plan, entry.steps, modules.kernelsOf(entry.name, entry.steps.size()), optimizer, memory, extents);
  }
  std::unique_ptr<Kernel> prepare(const plan::Plan &plan, const plan::Step &step, const plan::Optimizer *optimizer,
                                  const Memory &memory, const Extents &extents) override {
    for (const plan::Entry &entry : plan.entries)
      for (size_t i = 0; i < entry.steps.size(); ++i)
        if (&entry.steps[i] == &step) {
          const std::string kernel = modules.kernelsOf(entry.name, entry.steps.size())[i];
          return std::make_unique<OneStep>(programOf(plan, {step}, {kernel}, optimizer, memory, extents),
                                           givesLists(step));
        }
    throw std::logic_error("the CUDA device prepares steps of the plan it was given");
  }

  int64_t workspaceBytes() const override { return workspace.block.bytes() + workspace.held; }
  WorkspaceNeed workspaceNeed(const plan::Plan &plan, const plan::Entry &entry, const plan::Optimizer *optimizer,
                              const Memory &memory, const Extents &extents) override {
    context.use();
    const Memory somewhere = withoutNulls(memory);
    const std::vector<ProgramStep> steps = bind(plan, entry.steps, modules.kernelsOf(entry.name, entry.steps.size()),
                                                optimizer, somewhere, extents, false);
    const size_t hypers = optimizer ? optimizer->scalars.size() : 0;
    auto bytes = [&](int64_t k) {
      const ProgramPlaces places = placesOf(steps, launchesOf(steps, k), hypers, extents.maxRows);
      return places.block + places.workspace;
    };
    const bool lists = std::any_of(entry.steps.begin(), entry.steps.end(), givesLists);
    WorkspaceNeed need{bytes(0), 0};
    if (lists)
      need.running = std::max<int64_t>(0, bytes(kUsualLists) - need.prepared) +
                     extents.maxRows * kUsualLists * static_cast<int64_t>(sizeof(int32_t) + sizeof(float));
    return need;
  }

  /// From the device's properties: the highest rates of its memory and its arithmetic units, and the shares of them
  /// that copies and plain products come to.
  Rates measureRates() override {
    constexpr double kCopies = 0.9, kProducts = 0.6;
    const auto of = [&](Attribute which) { return static_cast<double>(std::max(1, context.attribute(which))); };
    const double units = context.major() == 7 || (context.major() == 8 && context.minor() == 0) ? 64 : 128;
    return {kProducts * 2 * units * of(Attribute::MultiprocessorCount) * of(Attribute::ClockRate) * 1e3,
            kCopies * 2 * of(Attribute::MemoryClockRate) * 1e3 * of(Attribute::MemoryBusWidth) / 8};
  }

private:
  /// Elements that pass through host memory at a time on their way to or from BF16: 512 KiB.
  static constexpr int64_t kNarrowed = int64_t(1) << 18;
  static DevicePointer at(DevicePointer memory, int64_t element) {
    return memory + static_cast<DevicePointer>(element) * sizeof(uint16_t);
  }
  void uploadBf16(DevicePointer memory, int64_t first, const float *from, int64_t count) const {
    std::vector<uint16_t> narrowed(static_cast<size_t>(std::min(count, kNarrowed)));
    for (int64_t begin = 0; begin < count; begin += kNarrowed) {
      const int64_t length = std::min(kNarrowed, count - begin);
      std::transform(from + begin, from + begin + length, narrowed.begin(), bf16Of);
      context.copyIn(at(memory, first + begin), narrowed.data(), length * static_cast<int64_t>(sizeof(uint16_t)));
      context.synchronize();
    }
  }
  void downloadBf16(float *to, DevicePointer memory, int64_t first, int64_t count) const {
    std::vector<uint16_t> narrowed(static_cast<size_t>(std::min(count, kNarrowed)));
    for (int64_t begin = 0; begin < count; begin += kNarrowed) {
      const int64_t length = std::min(kNarrowed, count - begin);
      context.copyOut(narrowed.data(), at(memory, first + begin), length * static_cast<int64_t>(sizeof(uint16_t)));
      context.synchronize();
      std::transform(narrowed.begin(), narrowed.begin() + length, to + begin, floatOf);
    }
  }

  /// `runs`: LibraryProducts::choose.
  std::vector<ProgramStep> bind(const plan::Plan &plan, const std::vector<plan::Step> &steps,
                                const std::vector<std::string> &kernels, const plan::Optimizer *optimizer,
                                const Memory &memory, const Extents &extents, bool runs) {
    checkLanes(plan);
    Binder binder(plan, optimizer, memory, extents,
                  [this](const DataView &view, int64_t rows) { return data.mostEntries(view, rows); });
    std::vector<ProgramStep> bound;
    for (size_t i = 0; i < steps.size(); ++i) {
      bound.push_back({binder.bind(steps[i]), kernels[i]});
      if (const Variant *variant = modules.variantOf(kernels[i]))
        bound.back().bound.setVariant(*variant);
      const BoundStep &one = bound.back().bound;
      bound.back().bound.library =
          library.choose({one.step, one.args, one.sources, one.loader, one.variant, nullptr, one.storage}, runs);
    }
    return bound;
  }
  std::unique_ptr<Program> programOf(const plan::Plan &plan, const std::vector<plan::Step> &steps,
                                     const std::vector<std::string> &kernels, const plan::Optimizer *optimizer,
                                     const Memory &memory, const Extents &extents) {
    context.use();
    return std::make_unique<CudaProgram>(CudaProgram::Shared{context, modules, workspace, data, library, timed},
                                         bind(plan, steps, kernels, optimizer, memory, extents, true), optimizer,
                                         extents.maxRows);
  }

  Context context;
  Modules modules;
  Workspace workspace;
  DataStore data;
  LibraryProducts library;
  int ordinal;
  bool timed = false;
  std::vector<std::unique_ptr<DeviceBlock>> blocks;
  std::set<DevicePointer> bf16; // those of them whose elements are BF16
};
} // namespace

std::unique_ptr<Device> makeCudaDevice(const plan::Archive &archive, const DriverApi &driver,
                                       std::shared_ptr<KernelCompiler> compiler, int ordinal, LibraryOpener open,
                                       const LibraryLimits &least) {
  return std::make_unique<CudaDevice>(archive, driver, std::move(compiler), ordinal, std::move(open), least);
}
} // namespace sn::rt::cuda
