#include "runtime/hal/cuda/Binder.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Lanes.h"
#include <algorithm>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
using plan::Role;

template <typename Map> const auto *lookUp(const Map &map, const std::string &name) {
  auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

const plan::Source &onlySource(const plan::Step &step) {
  if (step.sources.size() != 1)
    userError("step '{}' of the plan: {} takes one source, not {}", step.label, step.kernel, step.sources.size());
  return step.sources.front();
}

/// Sources, in the order of the step, whose gradients wait for all lanes: WideOutput::late of
/// kernels-templates/cpu/WideOutput.h.
void markLate(const plan::Step &step, std::vector<Source> &sources) {
  for (size_t s = 0; s < sources.size(); ++s)
    for (size_t other = 0; other < s && sources[s].descent; ++other)
      if (step.sources[s].weightGradient == step.sources[other].weightGradient &&
          (sources[s].outerFirst != sources[other].outerFirst || sources[other].late))
        sources[s].late = 1;
}

/// Whether the step's results are vectors [N], the same for every row.
bool writesVectors(const plan::Step &step) {
  size_t vectors = 0, all = 0;
  for (const auto &[name, use] : step.slots)
    for (const plan::SlotArg &arg : use.out) {
      ++all;
      vectors += arg.role == Role::Column;
    }
  if (vectors > 0 && vectors < all)
    userError("step '{}' of the plan writes vectors and matrices at once", step.label);
  return vectors > 0;
}

bool isWideSweep(const plan::Step &step) {
  return step.kernel == "wide_output" || (step.kernel == "wide_softmax" && step.sweep != "statistics");
}

/// What the schemas ask for beyond names.
void checkSchema(const plan::Step &step) {
  const auto refuseRows = [&](const char *sweep, const char *count) {
    userError("step '{}' of the plan: a {} sweep writes {}, not {}", step.label, sweep, count, step.rows.size());
  };
  if (step.kernel == "wide_softmax" && step.sweep == "statistics" && step.rows.size() != 2)
    refuseRows("statistics", "two row buffers");
  if (step.sweep == "norm" && step.rows.size() != 1)
    refuseRows("norm", "one row buffer");
  static constexpr std::string_view kSweeps[] = {"single", "forward", "update", "loss", "norm"};
  if (isWideSweep(step) && std::count(std::begin(kSweeps), std::end(kSweeps), step.sweep) == 0)
    userError("step '{}' of the plan has the unknown sweep '{}'", step.label, step.sweep);
  if (step.kernel == "limit_norm" && !(step.limit > 0))
    userError("step '{}' of the plan limits norms to {}, which is not positive", step.label, step.limit);
  for (const std::string &reduction : step.reductions)
    if (reduction != "max" && reduction != "sum")
      userError("step '{}' of the plan has the unknown reduction '{}'", step.label, reduction);
  if (step.rows.size() > kRowBuffers)
    userError("step '{}' of the plan has more than {} reductions", step.label, kRowBuffers);
}
} // namespace

sn::cuda::DataView deviceView(const DataView &view) {
  sn::cuda::DataView result;
  result.rows = view.rows;
  result.columns = view.columns;
  result.storedColumns = view.storedColumns;
  result.indptr = reinterpret_cast<const Int *>(view.indptr);
  result.indices = view.indices;
  result.values = view.values;
  result.index = view.index;
  result.weights = view.weights;
  result.inputOffset = view.inputOffset;
  result.dense = view.loader == Loader::Dense;
  return result;
}

float *Binder::buffer(const plan::Step &step, const std::string &name) const {
  if (float *const *found = lookUp(memory.buffers, name))
    return *found;
  userError("step '{}' of the plan names the buffer '{}', which does not exist", step.label, name);
}

const DataView &Binder::data(const plan::Step &step, const std::string &name) const {
  if (const DataView *found = lookUp(memory.data, name))
    return *found;
  userError("step '{}' of the plan reads the data set '{}', which is not bound", step.label, name);
}

const plan::Parameter &Binder::parameter(const plan::Step &step, const std::string &name) const {
  for (const plan::Parameter &candidate : plan.parameters)
    if (candidate.name == name)
      return candidate;
  userError("step '{}' of the plan names the parameter '{}', which does not exist", step.label, name);
}

Trained Binder::trained(const plan::Step &step, const std::string &name) const {
  Trained result;
  float *const *value = lookUp(memory.parameters, name);
  if (!value)
    userError("step '{}' of the plan names the parameter '{}', which has no memory", step.label, name);
  result.value = *value;
  result.stream = parameter(step, name).init.stream;
  if (!step.update)
    return result;
  const std::vector<float *> *states = lookUp(memory.states, name);
  const size_t count = states ? states->size() : 0;
  if (!optimizer || count != optimizer->states.size())
    throw std::logic_error("parameter " + name + ": states and optimizer do not fit");
  for (size_t i = 0; i < count; ++i)
    result.states[i] = (*states)[i];
  return result;
}

Source Binder::source(const plan::Step &step, const plan::Source &from) const {
  Source result;
  const bool backprop = step.sweep == "single" || step.sweep == "forward";
  if (!from.data && !from.ref.empty())
    result.x = buffer(step, from.ref);
  if (backprop)
    result.gradient = bufferOrNull(step, from.gradient);
  result.descent = bufferOrNull(step, from.weightGradient);
  result.accumulate = from.accumulate;
  result.scale = static_cast<float>(from.scale);
  if (from.weights.empty())
    return result;
  const plan::Parameter &weights = parameter(step, from.weights);
  result.weights = trained(step, from.weights);
  result.inner = extents.of(from.transposed ? weights.out : weights.in);
  result.outer = extents.of(from.transposed ? weights.in : weights.out);
  result.outerFirst = (weights.layout == "columns") != from.transposed;
  return result;
}

void Binder::bindData(BoundStep &bound) const {
  const plan::Step &step = bound.step;
  const bool reads = !step.sources.empty() && step.sources.front().data;
  if (!reads && step.target.empty())
    return;
  const DataView &view = data(step, reads ? step.sources.front().ref : step.target);
  bound.args.data = deviceView(view);
  bound.loader = view.loader;
  bound.loaderName = view.loader == Loader::Dense ? "Dense" : !reads && view.ignoreZeros ? "CsrStoredOnly" : "Csr";
  if (!reads)
    return;
  for (const plan::Corruption &one : onlySource(step).corruption)
    bound.corruption.push_back({one.stream, static_cast<float>(one.p)});
  bound.args.corruptions = static_cast<int>(bound.corruption.size());
  if (step.kernel == "csc_update" && view.loader != Loader::Dense)
    bound.args.entries = mostEntries(view, extents.maxRows);
}

void Binder::bindOperands(BoundStep &bound) const {
  const plan::Step &step = bound.step;
  const plan::StepLayout layout = plan::layoutOf(step);
  if (layout.pointers.size() > kPointers)
    userError("step '{}' of the plan has more than {} operands, which the CUDA device does not take", step.label,
              kPointers);
  for (size_t i = 0; i < layout.pointers.size(); ++i) {
    float *const *value = lookUp(memory.parameters, layout.pointers[i]);
    bound.args.pointers[i] = value ? *value : buffer(step, layout.pointers[i]);
  }
  bound.hypers = layout.hypers;
  for (size_t i = 0; i < step.rows.size(); ++i)
    bound.args.rows[i] = bufferOrNull(step, step.rows[i]);
  bound.args.delta = bufferOrNull(step, step.delta);
}

BoundStep Binder::bind(const plan::Step &step) const {
  checkSchema(step);
  BoundStep bound;
  bound.step = step;
  bound.args.columns = extents.of(step.columns);
  bound.args.maxRows = extents.maxRows;
  bound.args.lanes = plan.lanes;
  bound.setVariant(sn::cuda::kPlainVariant);
  bound.deltaBuffer = plan.allowDeltaBuffer;
  bound.args.limit = step.limit;
  if (step.update && !optimizer)
    throw std::logic_error("step " + step.label + " updates parameters and was given no optimizer");
  if (step.update && optimizer->states.size() > kStates)
    userError("the optimizer '{}' has too many states: the CUDA device takes {}", optimizer->name, kStates);
  bindOperands(bound);
  bindData(bound);
  for (const plan::Source &one : step.sources) {
    bound.sources.push_back(source(step, one));
    if (!one.weights.empty())
      bound.storage = parameter(step, one.weights).storage;
  }
  if (isWideSweep(step))
    markLate(step, bound.sources);
  for (const std::string &name : step.biases)
    if (step.update)
      bound.biases.push_back({trained(step, name), extents.of(parameter(step, name).out)});
  bound.args.sourceCount = static_cast<int>(bound.sources.size());
  bound.args.biasCount = static_cast<int>(bound.biases.size());
  if (!bound.sources.empty())
    bound.args.source = bound.sources.front();
  const bool writes = step.update || (!bound.sources.empty() && bound.sources.front().descent);
  if ((step.kernel == "csc_update" || step.kernel == "gemm_update") && !writes)
    userError("step '{}' of the plan: {} updates nothing", step.label, step.kernel);
  if (step.kernel == "update" && (!step.update || !writes || !onlySource(step).weightGradient.size()))
    userError("step '{}' of the plan: {} applies no gradient", step.label, step.kernel);
  if (step.update)
    bound.optimizer = optimizer->name;
  if (step.kernel == "csc_update" && step.update && !bound.args.source.descent)
    bound.idleWhenZero = optimizer->idleWhenZero;
  if (givesLists(step))
    bound.loaderName = "Csr"; // of what lists leave out, of which nothing is known yet
  bound.vectors = step.kernel == "map" && writesVectors(step);
  return bound;
}

void BoundStep::setVariant(const Variant &chosen) {
  variant = &chosen;
  args.wideLanes = wideLanesOf(chosen, args.maxRows, args.columns);
}

Launches BoundStep::launches(int64_t k) const {
  const StepShape shape{step, args, sources, loader, variant, library ? &*library : nullptr, storage, deltaBuffer};
  const std::string &kernel = step.kernel;
  if (kernel == "gemm")
    return library ? libraryLaunches(shape) : gemmLaunches(shape);
  if (kernel == "wide_softmax" && step.sweep == "statistics")
    return wideSoftmaxLaunches(shape);
  if (isWideSweep(step))
    return wideOutputLaunches(shape);
  if (kernel == "wide_topk")
    return wideTopkLaunches(shape, k);
  if (kernel == "map")
    return mapLaunches(shape, vectors);
  if (kernel == "row_reduce")
    return rowReduceLaunches(shape);
  if (kernel == "column_reduce")
    return columnReduceLaunches(shape);
  using OfOneSource = Launches (*)(const StepShape &);
  static const std::map<std::string, OfOneSource> rest = {
      {"csr_gather", csrGatherLaunches}, {"csc_update", cscUpdateLaunches}, {"gemm_update", gemmUpdateLaunches},
      {"expand", expandLaunches},        {"update", updateLaunches},        {"limit_norm", limitNormLaunches}};
  auto found = rest.find(kernel);
  if (found == rest.end())
    userError("step '{}' of the plan needs the kernel schema '{}', which the CUDA device does not have", step.label,
              kernel);
  onlySource(step);
  return found->second(shape);
}
} // namespace sn::rt::cuda
