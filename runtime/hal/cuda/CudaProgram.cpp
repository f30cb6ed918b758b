#include "runtime/hal/cuda/CudaProgram.h"
#include "kernels-templates/cuda/wide_layout.cuh"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
constexpr int64_t kAlignment = 256;
static_assert(sizeof(StepArgs) <= 4096, "what every driver takes as arguments of a kernel");
constexpr const char *kFinishSums = "sn::cuda::finish_sums";
constexpr size_t kMostRecordings = 8; // of a program; a run that trains takes one, or two where Lambda changes

/// Deals out a block of memory.
struct Cutter {
  int64_t used = 0;
  template <typename T> int64_t take(int64_t count) {
    const int64_t here = used;
    used += (count * static_cast<int64_t>(sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
    return here;
  }
  template <typename T> int64_t takeFor(const std::vector<T> &values) {
    return take<T>(static_cast<int64_t>(values.size()));
  }
};

void placeWorkspace(const BoundStep &bound, const Launches &launches, ProgramPlaces::Step &places, int64_t &workspace) {
  Cutter cut;
  places.partials.assign(bound.sources.size(), -1);
  for (size_t s = 0; s < launches.partialFloats.size(); ++s)
    if (launches.partialFloats[s] > 0)
      places.partials.at(s) = cut.take<float>(launches.partialFloats[s]);
  for (size_t area = 0; area < places.work.size(); ++area)
    places.work[area] = launches.workBytes[area] > 0 ? cut.take<std::byte>(launches.workBytes[area]) : -1;
  workspace = std::max(workspace, cut.used);
}

std::vector<float> valuesOf(const std::vector<plan::Expr> &expressions, const Launch &launch) {
  std::vector<float> values;
  for (const plan::Expr &one : expressions)
    values.push_back(static_cast<float>(one.evaluate(launch.scalar)));
  return values;
}
template <typename T> void put(void *base, int64_t offset, const T *values, size_t count) {
  if (count > 0)
    std::memcpy(static_cast<char *>(base) + offset, values, count * sizeof(T));
}
} // namespace

ProgramPlaces placesOf(const std::vector<ProgramStep> &steps, const std::vector<Launches> &launches,
                       size_t updateHypers, int64_t maxRows) {
  ProgramPlaces places;
  places.steps.resize(steps.size());
  Cutter cut;
  places.frame = cut.take<Frame>(1);
  places.ids = cut.take<Int>(maxRows);
  places.updateHypers = cut.take<float>(static_cast<int64_t>(updateHypers));
  for (size_t i = 0; i < steps.size(); ++i)
    places.steps[i].hypers = cut.takeFor(std::vector<float>(steps[i].bound.hypers.size()));
  places.changing = cut.used;
  for (size_t i = 0; i < steps.size(); ++i) {
    const BoundStep &bound = steps[i].bound;
    places.steps[i].sources = cut.takeFor(bound.sources);
    places.steps[i].biases = cut.takeFor(bound.biases);
    places.steps[i].corruption = cut.takeFor(bound.corruption);
    placeWorkspace(bound, launches[i], places.steps[i], places.workspace);
    for (const Pass &pass : launches[i].passes)
      places.partCount += pass.sums ? 2 : 0;
  }
  places.parts = cut.take<PartialSums>(places.partCount);
  places.tables = cut.used;
  places.results = cut.take<double>(places.partCount);
  for (size_t i = 0; i < steps.size(); ++i)
    for (const Pass &pass : launches[i].passes) {
      const int64_t count = pass.blocks * pass.blocksY;
      places.steps[i].sums.push_back({-1, -1});
      if (pass.sums)
        places.steps[i].sums.back() = {cut.take<double>(count), cut.take<double>(count)};
    }
  places.block = cut.used;
  return places;
}

std::vector<Launches> launchesOf(const std::vector<ProgramStep> &steps, int64_t k) {
  std::vector<Launches> launches;
  for (const ProgramStep &step : steps)
    launches.push_back(givesLists(step.bound.step) && k == 0 ? Launches{} : step.bound.launches(k));
  return launches;
}

CudaProgram::CudaProgram(const Shared &shared, std::vector<ProgramStep> bound, const plan::Optimizer *optimizer,
                         int64_t maxRows)
    : shared(shared), steps(std::move(bound)), maxRows(maxRows), block(shared.context), lists(shared.context),
      changing(shared.context), results(shared.context), hostLists(shared.context) {
  if (optimizer)
    for (const plan::NamedExpr &scalar : optimizer->scalars)
      updateHypers.push_back(scalar.value);
  // Which kernels lists take does not depend on their length.
  constexpr int64_t kSomeLength = 1;
  launches = launchesOf(steps, kSomeLength);
  loadKernels();
  arrange(0, nullptr);
}

std::string CudaProgram::nameOf(const ProgramStep &step, const Pass &pass) const {
  return pass.kernel.empty() ? plan::instanceName(shared.modules.nameOf(step.kernel), step.bound.loaderName,
                                                  step.bound.optimizer, pass.number)
                             : pass.kernel;
}
KernelUse CudaProgram::useOf(const ProgramStep &step, const std::vector<Pass> &of) const {
  KernelUse use{step.kernel, step.bound.loaderName, step.bound.optimizer, {}};
  for (const Pass &pass : of)
    if (pass.kernel.empty() && !pass.product)
      use.names.insert(nameOf(step, pass));
  return use;
}

void CudaProgram::loadKernels() {
  std::vector<KernelUse> uses;
  KernelUse common{plan::kCudaCommon, "", "", {kFinishSums}};
  for (size_t i = 0; i < steps.size(); ++i) {
    uses.push_back(useOf(steps[i], launches[i].passes));
    for (const Pass &pass : launches[i].passes)
      if (!pass.kernel.empty())
        common.names.insert(pass.kernel);
  }
  uses.push_back(common);
  shared.modules.load(uses);
}

/// Launches, memory and kernels for lists of this length without what `exclude` (placed, or null) stores.
void CudaProgram::arrange(int64_t k, const DataView *exclude) {
  recordings.clear(); // what they point to goes now
  for (ProgramStep &step : steps)
    if (givesLists(step.bound.step)) {
      step.bound.args.data = exclude ? deviceView(*exclude) : sn::cuda::DataView{};
      step.bound.loader = exclude ? exclude->loader : Loader::CsrBinary;
      step.bound.loaderName = step.bound.loader == Loader::Dense ? "Dense" : "Csr"; // "Csr" also for nothing
    }
  launches = launchesOf(steps, k);
  places = placesOf(steps, launches, updateHypers.size(), maxRows);
  arrangedK = k;
  loadKernels();
  shared.workspace.held -= block.bytes();
  block.reserve(places.block);
  shared.workspace.held += block.bytes();
  changing.reserve(places.changing);
  results.reserve(places.partCount * static_cast<int64_t>(sizeof(double)));
  lists.reserve(maxRows * k * static_cast<int64_t>(sizeof(int32_t) + sizeof(float)));
  hostLists.reserve(maxRows * k * static_cast<int64_t>(sizeof(int32_t) + sizeof(float)));
  shared.workspace.reserve(places.workspace);
  bindSteps();
}

CudaProgram::Ready CudaProgram::readyPass(size_t step, size_t pass, int64_t &part) const {
  const BoundStep &bound = steps[step].bound;
  const ProgramPlaces::Step &at = places.steps[step];
  const DeviceBlock &work = shared.workspace.block;
  Ready ready;
  ready.pass = launches[step].passes[pass];
  StepArgs &args = ready.args = bound.args;
  args.frame = block.as<Frame>(places.frame);
  args.ids = block.as<Int>(places.ids);
  args.hypers = block.as<float>(at.hypers);
  args.updateHypers = block.as<float>(places.updateHypers);
  args.corruption = block.as<sn::cuda::Corruption>(at.corruption);
  args.sources = block.as<Source>(at.sources);
  args.biases = block.as<Bias>(at.biases);
  for (size_t area = 0; area < at.work.size(); ++area)
    args.work[area] = at.work[area] < 0 ? nullptr : work.as<void>(at.work[area]);
  if (!bound.sources.empty()) {
    args.source = bound.sources.at(ready.pass.source);
    const int64_t partials = at.partials[ready.pass.source];
    args.source.partials = partials < 0 ? nullptr : work.as<float>(partials);
  }
  if (ready.pass.oneUnit)
    args.sourceCount = args.lanes = 1; // to the template: one source, in one piece
  if (arrangedK > 0 && givesLists(bound.step)) {
    args.topColumns = lists.as<int>();
    args.topScores = lists.as<float>(maxRows * arrangedK * static_cast<int64_t>(sizeof(int32_t)));
  }
  if (ready.pass.sums) {
    args.sums = block.as<double>(at.sums[pass][0]);
    args.regularizations = block.as<double>(at.sums[pass][1]);
    ready.part = part;
    part += 2;
  }
  if (ready.pass.product)
    return ready;
  ready.function = &shared.modules.function(
      nameOf(steps[step], ready.pass),
      ready.pass.kernel.empty() ? useOf(steps[step], {}) : KernelUse{plan::kCudaCommon, "", "", {}}, ready.pass.shared);
  return ready;
}

/// What of the program's block does not change from run to run, from ProgramPlaces::changing on.
std::vector<std::byte> CudaProgram::tables() const {
  std::vector<std::byte> bytes(static_cast<size_t>(places.tables - places.changing));
  auto at = [&](int64_t offset) { return offset - places.changing; };
  std::vector<PartialSums> parts;
  for (size_t i = 0; i < steps.size(); ++i) {
    const BoundStep &bound = steps[i].bound;
    const ProgramPlaces::Step &place = places.steps[i];
    std::vector<Source> sources = bound.sources;
    for (size_t s = 0; s < sources.size(); ++s)
      sources[s].partials = place.partials[s] < 0 ? nullptr : shared.workspace.block.as<float>(place.partials[s]);
    put(bytes.data(), at(place.sources), sources.data(), sources.size());
    put(bytes.data(), at(place.biases), bound.biases.data(), bound.biases.size());
    put(bytes.data(), at(place.corruption), bound.corruption.data(), bound.corruption.size());
    for (size_t pass = 0; pass < place.sums.size(); ++pass)
      for (int64_t offset : place.sums[pass])
        if (offset >= 0)
          parts.push_back(
              {block.as<double>(offset), launches[i].passes[pass].blocks * launches[i].passes[pass].blocksY});
  }
  put(bytes.data(), at(places.parts), parts.data(), parts.size());
  return bytes;
}

/// Everything that points into the block and the workspace.
void CudaProgram::bindSteps() {
  recordings.clear();
  passes.assign(steps.size(), {});
  int64_t part = 0;
  for (size_t i = 0; i < steps.size(); ++i)
    for (size_t pass = 0; pass < launches[i].passes.size(); ++pass)
      passes[i].push_back(readyPass(i, pass, part));
  const std::vector<std::byte> fixed = tables();
  shared.context.copyIn(block.at(places.changing), fixed.data(), static_cast<int64_t>(fixed.size()));
  shared.context.synchronize();
  boundGeneration = shared.workspace.generation;
}

void CudaProgram::checkBatch(const Batch &batch, size_t listStep) const {
  if (batch.rows > maxRows)
    throw std::logic_error("a batch is larger than the program was prepared for");
  for (size_t i = 0; i < steps.size(); ++i) {
    const BoundStep &bound = steps[i].bound;
    if (bound.args.entries == 0 || !runs(i, listStep))
      continue;
    DataView view;
    view.indptr = reinterpret_cast<const int64_t *>(bound.args.data.indptr);
    view.index = bound.args.data.index;
    if (shared.data.entriesOf(view, batch.ids, batch.rows) > bound.args.entries)
      throw std::logic_error("a batch has more entries than its examples can have: an example stands in it twice");
  }
}

void CudaProgram::fillChanging(const Launch &launch, size_t listStep) {
  Frame frame;
  frame.rows = launch.batch.rows;
  frame.seed = launch.batch.seed;
  frame.step = launch.batch.step;
  frame.epoch = launch.batch.epoch;
  frame.k = static_cast<int>(arrangedK);
  put(changing.data(), places.frame, &frame, 1);
  put(changing.data(), places.ids, launch.batch.ids, static_cast<size_t>(launch.batch.rows));
  const std::vector<float> updates = valuesOf(updateHypers, launch);
  put(changing.data(), places.updateHypers, updates.data(), updates.size());
  for (size_t i = 0; i < steps.size(); ++i)
    if (runs(i, listStep)) {
      const std::vector<float> hypers = valuesOf(steps[i].bound.hypers, launch);
      put(changing.data(), places.steps[i].hypers, hypers.data(), hypers.size());
    }
}

void CudaProgram::launchKernel(const Function &function, int64_t blocks, int64_t blocksY, int threads,
                               int64_t sharedBytes, void *argument) const {
  void *arguments[] = {argument};
  shared.context.require(
      shared.context.driver.launchKernel(function.handle, static_cast<unsigned>(blocks), static_cast<unsigned>(blocksY),
                                         1, static_cast<unsigned>(threads), 1, 1, static_cast<unsigned>(sharedBytes),
                                         shared.context.stream(), arguments, nullptr),
      "launching a kernel");
}

CudaProgram::Kind CudaProgram::kindOf(const Launch &launch, size_t listStep) const {
  Kind kind{std::min(listStep, steps.size()), {}};
  for (const ProgramStep &step : steps) {
    const std::optional<std::vector<std::string>> &idle = step.bound.idleWhenZero;
    kind.touchedOnly.push_back(
        idle && std::all_of(idle->begin(), idle->end(), [&](const auto &name) { return launch.scalar(name) == 0; }));
  }
  return kind;
}

/// The product of a pass, by the library.
void CudaProgram::multiply(size_t step, const Ready &ready) const {
  const StepArgs &args = ready.args;
  shared.library.multiply(*ready.pass.product, args.source.x, args.source.weights.value,
                          static_cast<float *>(args.work[gemm::kPartials]), args.work[kLibraryWorkspaceArea],
                          launches[step].workBytes[kLibraryWorkspaceArea]);
}

void CudaProgram::launchStep(size_t step, bool touchedOnly) {
  for (Ready &ready : passes[step]) {
    if (ready.pass.blocks == 0 || ready.pass.blocksY == 0) // nothing to do, as where the data store nothing
      continue;
    for (size_t area : ready.pass.zeroed)
      shared.context.zero(reinterpret_cast<DevicePointer>(ready.args.work[area]), launches[step].workBytes[area]);
    ready.args.touchedOnly = touchedOnly;
    if (ready.pass.product)
      multiply(step, ready);
    else
      launchKernel(*ready.function, ready.pass.blocks, ready.pass.blocksY, ready.pass.threads, ready.pass.shared,
                   &ready.args);
  }
}

/// The copies of all results, whatever the batch's number of rows.
void CudaProgram::fetch(const Kind &kind) const {
  const Context &context = shared.context;
  if (places.partCount > 0) {
    FinishArgs args{block.as<PartialSums>(places.parts), block.as<double>(places.results)};
    const KernelUse common{plan::kCudaCommon, "", "", {}};
    launchKernel(shared.modules.function(kFinishSums, common, 0), places.partCount, 1, kThreads, 0, &args);
    context.copyOut(results.data(), block.at(places.results), places.partCount * static_cast<int64_t>(sizeof(double)));
  }
  if (kind.listStep < steps.size())
    context.copyOut(hostLists.data(), lists.at(),
                    maxRows * arrangedK * static_cast<int64_t>(sizeof(int32_t) + sizeof(float)));
}

/// Gives a whole run to the stream: what changed, the kernels, the results.
void CudaProgram::enqueue(const Kind &kind) {
  shared.context.copyIn(block.at(), changing.data(), places.changing);
  for (size_t i = 0; i < steps.size(); ++i) {
    if (shared.timed)
      events[i].record();
    if (runs(i, kind.listStep))
      launchStep(i, kind.touchedOnly[i]);
  }
  if (shared.timed)
    events[steps.size()].record();
  fetch(kind);
}

/// The same, recorded. The first run of a kind is not: many come only once, and a driver that loads kernels when they
/// are first launched does so then. Nor are steps that are timed.
void CudaProgram::start(const Kind &kind) {
  if (shared.timed) {
    while (events.size() <= steps.size())
      events.emplace_back(shared.context);
    return enqueue(kind);
  }
  auto known = std::find_if(recordings.begin(), recordings.end(), [&](const auto &one) { return one.kind == kind; });
  if (known == recordings.end()) {
    enqueue(kind);
    if (recordings.size() == kMostRecordings)
      recordings.erase(recordings.begin());
    recordings.push_back({kind, nullptr});
    return;
  }
  if (!known->graph)
    known->graph = std::make_unique<Graph>(shared.context, [&] { enqueue(kind); });
  known->graph->launch();
}

void CudaProgram::handOver(const Launch &launch) const {
  const int64_t entries = launch.batch.rows * arrangedK;
  const int64_t scores = maxRows * arrangedK * static_cast<int64_t>(sizeof(int32_t));
  std::memcpy(launch.topk->columns, hostLists.data(), static_cast<size_t>(entries) * sizeof(int32_t));
  std::memcpy(launch.topk->scores, hostLists.data() + scores, static_cast<size_t>(entries) * sizeof(float));
}

void CudaProgram::run(Launch &launch, size_t listStep, const Done &done) {
  shared.context.use();
  const bool empty = launch.batch.rows == 0;
  if (!empty && listStep < steps.size()) {
    if (!launch.topk)
      throw std::logic_error("wide_topk was launched without lists");
    const std::optional<DataView> exclude =
        launch.topk->exclude ? std::optional(shared.data.place(*launch.topk->exclude)) : std::nullopt;
    const sn::cuda::DataView view = exclude ? deviceView(*exclude) : sn::cuda::DataView{};
    const sn::cuda::DataView &now = steps[listStep].bound.args.data;
    if (launch.topk->k != arrangedK || std::memcmp(&view, &now, sizeof view) != 0)
      arrange(launch.topk->k, exclude ? &*exclude : nullptr);
  }
  if (!empty) {
    checkBatch(launch.batch, listStep);
    if (boundGeneration != shared.workspace.generation)
      bindSteps();
    fillChanging(launch, listStep);
    start(kindOf(launch, listStep));
    shared.context.synchronize();
    if (listStep < steps.size() && arrangedK > 0)
      handOver(launch);
  }
  const double *sums = reinterpret_cast<const double *>(results.data());
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!runs(i, listStep))
      continue;
    StepResult result;
    for (const Ready &ready : passes[i])
      if (ready.part >= 0 && !empty) {
        result.sum += sums[ready.part];
        result.regularization += sums[ready.part + 1];
      }
    result.seconds = empty || !shared.timed ? 0 : events[i + 1].secondsSince(events[i]);
    done(i, result);
  }
}
} // namespace sn::rt::cuda
