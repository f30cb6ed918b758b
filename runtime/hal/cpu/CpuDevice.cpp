#include "runtime/hal/cpu/CpuDevice.h"
#include "kernels-templates/cpu/ColumnReduce.h"
#include "kernels-templates/cpu/CscUpdate.h"
#include "kernels-templates/cpu/CsrGather.h"
#include "kernels-templates/cpu/Expand.h"
#include "kernels-templates/cpu/FactoredOutput.h"
#include "kernels-templates/cpu/Gemm.h"
#include "kernels-templates/cpu/GemmUpdate.h"
#include "kernels-templates/cpu/LimitNorm.h"
#include "kernels-templates/cpu/Map.h"
#include "kernels-templates/cpu/ParameterUpdate.h"
#include "kernels-templates/cpu/RowReduce.h"
#include "kernels-templates/cpu/WideOutput.h"
#include "kernels-templates/cpu/WideSoftmax.h"
#include "kernels-templates/cpu/WideTopk.h"
#include "runtime/base/FloatMode.h"
#include "runtime/hal/cpu/Amx.h"
#include "runtime/hal/cpu/Binder.h"
#include "runtime/hal/cpu/Calibration.h"
#include "runtime/hal/cpu/Factored.h"
#include "runtime/hal/cpu/OneDnn.h"
#include "runtime/plan/Error.h"

namespace sn::rt::cpu {
namespace {
/// Workspace a skeleton carves for batches of `rows`.
template <typename Skeleton> int64_t layoutBytes(Skeleton &skeleton, int64_t rows, const Context &context) {
  Carver measure;
  skeleton.layout(measure, rows, context);
  return measure.bytes();
}

/// A skeleton with its operands. Workspace is measured for the largest batch when prepared and carved anew at each
/// launch.
template <typename Skeleton> class CpuKernel final : public Kernel {
public:
  CpuKernel(Context &context, Contraction product, Skeleton bound, int64_t maxRows)
      : context(context), product(product), skeleton(std::move(bound)), maxRows(maxRows) {
    context.workspace.reserveExactly(layoutBytes(skeleton, maxRows, context));
  }
  void launch(Launch &launch) override {
    launch.sum = launch.regularization = 0;
    if (launch.batch.rows == 0)
      return;
    if (launch.batch.rows > maxRows)
      throw std::logic_error("a batch is larger than the kernel was prepared for");
    FlushDenormals mode;
    makeProductsSingleThreaded();
    context.product = product;
    Carver carver(context.workspace.data());
    skeleton.layout(carver, launch.batch.rows, context);
    skeleton.run(context, launch);
  }

private:
  Context &context;
  Contraction product; // of the step's precision
  Skeleton skeleton;
  int64_t maxRows;
};

CsrGather bindCsrGather(const Binder &bind) {
  CsrGather kernel;
  const plan::Source &source = bind.onlySource();
  kernel.source = bind.dataSource(source);
  kernel.weights = bind.weights(source);
  kernel.deferred = bind.deferred(source);
  kernel.epilogue = bind.slot("epilogue");
  kernel.columns = bind.columns();
  return kernel;
}

Gemm bindGemm(const Binder &bind) {
  Gemm kernel;
  kernel.sources = bind.bufferSources();
  kernel.epilogue = bind.slot("epilogue");
  kernel.columns = bind.columns();
  return kernel;
}

/// See WideOutput::late. By names: buffers that are only measured have no places.
std::vector<size_t> lateSources(const plan::Step &step, const std::vector<BufferSource> &sources) {
  std::vector<size_t> late;
  for (size_t s = 0; s < sources.size(); ++s)
    for (size_t other = 0; other < s && sources[s].descent.buffer; ++other)
      if (step.sources[s].weightGradient == step.sources[other].weightGradient &&
          (sources[s].weights.outerFirst != sources[other].weights.outerFirst ||
           std::count(late.begin(), late.end(), other) > 0)) {
        late.push_back(s);
        break;
      }
  return late;
}

WideOutput bindWideOutput(const Binder &bind, const plan::Step &step) {
  WideOutput kernel;
  const bool single = step.sweep == "single", forward = step.sweep == "forward", update = step.sweep == "update";
  kernel.norms = step.sweep == "norm";
  if (!single && !forward && !update && !kernel.norms && step.sweep != "loss")
    userError("step '{}' of the plan has the unknown sweep '{}'", step.label, step.sweep);
  kernel.sources = bind.bufferSources();
  kernel.slots = bind.targetSlots();
  kernel.columns = bind.columns();
  kernel.backprop = single || forward;
  const bool buffers = std::any_of(kernel.sources.begin(), kernel.sources.end(),
                                   [](const BufferSource &source) { return source.descent.buffer != nullptr; });
  kernel.update = (single || update) && (step.update || buffers);
  kernel.counts = !update && !kernel.norms;
  if (kernel.norms && step.rows.size() != 1)
    userError("step '{}' of the plan: a norm sweep writes one row buffer, not {}", step.label, step.rows.size());
  if (kernel.norms)
    kernel.norm = bind.buffer(step.rows[0]);
  kernel.late = lateSources(step, kernel.sources);
  if (kernel.update && step.update) {
    kernel.biases = bind.biases();
    kernel.updateWeights = bind.updateWeights();
    kernel.updateBiases = bind.updateBiases();
  }
  return kernel;
}

FactoredOutput bindFactored(const Binder &bind, const plan::Step &step, const plan::Optimizer *optimizer,
                            FactoredMatrix &matrix) {
  FactoredOutput kernel;
  if (!step.factored || !optimizer || !optimizer->plain)
    throw std::logic_error("step " + step.label + " has no factored form");
  const BufferSource source = bind.bufferSources().front();
  kernel.weights = &dynamic_cast<CpuFactors &>(matrix).generations();
  kernel.x = source.x;
  kernel.gradient = source.gradient;
  kernel.target = bind.data(step.target);
  kernel.slope = step.factored->slope;
  kernel.rate = optimizer->plain->rate;
  return kernel;
}

WideSoftmaxStatistics bindStatistics(const Binder &bind, const plan::Step &step) {
  WideSoftmaxStatistics kernel;
  if (step.rows.size() != 2)
    userError("step '{}' of the plan: a statistics sweep writes two row buffers, not {}", step.label, step.rows.size());
  kernel.sources = bind.bufferSources();
  kernel.logit = bind.slot("logit");
  kernel.columns = bind.columns();
  kernel.maximum = bind.buffer(step.rows[0]);
  kernel.sum = bind.buffer(step.rows[1]);
  return kernel;
}

WideTopk bindWideTopk(const Binder &bind) {
  WideTopk kernel;
  kernel.sources = bind.bufferSources();
  kernel.score = bind.slot("score");
  kernel.columns = bind.columns();
  return kernel;
}

CscUpdate bindCscUpdate(const Binder &bind, const plan::Step &step, const plan::Optimizer *optimizer) {
  CscUpdate kernel;
  const plan::Source &source = bind.onlySource();
  kernel.source = bind.dataSource(source);
  kernel.weights = bind.weights(source);
  kernel.delta = bind.buffer(step.delta);
  kernel.descent = bind.descent(source);
  kernel.update = bind.updateWeights();
  if (!kernel.update && !kernel.descent.buffer)
    userError("step '{}' of the plan: {} updates nothing", step.label, step.kernel);
  if (kernel.update)
    kernel.idleWhenZero = optimizer->idleWhenZero;
  kernel.deferred = bind.deferred(source);
  return kernel;
}

GemmUpdate bindGemmUpdate(const Binder &bind, const plan::Step &step) {
  GemmUpdate kernel;
  bind.onlySource();
  kernel.source = bind.bufferSources().front();
  kernel.delta = bind.buffer(step.delta);
  kernel.update = bind.updateWeights();
  if (!kernel.update && !kernel.source.descent.buffer)
    userError("step '{}' of the plan: {} updates nothing", step.label, step.kernel);
  return kernel;
}

Expand bindExpand(const Binder &bind) {
  Expand kernel;
  kernel.source = bind.dataSource(bind.onlySource());
  kernel.epilogue = bind.slot("epilogue");
  kernel.columns = bind.columns();
  return kernel;
}

ParameterUpdate bindUpdate(const Binder &bind, const plan::Step &step) {
  ParameterUpdate kernel;
  const plan::Source &source = bind.onlySource();
  const Weights weights = bind.weights(source);
  kernel.trained = weights.trained;
  kernel.size = weights.inner * weights.outer;
  kernel.gradient = bind.descent(source).buffer;
  kernel.update = bind.updateOf(source.weights);
  if (!kernel.update || !kernel.gradient)
    userError("step '{}' of the plan: {} applies no gradient", step.label, step.kernel);
  return kernel;
}

LimitNorm bindLimitNorm(const Binder &bind, const plan::Step &step) {
  LimitNorm kernel;
  kernel.weights = bind.weights(bind.onlySource());
  kernel.limit = step.limit;
  if (!(step.limit > 0))
    userError("step '{}' of the plan limits norms to {}, which is not positive", step.label, step.limit);
  return kernel;
}

Map bindMap(const Binder &bind) {
  Map kernel;
  kernel.vectors = bind.writesVectors();
  kernel.slots = bind.targetSlots();
  kernel.columns = bind.columns();
  return kernel;
}

RowReduce bindRowReduce(const Binder &bind, const plan::Step &step) {
  RowReduce kernel;
  if (step.reductions.size() > kMaxOperands)
    userError("step '{}' of the plan has more than {} reductions", step.label, kMaxOperands);
  for (size_t i = 0; i < step.reductions.size(); ++i) {
    if (step.reductions[i] != "max" && step.reductions[i] != "sum")
      userError("step '{}' of the plan has the unknown reduction '{}'", step.label, step.reductions[i]);
    const bool kept = i < step.rows.size() && !step.rows[i].empty();
    kernel.reductions.push_back({bind.slot(fmt::format("reduce{}", i)), step.reductions[i] == "max",
                                 kept ? bind.buffer(step.rows[i]) : nullptr});
  }
  kernel.columns = bind.columns();
  kernel.hasBody = bind.has("body") || bind.has("background") || bind.has("stored_only") || bind.has("dense");
  if (kernel.hasBody)
    kernel.slots = bind.targetSlots();
  else if (!step.target.empty())
    kernel.slots.target = bind.data(step.target);
  return kernel;
}

ColumnReduce bindColumnReduce(const Binder &bind) {
  ColumnReduce kernel;
  kernel.value = bind.slot("value");
  kernel.finish = bind.slotIfAny("finish");
  kernel.columns = bind.columns();
  kernel.biases = bind.biases();
  kernel.update = bind.updateBiases();
  return kernel;
}

/// Calls visit(skeleton) with the step's skeleton, operands bound.
template <typename Visit>
auto withSkeleton(const Binder &bind, const plan::Step &step, const plan::Optimizer *optimizer, Visit visit) {
  const std::string &kernel = step.kernel;
  if (kernel == "csr_gather")
    return visit(bindCsrGather(bind));
  if (kernel == "gemm")
    return visit(bindGemm(bind));
  if (kernel == "wide_softmax" && step.sweep == "statistics")
    return visit(bindStatistics(bind, step));
  if (FactoredMatrix *matrix = bind.factored())
    return visit(bindFactored(bind, step, optimizer, *matrix));
  if (kernel == "wide_output" || kernel == "wide_softmax")
    return visit(bindWideOutput(bind, step));
  if (kernel == "wide_topk")
    return visit(bindWideTopk(bind));
  if (kernel == "csc_update")
    return visit(bindCscUpdate(bind, step, optimizer));
  if (kernel == "gemm_update")
    return visit(bindGemmUpdate(bind, step));
  if (kernel == "map")
    return visit(bindMap(bind));
  if (kernel == "row_reduce")
    return visit(bindRowReduce(bind, step));
  if (kernel == "column_reduce")
    return visit(bindColumnReduce(bind));
  if (kernel == "expand")
    return visit(bindExpand(bind));
  if (kernel == "update")
    return visit(bindUpdate(bind, step));
  if (kernel == "limit_norm")
    return visit(bindLimitNorm(bind, step));
  userError("step '{}' of the plan needs the kernel schema '{}', which the CPU device does not have", step.label,
            kernel);
}

int lanesOf(const plan::Plan &plan) {
  if (plan.lanes < 1 || plan.lanes > 64)
    userError("the plan asks for {} lanes; the CPU device walks 1 to 64", plan.lanes);
  return plan.lanes;
}

/// Lists that grow with a batch's entries (Context::batchValues and EntryLists), from the average length of a row.
struct ListNeed {
  int64_t shared = 0, perWorker = 0, own = 0; // own: of a step, not shared
  template <typename Skeleton> void add(const Skeleton &skeleton, int64_t rows) {
    if constexpr (std::is_same_v<Skeleton, CscUpdate>) {
      const DataView &data = skeleton.source.data;
      if (data.loader == Loader::Dense || data.rows == 0)
        return;
      // Grown by quarters to the densest batch; popular features crowd into few of the (mostly 64) ranges, so a
      // worker may meet several times the average in one of them.
      const int64_t entries = (data.entries * rows + data.rows - 1) / data.rows;
      shared = std::max(shared, entries * static_cast<int64_t>(sizeof(float)) * 5 / 4);
      perWorker = std::max(perWorker, entries * static_cast<int64_t>(sizeof(int32_t) + sizeof(float)) / 16);
    }
    if constexpr (std::is_same_v<Skeleton, FactoredOutput>) {
      const DataView &data = skeleton.target;
      const int64_t entries = data.rows == 0 ? 0 : (data.entries * rows + data.rows - 1) / data.rows;
      own += skeleton.weights->bytes() + entries * skeleton.bytesOfEntry() * 5 / 4;
    }
  }
  int64_t bytes(int workers) const { return shared + own + workers * perWorker; }
};

/// To skeletons a null pointer means an operand they do not have; those that measure have all, nowhere.
Memory withoutNulls(Memory memory) {
  static float nowhere = 0;
  for (auto *pointers : {&memory.buffers, &memory.parameters})
    for (auto &[name, pointer] : *pointers)
      pointer = pointer ? pointer : &nowhere;
  return memory;
}

/// The precision of the products that take most of the time, those of a wide layer: what rates are measured in.
plan::Precision widePrecision(const plan::Plan &plan) {
  for (const plan::Entry &entry : plan.entries)
    for (const plan::Step &step : entry.steps)
      if (step.kernel.starts_with("wide_"))
        return step.precision;
  return plan::Precision::Fp32;
}

/// What oneDNN packs a product's operands into for each worker: grows with the depth of the products (measured:
/// docs/decisions/0008).
int64_t productScratch(const plan::Plan &plan, const Extents &extents) {
  constexpr int64_t kPerDepth = int64_t(8) << 10, kMost = int64_t(4) << 20;
  int64_t deepest = 0;
  for (const plan::Parameter &parameter : plan.parameters)
    deepest = std::max(deepest, std::min(extents.of(parameter.in), extents.of(parameter.out)));
  return std::min(deepest * kPerDepth, kMost);
}

class CpuDevice final : public Device, public FactorsOutputs {
public:
  CpuDevice(SlotTable table, int threads, plan::Precision mostlyIn)
      : table(std::move(table)), product(openOneDnn()), mostlyIn(mostlyIn),
        context(threads, makeProductsSingleThreaded) {
    context.product = product;
    context.ops = &vectorOps(this->table.level());
    context.slots.resize(static_cast<size_t>(context.pool.workers()));
    context.entries.resize(static_cast<size_t>(context.pool.workers()));
  }
  std::string description() const override {
    return fmt::format("CPU, {} thread{}, {}{}", context.pool.workers(), context.pool.workers() == 1 ? "" : "s",
                       table.level(), mostlyIn != plan::Precision::Fp32 && usesTiles() ? " with AMX" : "");
  }
  float *allocate(int64_t count) override {
    return reinterpret_cast<float *>(
        blocks.emplace_back(std::max<int64_t>(1, count) * static_cast<int64_t>(sizeof(float))).data());
  }
  using Device::prepare;
  void upload(float *memory, int64_t first, const float *from, int64_t count) override {
    std::copy_n(from, count, memory + first);
  }
  void download(float *to, const float *memory, int64_t first, int64_t count) override {
    std::copy_n(memory + first, count, to);
  }

  std::unique_ptr<Kernel> prepare(const plan::Plan &plan, const plan::Step &step, const plan::Optimizer *optimizer,
                                  const Memory &memory, const Extents &extents) override {
    context.lanes = lanesOf(plan);
    Binder bind(plan, step, optimizer, memory, extents, table);
    // A matrix in factored form is a product of many steps' small ones: rounding them would add up.
    const plan::Precision precision = bind.factored() ? plan::Precision::Fp32 : step.precision;
    return withSkeleton(bind, step, optimizer, [&](auto skeleton) -> std::unique_ptr<Kernel> {
      return std::make_unique<CpuKernel<decltype(skeleton)>>(context, productOf(precision), std::move(skeleton),
                                                             extents.maxRows);
    });
  }
  const DeferralOps *deferralOps() const override { return &context.ops->deferral; }
  int64_t workspaceBytes() const override {
    int64_t bytes = context.workspace.bytes() + context.batchValues.bytes();
    for (const EntryLists &lists : context.entries)
      bytes += lists.bytes();
    return bytes + static_cast<int64_t>(context.slots.size() * sizeof(SlotScratch));
  }

  WorkspaceNeed workspaceNeed(const plan::Plan &plan, const plan::Entry &entry, const plan::Optimizer *optimizer,
                              const Memory &memory, const Extents &extents) override {
    context.lanes = lanesOf(plan);
    const Memory somewhere = withoutNulls(memory);
    int64_t carved = 0;
    ListNeed lists;
    for (const plan::Step &step : entry.steps) {
      Binder bind(plan, step, optimizer, somewhere, extents, table);
      withSkeleton(bind, step, optimizer, [&](auto skeleton) {
        carved = std::max(carved, layoutBytes(skeleton, extents.maxRows, context));
        lists.add(skeleton, extents.maxRows);
      });
    }
    const int64_t workers = context.pool.workers();
    return {roundUp(carved, kCacheLine) + static_cast<int64_t>(context.slots.size() * sizeof(SlotScratch)),
            lists.bytes(context.pool.workers()) + workers * productScratch(plan, extents)};
  }
  std::unique_ptr<FactoredMatrix> factor(const FactoredShape &shape) override {
    return std::make_unique<CpuFactors>(context, shape);
  }
  Rates measureRates() override {
    makeProductsSingleThreaded();
    context.product = productOf(mostlyIn);
    return calibrate(context);
  }

private:
  /// The richest level alone: a device asked for less computes as a machine that has no more.
  bool usesTiles() const { return table.level() == std::end(plan::kCpuLevels)[-1] && hasTileUnits(); }
  Contraction productOf(plan::Precision precision) const {
    return precision == plan::Precision::Fp32 || !usesTiles() ? product : tileProduct(precision);
  }

  SlotTable table;
  Contraction product; // fp32; opened before the workers start
  plan::Precision mostlyIn;
  Context context;
  std::vector<AlignedMemory> blocks;
};
} // namespace

std::unique_ptr<Device> makeCpuDevice(SlotTable slots, int threads, plan::Precision mostlyIn) {
  return std::make_unique<CpuDevice>(std::move(slots), threads, mostlyIn);
}
} // namespace sn::rt::cpu

std::unique_ptr<sn::rt::Device> sn::rt::makeCpuDevice(const plan::Archive &archive, const plan::Plan &plan, int threads,
                                                      const std::string &level) {
  return cpu::makeCpuDevice(cpu::SlotTable::fromArchive(archive, plan, level), threads, cpu::widePrecision(plan));
}
