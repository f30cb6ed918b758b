#include "runtime/exec/Model.h"
#include "runtime/exec/Initialize.h"
#include <algorithm>
#include <stdexcept>

namespace sn::rt {
namespace {
bool isTransposed(const plan::Parameter &parameter) { return parameter.layout == "columns"; }
/// Floats drawn on the host before they go to the device.
constexpr int64_t kInitialBlock = int64_t(1) << 24;
} // namespace

Model::Model(const plan::Plan &plan, Device &device, SymbolValues symbols, ThreadPool &workers)
    : thePlan(plan), theDevice(device), symbolValues(std::move(symbols)), pool(workers) {
  for (const plan::Parameter &parameter : plan.parameters)
    pointers.parameters[parameter.name] = device.allocate(specOf(parameter).count());
}

TensorSpec Model::specOf(const plan::Parameter &parameter) const {
  Extents known{symbolValues, 0};
  bool vector = parameter.in == plan::Dim{1, ""} && !parameter.decays; // a bias; weights of one input stay matrices
  return {parameter.name, known.of(parameter.in), known.of(parameter.out), vector};
}

const plan::Parameter &Model::find(const std::string &name) const {
  auto found = std::find_if(thePlan.parameters.begin(), thePlan.parameters.end(),
                            [&](const plan::Parameter &p) { return p.name == name; });
  if (found == thePlan.parameters.end())
    throw std::logic_error("no parameter '" + name + "'");
  return *found;
}

void Model::initialize(uint64_t seed) {
  for (const plan::Parameter &parameter : thePlan.parameters) {
    TensorSpec spec = specOf(parameter);
    std::vector<float> block(static_cast<size_t>(std::min(spec.count(), kInitialBlock)));
    for (int64_t begin = 0; begin < spec.count(); begin += kInitialBlock) {
      int64_t end = std::min(spec.count(), begin + kInitialBlock);
      initialValues(parameter.init, spec.in, spec.out, isTransposed(parameter), seed, begin, end, block.data(), pool);
      theDevice.upload(pointers.parameters.at(parameter.name) + begin, block.data(), end - begin);
    }
  }
}

void Model::allocateStates(const plan::Optimizer &optimizer) {
  if (statesOf == &optimizer)
    return;
  if (statesOf)
    throw std::logic_error("a model has the states of one optimizer");
  for (const plan::Parameter &parameter : thePlan.parameters)
    for (size_t i = 0; i < optimizer.states.size(); ++i)
      pointers.states[parameter.name].push_back(theDevice.allocate(specOf(parameter).count()));
  statesOf = &optimizer;
}

float *Model::arena(int64_t count) {
  if (count > arenaCount) {
    arenaMemory = theDevice.allocate(count);
    arenaCount = count;
  }
  return arenaMemory;
}

std::vector<float> Model::fetch(const plan::Parameter &parameter, const float *from) const {
  TensorSpec spec = specOf(parameter);
  std::vector<float> inMemory(static_cast<size_t>(spec.count()));
  theDevice.download(inMemory.data(), from, spec.count());
  if (!isTransposed(parameter))
    return inMemory;
  std::vector<float> values(inMemory.size());
  rowsFrom(inMemory.data(), spec.in, spec.out, true)(0, spec.in, values.data());
  return values;
}

void Model::store(const plan::Parameter &parameter, float *to, const std::vector<float> &values) {
  TensorSpec spec = specOf(parameter);
  if (static_cast<int64_t>(values.size()) != spec.count())
    throw std::logic_error("parameter '" + parameter.name + "' has another number of values");
  std::vector<float> inMemory(values.size());
  rowsInto(inMemory.data(), spec.in, spec.out, isTransposed(parameter))(0, spec.in, values.data());
  theDevice.upload(to, inMemory.data(), spec.count());
}

std::vector<float> Model::parameter(const std::string &name) const {
  return fetch(find(name), pointers.parameters.at(name));
}
void Model::setParameter(const std::string &name, const std::vector<float> &values) {
  store(find(name), pointers.parameters.at(name), values);
}
std::vector<float> Model::state(const std::string &name, size_t index) const {
  return fetch(find(name), pointers.states.at(name).at(index));
}
void Model::setState(const std::string &name, size_t index, const std::vector<float> &values) {
  store(find(name), pointers.states.at(name).at(index), values);
}

void Model::load(const CheckpointReader &weights, bool states) {
  for (const plan::Parameter &parameter : thePlan.parameters) {
    TensorSpec spec = specOf(parameter);
    std::vector<float> inMemory(static_cast<size_t>(spec.count()));
    TakeRows take = rowsInto(inMemory.data(), spec.in, spec.out, isTransposed(parameter));
    weights.readParameter(spec, take);
    theDevice.upload(pointers.parameters.at(parameter.name), inMemory.data(), spec.count());
    for (size_t i = 0; states && statesOf && i < statesOf->states.size(); ++i) {
      weights.readState(spec, statesOf->name, statesOf->states[i], take);
      theDevice.upload(pointers.states.at(parameter.name)[i], inMemory.data(), spec.count());
    }
  }
}

void Model::save(CheckpointWriter &writer) const {
  for (const plan::Parameter &parameter : thePlan.parameters) {
    TensorSpec spec = specOf(parameter);
    std::vector<float> inMemory(static_cast<size_t>(spec.count()));
    FillRows fill = rowsFrom(inMemory.data(), spec.in, spec.out, isTransposed(parameter));
    theDevice.download(inMemory.data(), pointers.parameters.at(parameter.name), spec.count());
    writer.writeParameter(spec, fill);
    for (size_t i = 0; statesOf && i < statesOf->states.size(); ++i) {
      theDevice.download(inMemory.data(), pointers.states.at(parameter.name)[i], spec.count());
      writer.writeState(spec, statesOf->name, statesOf->states[i], fill);
    }
  }
}

int64_t Model::parameterBytes() const {
  int64_t count = 0;
  for (const plan::Parameter &parameter : thePlan.parameters)
    count += specOf(parameter).count();
  return count * static_cast<int64_t>(sizeof(float));
}
int64_t Model::stateBytes() const {
  return statesOf ? parameterBytes() * static_cast<int64_t>(statesOf->states.size()) : 0;
}
} // namespace sn::rt
