#include "runtime/exec/Model.h"
#include "runtime/exec/Initialize.h"
#include <algorithm>
#include <stdexcept>

namespace sn::rt {
namespace {
bool isTransposed(const plan::Parameter &parameter) { return parameter.layout == "columns"; }
/// Floats drawn on the host before they go to the device: 16 MiB.
constexpr int64_t kInitialBlock = int64_t(1) << 22;
} // namespace

Model::Model(const plan::Plan &plan, Device &device, SymbolValues symbols, ThreadPool &workers)
    : thePlan(plan), theDevice(device), symbolValues(std::move(symbols)), pool(workers) {
  for (const plan::Parameter &parameter : plan.parameters)
    pointers.parameters[parameter.name] = device.allocate(specOf(parameter).count(), parameter.storage);
}

TensorSpec Model::specOf(const plan::Parameter &parameter) const {
  Extents known{symbolValues, 0};
  bool vector = parameter.in == plan::Dim{1, ""} && !parameter.decays; // a bias; weights of one input stay matrices
  return {parameter.name, known.of(parameter.in), known.of(parameter.out), vector, isTransposed(parameter)};
}

const plan::Parameter &Model::find(const std::string &name) const {
  auto found = std::find_if(thePlan.parameters.begin(), thePlan.parameters.end(),
                            [&](const plan::Parameter &p) { return p.name == name; });
  if (found == thePlan.parameters.end())
    throw std::logic_error("no parameter '" + name + "'");
  return *found;
}

void Model::makeDeferrals(const std::vector<std::string> &parameters) {
  putOff.reset();
  pointers.deferred.clear();
  if (parameters.empty())
    return;
  putOff = std::make_unique<Deferrals>(*statesOf, *theDevice.deferralOps(), pool);
  for (const std::string &name : parameters) {
    std::vector<float *> values{pointers.parameters.at(name)};
    if (const auto states = pointers.states.find(name); states != pointers.states.end())
      values.insert(values.end(), states->second.begin(), states->second.end());
    putOff->add(specOf(find(name)), std::move(values));
    pointers.deferred[name] = putOff->find(name);
  }
}

void Model::defer(std::vector<std::string> parameters) {
  std::sort(parameters.begin(), parameters.end());
  if (parameters == (putOff ? putOff->names() : std::vector<std::string>()))
    return;
  settle();
  makeDeferrals(parameters);
}

void Model::settle() {
  if (putOff)
    putOff->settle();
}

void Model::initialize(uint64_t seed) {
  settle();
  forgetFactored();
  for (const plan::Parameter &parameter : thePlan.parameters) {
    TensorSpec spec = specOf(parameter);
    std::vector<float> block(static_cast<size_t>(std::min(spec.count(), kInitialBlock)));
    for (int64_t begin = 0; begin < spec.count(); begin += kInitialBlock) {
      int64_t end = std::min(spec.count(), begin + kInitialBlock);
      initialValues(parameter.init, spec.in, spec.out, isTransposed(parameter), seed, begin, end, block.data(), pool);
      theDevice.upload(pointers.parameters.at(parameter.name), begin, block.data(), end - begin);
    }
  }
}

void Model::allocateStates(const plan::Optimizer &optimizer) {
  if (statesOf == &optimizer)
    return;
  if (statesOf)
    throw std::logic_error("a model has the states of one optimizer");
  for (const plan::Parameter &parameter : thePlan.parameters)
    for (size_t i = 0; parameter.trained && i < optimizer.states.size(); ++i)
      pointers.states[parameter.name].push_back(theDevice.allocate(specOf(parameter).count()));
  statesOf = &optimizer;
}

void Model::clearStates() {
  settle();
  if (putOff)
    putOff->forgetSums();
  std::vector<float> zeros;
  for (const plan::Parameter &parameter : thePlan.parameters)
    for (float *state : pointers.states[parameter.name]) {
      const int64_t count = specOf(parameter).count();
      zeros.resize(std::max<size_t>(zeros.size(), std::min(count, kInitialBlock)));
      for (int64_t begin = 0; begin < count; begin += kInitialBlock)
        theDevice.upload(state, begin, zeros.data(), std::min(count - begin, kInitialBlock));
    }
}

float *Model::arena(int64_t count) {
  if (count > arenaCount) {
    arenaMemory = theDevice.allocate(count);
    arenaCount = count;
  }
  return arenaMemory;
}

FillTile Model::downloads(const TensorSpec &spec, const float *from) const {
  return [this, spec, from, turned = std::vector<float>()](const Tile &tile, float *block) mutable {
    // Runs of one memory row each; one run where the tile is contiguous.
    int64_t runs = spec.transposed ? tile.columns : tile.rows, length = spec.transposed ? tile.rows : tile.columns;
    int64_t stride = spec.transposed ? spec.in : spec.out;
    const int64_t first = spec.transposed ? tile.column * stride + tile.row : tile.row * stride + tile.column;
    if (spec.transposed)
      turned.resize(std::max<size_t>(turned.size(), tile.count()));
    float *to = spec.transposed ? turned.data() : block;
    if (length == stride)
      theDevice.download(to, from, first, tile.count());
    else
      for (int64_t run = 0; run < runs; ++run)
        theDevice.download(to + run * length, from, first + run * stride, length);
    if (spec.transposed)
      transpose(turned.data(), block, tile.rows, tile.columns);
  };
}

TakeTile Model::uploads(const TensorSpec &spec, float *to) {
  return [this, spec, to, turned = std::vector<float>()](const Tile &tile, const float *block) mutable {
    int64_t runs = spec.transposed ? tile.columns : tile.rows, length = spec.transposed ? tile.rows : tile.columns;
    int64_t stride = spec.transposed ? spec.in : spec.out;
    const int64_t first = spec.transposed ? tile.column * stride + tile.row : tile.row * stride + tile.column;
    if (spec.transposed) {
      turned.resize(std::max<size_t>(turned.size(), tile.count()));
      transpose(block, turned.data(), tile.columns, tile.rows);
    }
    const float *from = spec.transposed ? turned.data() : block;
    if (length == stride)
      theDevice.upload(to, first, from, tile.count());
    else
      for (int64_t run = 0; run < runs; ++run)
        theDevice.upload(to, first + run * stride, from + run * length, length);
  };
}

std::vector<float> Model::fetch(const plan::Parameter &parameter, const float *from) const {
  TensorSpec spec = specOf(parameter);
  std::vector<float> values(static_cast<size_t>(spec.count()));
  downloads(spec, from)({0, spec.in, 0, spec.out}, values.data());
  return values;
}

void Model::store(const plan::Parameter &parameter, float *to, const std::vector<float> &values) {
  TensorSpec spec = specOf(parameter);
  if (static_cast<int64_t>(values.size()) != spec.count())
    throw std::logic_error("parameter '" + parameter.name + "' has another number of values");
  uploads(spec, to)({0, spec.in, 0, spec.out}, values.data());
}

/// The parameter (0) or one of its states, of rows that have something to make up for.
std::vector<float> Model::upToDate(const plan::Parameter &parameter, size_t value) const {
  std::vector<std::vector<float>> values{fetch(parameter, pointers.parameters.at(parameter.name))};
  for (size_t i = 0; i < statesOf->states.size(); ++i)
    values.push_back(fetch(parameter, pointers.states.at(parameter.name)[i]));
  return putOff->upToDate(specOf(parameter), value, values);
}

std::vector<float> Model::parameter(const std::string &name) const {
  const plan::Parameter &parameter = find(name);
  if (putOff && putOff->pending() && putOff->has(name))
    return upToDate(parameter, 0);
  const TensorSpec spec = specOf(parameter);
  std::vector<float> values(static_cast<size_t>(spec.count()));
  valuesOf(parameter)({0, spec.in, 0, spec.out}, values.data());
  return values;
}
void Model::setParameter(const std::string &name, const std::vector<float> &values) {
  settle();
  if (putOff)
    putOff->forgetSums();
  fold();
  store(find(name), pointers.parameters.at(name), values);
  forgetFactored();
}
std::vector<float> Model::state(const std::string &name, size_t index) const {
  if (putOff && putOff->pending() && putOff->has(name))
    return upToDate(find(name), index + 1);
  return fetch(find(name), pointers.states.at(name).at(index));
}
void Model::setState(const std::string &name, size_t index, const std::vector<float> &values) {
  settle();
  if (putOff)
    putOff->forgetSums();
  store(find(name), pointers.states.at(name).at(index), values);
}

void Model::load(const CheckpointReader &weights, bool states) {
  forgetFactored();
  // Kernels may have been prepared with what there is.
  const bool asStored = states && statesOf && statesOf->untouched && theDevice.deferralOps() && weights.deferred() &&
                        weights.deferred()->states == statesOf->states &&
                        (!putOff || putOff->names() == weights.deferred()->parameters);
  settle();
  if (putOff)
    putOff->forgetSums();
  if (asStored && !putOff)
    makeDeferrals(weights.deferred()->parameters);
  for (const plan::Parameter &parameter : thePlan.parameters) {
    TensorSpec spec = specOf(parameter);
    weights.readParameter(spec, uploads(spec, pointers.parameters.at(parameter.name)), asStored);
    for (size_t i = 0; states && parameter.trained && statesOf && i < statesOf->states.size(); ++i)
      weights.readState(spec, statesOf->name, statesOf->states[i], uploads(spec, pointers.states.at(parameter.name)[i]),
                        asStored);
  }
  if (asStored)
    putOff->load(weights);
  if (states)
    loadFactored(weights);
}

void Model::save(CheckpointWriter &writer) const {
  const bool pending = putOff && putOff->pending();
  if (pending)
    writer.writeDeferred(putOff->header());
  for (const plan::Parameter &parameter : thePlan.parameters) {
    TensorSpec spec = specOf(parameter);
    writer.writeParameter(spec, valuesOf(parameter));
    for (size_t i = 0; parameter.trained && statesOf && i < statesOf->states.size(); ++i)
      writer.writeState(spec, statesOf->name, statesOf->states[i],
                        downloads(spec, pointers.states.at(parameter.name)[i]));
    if (pending && putOff->has(parameter.name))
      putOff->save(writer, spec);
  }
  saveFactored(writer);
}

int64_t Model::parameterBytes() const {
  int64_t count = 0;
  for (const plan::Parameter &parameter : thePlan.parameters)
    count += specOf(parameter).count();
  return count * static_cast<int64_t>(sizeof(float));
}
int64_t Model::stateBytes() const {
  int64_t count = 0;
  for (const plan::Parameter &parameter : thePlan.parameters)
    count +=
        parameter.trained && statesOf ? specOf(parameter).count() * static_cast<int64_t>(statesOf->states.size()) : 0;
  return count * static_cast<int64_t>(sizeof(float));
}
} // namespace sn::rt
