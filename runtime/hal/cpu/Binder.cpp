#include "runtime/hal/cpu/Binder.h"
#include "runtime/plan/Error.h"

namespace sn::rt::cpu {
using plan::Role;

template <typename Map> static const auto *lookUp(const Map &map, const std::string &name) {
  auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

float *Binder::buffer(const std::string &name) const {
  if (float *const *found = lookUp(memory.buffers, name))
    return *found;
  userError("step '{}' of the plan names the buffer '{}', which does not exist", step.label, name);
}

const DataView &Binder::data(const std::string &name) const {
  if (const DataView *found = lookUp(memory.data, name))
    return *found;
  userError("step '{}' of the plan reads the data set '{}', which is not bound", step.label, name);
}

const plan::Parameter &Binder::parameter(const std::string &name) const {
  for (const plan::Parameter &candidate : plan.parameters)
    if (candidate.name == name)
      return candidate;
  userError("step '{}' of the plan names the parameter '{}', which does not exist", step.label, name);
}

Trained Binder::trained(const std::string &name) const {
  Trained result;
  float *const *value = lookUp(memory.parameters, name);
  if (!value)
    userError("step '{}' of the plan names the parameter '{}', which has no memory", step.label, name);
  result.value = *value;
  if (!step.update)
    return result;
  if (const std::vector<float *> *states = lookUp(memory.states, name))
    result.states = *states;
  if (!optimizer || result.states.size() != optimizer->states.size())
    throw std::logic_error("parameter " + name + ": states and optimizer do not fit");
  return result;
}

SpanOperand Binder::span(const plan::SlotArg &arg) const {
  SpanOperand result;
  result.role = arg.role;
  switch (arg.role) {
  case Role::Element:
    result.base = buffer(arg.ref);
    result.stride = columns();
    break;
  case Role::Column: {
    float *const *value = lookUp(memory.parameters, arg.ref);
    result.base = value ? *value : buffer(arg.ref);
    break;
  }
  case Role::Mask:
    result.random.stream = arg.stream;
    result.p = static_cast<float>(arg.p);
    break;
  case Role::Accumulator:
  case Role::Target:
  case Role::Index:
  case Role::Delta:
    break;
  default:
    userError("step '{}' of the plan binds a scalar where a slot reads a span", step.label);
  }
  return result;
}

ScalarOperand Binder::scalar(const plan::SlotArg &arg) const {
  ScalarOperand result;
  result.role = arg.role;
  switch (arg.role) {
  case Role::Row:
    result.rows = buffer(arg.ref);
    break;
  case Role::Hyper:
    result.value = arg.value;
    break;
  case Role::Reduction:
    if (arg.index < 0 || arg.index >= static_cast<int64_t>(step.reductions.size()))
      userError("step '{}' of the plan reads reduction {} of {}", step.label, arg.index, step.reductions.size());
    result.index = arg.index;
    break;
  case Role::TargetWeight:
  case Role::TargetScale:
  case Role::TargetSum:
  case Role::TargetBinary:
    break;
  default:
    userError("step '{}' of the plan binds a span where a slot reads a scalar", step.label);
  }
  return result;
}

Slot Binder::slot(const std::string &name) const {
  const plan::SlotUse *use = lookUp(step.slots, name);
  if (!use)
    userError("step '{}' of the plan has no slot '{}', which {} needs", step.label, name, step.kernel);
  if (use->in.size() > kMaxOperands || use->out.size() > kMaxOperands || use->scalars.size() > kMaxOperands)
    userError("step '{}' of the plan: slot '{}' has more than {} operands", step.label, name, kMaxOperands);
  Slot result;
  result.function = table.find(use->function);
  for (const plan::SlotArg &arg : use->in)
    result.in.push_back(span(arg));
  for (const plan::SlotArg &arg : use->out)
    result.out.push_back(span(arg));
  for (const plan::SlotArg &arg : use->scalars)
    result.scalars.push_back(scalar(arg));
  return result;
}

TargetSlots Binder::targetSlots() const {
  TargetSlots result;
  if (step.target.empty()) {
    result.body = slot("body");
    return result;
  }
  result.target = data(step.target);
  if (result.target->loader == Loader::Dense) {
    result.dense = slot("dense");
  } else if (result.target->ignoreZeros) {
    result.storedOnly = slot("stored_only");
  } else {
    result.background = slot("background");
    result.stored = slot("stored");
  }
  return result;
}

const plan::Source &Binder::onlySource() const {
  if (step.sources.size() != 1)
    userError("step '{}' of the plan: {} takes one source, not {}", step.label, step.kernel, step.sources.size());
  return step.sources.front();
}

Weights Binder::weights(const plan::Source &source) const {
  const plan::Parameter &weights = parameter(source.weights);
  Weights result;
  result.trained = trained(source.weights);
  result.inner = extents.of(source.transposed ? weights.out : weights.in);
  result.outer = extents.of(source.transposed ? weights.in : weights.out);
  result.outerFirst = (weights.layout == "columns") != source.transposed;
  return result;
}

DataSource Binder::dataSource(const plan::Source &source) const {
  DataSource result;
  result.data = data(source.ref);
  result.corruption = source.corruption;
  return result;
}

DeferredRows *Binder::deferred(const plan::Source &source) const {
  DeferredRows *const *found = lookUp(memory.deferred, source.weights);
  return found ? *found : nullptr;
}
FactoredMatrix *Binder::factored() const {
  if (!step.factored || step.sources.size() != 1)
    return nullptr;
  const auto *found = lookUp(memory.factors, step.sources.front().weights);
  return found ? found->get() : nullptr;
}

Descent Binder::descent(const plan::Source &source) const {
  if (source.weightGradient.empty())
    return {nullptr, false, source.scale};
  return {buffer(source.weightGradient), source.accumulate, source.scale};
}

bool Binder::writesVectors() const {
  size_t vectors = 0, all = 0;
  for (const auto &[name, use] : step.slots)
    for (const plan::SlotArg &arg : use.out) {
      ++all;
      vectors += arg.role == Role::Column;
    }
  if (vectors == 0)
    return false;
  if (vectors < all)
    userError("step '{}' of the plan writes vectors and matrices at once", step.label);
  auto ofOneRow = [](Role role) { return role == Role::Column || role == Role::Index || role == Role::Hyper; };
  for (const auto &[name, use] : step.slots)
    for (const auto *operands : {&use.in, &use.scalars})
      for (const plan::SlotArg &arg : *operands)
        if (!ofOneRow(arg.role))
          userError("step '{}' of the plan is a map of vectors and reads what belongs to rows", step.label);
  return true;
}

std::vector<BufferSource> Binder::bufferSources() const {
  std::vector<BufferSource> result;
  for (const plan::Source &source : step.sources) {
    if (source.data)
      userError("step '{}' of the plan: {} reads buffers, not the data set '{}'", step.label, step.kernel, source.ref);
    result.push_back({buffer(source.ref), weights(source), source.gradient.empty() ? nullptr : buffer(source.gradient),
                      descent(source)});
  }
  return result;
}

std::vector<BiasVector> Binder::biases() const {
  std::vector<BiasVector> result;
  for (const std::string &name : step.biases)
    result.push_back({trained(name), extents.of(parameter(name).out)});
  return result;
}

UpdateSlot Binder::updateSlot(bool bias) const {
  UpdateSlot result;
  if (!step.update)
    return result;
  if (!optimizer)
    throw std::logic_error("step " + step.label + " updates parameters and was given no optimizer");
  if (optimizer->states.size() + 2 > kMaxOperands || optimizer->scalars.size() > kMaxOperands)
    userError("the optimizer '{}' has too many states or scalars (at most {})", optimizer->name, kMaxOperands - 2);
  result.function = table.find(bias ? optimizer->bias : optimizer->weights);
  for (const plan::NamedExpr &scalar : optimizer->scalars)
    result.scalars.push_back(scalar.value);
  return result;
}
} // namespace sn::rt::cpu
