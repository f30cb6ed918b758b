// What every plan must satisfy whatever its network: names, shapes, slots, order. docs/spec/plan.md is the authority on
// the schemas.
#include "runtime/plan/Lanes.h"
#include "runtime/plan/PlanVerifier.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>

namespace sn::plan {
namespace {
using Names = Verifier::Names;
constexpr int64_t kMostUnits = std::numeric_limits<int32_t>::max();
const Names kTrainingSymbols = {"Alpha", "Step", "Epoch", "Steps", "Epochs"};

/// The shape of a buffer as the steps see it.
std::vector<Dim> rowsBy(const Dim &columns) { return {Dim{0, "B"}, columns}; }
const std::vector<Dim> kPerRow = {Dim{0, "B"}};
} // namespace

std::vector<std::string> Verifier::run() {
  checkTables();
  if (!problems.empty())
    return problems; // the steps would only repeat them
  for (const Entry &entry : plan.entries)
    checkEntry(entry);
  return problems;
}

void Verifier::checkTables() {
  if (plan.schema != kSchemaVersion)
    problem("schema {} is not the schema {} of this program", plan.schema, kSchemaVersion);
  if (plan.lanes != kLanes)
    problem("{} lanes, where the CPU target has {}", plan.lanes, kLanes);
  index(plan.symbols, symbols, "symbol");
  index(plan.datasets, datasets, "data set");
  index(plan.parameters, parameters, "parameter");
  index(plan.functions, functions, "slot function");
  for (const Symbol &symbol : plan.symbols) {
    if (symbol.name == "B")
      problem("the symbol B is the batch and cannot be a data set's width");
    find(datasets, symbol.dataset, "data set");
  }
  for (const DataSet &set : plan.datasets)
    checkDim(set.columns, false, "data set '" + set.name + "'");
  for (const Parameter &p : plan.parameters) {
    checkDim(p.in, false, "parameter '" + p.name + "'");
    checkDim(p.out, false, "parameter '" + p.name + "'");
    if (p.layout != "rows" && p.layout != "columns")
      problem("parameter '{}' has layout '{}'; \"rows\" or \"columns\" is expected", p.name, p.layout);
    if (p.storage != Precision::Fp32 && p.storage != Precision::Bf16)
      problem("parameter '{}' is stored as {}; \"fp32\" or \"bf16\" is expected", p.name, nameOf(p.storage));
    if (p.init.draw != "uniform" && p.init.draw != "normal" && p.init.draw != "none")
      problem("parameter '{}' draws '{}'; \"uniform\", \"normal\" or \"none\" is expected", p.name, p.init.draw);
    checkExpr(p.init.scale, {"nin", "nout"}, "parameter '" + p.name + "'");
    checkExpr(p.init.shift, {"nin", "nout"}, "parameter '" + p.name + "'");
  }
  Names optimizers;
  for (const Optimizer &optimizer : plan.optimizers) {
    if (!optimizers.insert(optimizer.name).second)
      problem("optimizer '{}' is listed twice", optimizer.name);
    checkOptimizer(optimizer);
  }
  if (!plan.optimizers.empty() && !optimizers.count(plan.training.optimizer))
    problem("the training optimizer '{}' is none of {}", plan.training.optimizer, fmt::join(optimizers, ", "));
  checkExpr(plan.training.alpha, kTrainingSymbols, "the learning rate");
  if (plan.training.brake && !findEntry(plan, "trial"))
    problem("the divergence brake needs an entry 'trial', which is missing");
  if (plan.training.batch <= 0 || plan.training.epochs < 0)
    problem("a batch of {} examples for {} epochs", plan.training.batch, plan.training.epochs);
  Names entries;
  for (const Entry &entry : plan.entries)
    if (!entries.insert(entry.name).second)
      problem("entry '{}' is listed twice", entry.name);
}

void Verifier::checkDim(const Dim &dim, bool batch, const std::string &what) {
  if (dim.symbol.empty() && dim.value > kMostUnits)
    problem("{} has the extent {}; at most {} are supported", what, dim.value, kMostUnits);
  if (dim.symbol.empty() ? dim.value <= 0 : !(batch && dim.symbol == "B") && !symbols.count(dim.symbol))
    problem("{} has the extent '{}', which is neither positive nor a symbol", what,
            dim.symbol.empty() ? std::to_string(dim.value) : dim.symbol);
}

void Verifier::checkEntry(const Entry &entry) {
  buffers.clear();
  written.clear();
  applied.clear();
  where = fmt::format("entry '{}': ", entry.name);
  checkBuffers(entry);
  for (position = 0; position < static_cast<int64_t>(entry.steps.size()); ++position) {
    const Step &step = entry.steps[static_cast<size_t>(position)];
    where = fmt::format("entry '{}', step {} ({} {}): ", entry.name, position, step.kernel, step.label);
    checkStep(step);
  }
  checkHazards(entry);
}

void Verifier::checkBuffers(const Entry &entry) {
  index(entry.buffers, buffers, "buffer");
  for (const Buffer &buffer : entry.buffers) {
    if (parameters.count(buffer.name) || datasets.count(buffer.name))
      problem("buffer '{}' has the name of a parameter or a data set", buffer.name);
    if (buffer.dims.empty() || buffer.dims.size() > 2)
      problem("buffer '{}' has {} dimensions; 1 or 2 are expected", buffer.name, buffer.dims.size());
    for (const Dim &dim : buffer.dims)
      checkDim(dim, true, "buffer '" + buffer.name + "'");
    if (buffer.first < 0 || buffer.first > buffer.last || buffer.last >= static_cast<int64_t>(entry.steps.size()))
      problem("buffer '{}' lives from step {} to {} of {}", buffer.name, buffer.first, buffer.last, entry.steps.size());
  }
}

void Verifier::checkStep(const Step &step) {
  const Schema *schema = findSchema(step.kernel, step.sweep);
  if (!schema) {
    problem("there is no schema '{}' with sweep '{}'", step.kernel, step.sweep);
    return;
  }
  for (int64_t before : step.after)
    if (before < 0 || before >= position)
      problem("waits for step {}, which does not run before it", before);
  checkFields(step, *schema);
  checkSources(step, *schema);
  checkPrecision(step, *schema);
  checkFactored(step);
  checkSlots(step, *schema);
  checkUpdates(step);
  if (isVectorMap(step))
    checkVectorMap(step);
  for (const Source &source : step.sources)
    if (!source.gradient.empty()) {
      auto weights = parameters.find(source.weights);
      if (weights != parameters.end())
        write(source.gradient, rowsBy(source.transposed ? weights->second->out : weights->second->in), "gradient");
    }
  checkOwnHazards(step);
}

void Verifier::checkFields(const Step &step, const Schema &schema) {
  int64_t sources = static_cast<int64_t>(step.sources.size());
  if (sources < schema.leastSources || sources > schema.mostSources)
    problem("has {} sources; {} to {} are expected", sources, schema.leastSources, schema.mostSources);
  if (schema.delta != !step.delta.empty())
    problem("{}", schema.delta ? "names no delta buffer" : "does not take a delta buffer");
  if (schema.biases == Use::Never && !step.biases.empty())
    problem("does not update biases");
  bool updates = asksForUpdate(schema, step);
  if (step.update != updates)
    problem("{}", updates ? "must update" : "cannot update parameters");
  if (schema.target == Use::Never ? !step.target.empty() : schema.target == Use::Always && step.target.empty())
    problem("{}", step.target.empty() ? "needs a target" : "does not take a target");
  if (!step.target.empty())
    if (const DataSet *set = find(datasets, step.target, "data set"); set && !set->target)
      problem("data set '{}' is not declared a target", step.target);
  if (schema.columns || step.columns != Dim{})
    checkDim(step.columns, false, "the step");
  bool rowsFit = schema.rowReduce   ? step.rows.size() <= step.reductions.size()
                 : schema.readsRows ? true
                                    : step.rows.size() == schema.rows;
  if (!rowsFit)
    problem("has {} row buffers; {} are expected", step.rows.size(), schema.rows);
  if (schema.limit ? !(step.limit > 0 && std::isfinite(step.limit)) : step.limit != 0)
    problem("has the norm limit {}, where {} is expected", step.limit, schema.limit ? "a positive number" : "none");
  if (!schema.rowReduce && !step.reductions.empty())
    problem("does not take reductions");
  for (const std::string &reduction : step.reductions)
    if (reduction != "max" && reduction != "sum")
      problem("reduces by '{}'; \"max\" or \"sum\" is expected", reduction);
  for (const std::string &bias : step.biases)
    if (const Parameter *p = find(parameters, bias, "parameter"); p && (p->in != Dim{1, ""} || p->out != step.columns))
      problem("bias '{}' is not [1, {}]", bias,
              step.columns.symbol.empty() ? std::to_string(step.columns.value) : step.columns.symbol);
}

void Verifier::checkSources(const Step &step, const Schema &schema) {
  for (const Source &source : step.sources)
    checkSource(step, schema, source);
}

/// Weights in bf16 belong to products in bf16, and a step's kernel is instantiated for one storage.
void Verifier::checkPrecision(const Step &step, const Schema &schema) {
  const bool multiplies = schema.refs && schema.weights && !step.sources.empty();
  if (!multiplies && step.precision != Precision::Fp32)
    problem("has the precision {} and no products", nameOf(step.precision));
  auto storageOf = [&](const std::string &name) {
    auto found = parameters.find(name);
    return found == parameters.end() ? Precision::Fp32 : found->second->storage;
  };
  for (const Source &source : step.sources) {
    if (storageOf(source.weights) != storageOf(step.sources[0].weights))
      problem("reads '{}' and '{}', which are stored differently", step.sources[0].weights, source.weights);
    if (multiplies && storageOf(source.weights) == Precision::Bf16 && step.precision != Precision::Bf16)
      problem("multiplies by '{}' in {}, which is stored in bf16", source.weights, nameOf(step.precision));
  }
  std::set<std::string> vectors(step.biases.begin(), step.biases.end());
  for (const auto &[name, use] : step.slots)
    for (const auto *args : {&use.in, &use.out})
      for (const SlotArg &arg : *args)
        if (arg.role == Role::Column)
          vectors.insert(arg.ref);
  for (const std::string &name : vectors)
    if (storageOf(name) != Precision::Fp32)
      problem("takes '{}' by columns, which is stored in bf16", name);
}

void Verifier::checkSource(const Step &step, const Schema &schema, const Source &source) {
  if (source.data != schema.dataSource)
    problem("reads '{}', where a {} is expected", source.ref, schema.dataSource ? "data set" : "buffer");
  if (!schema.refs && !source.ref.empty())
    problem("has the source '{}', where a parameter alone is expected", source.ref);
  for (const Corruption &c : source.corruption)
    if (!(c.p >= 0 && c.p < 1) || c.stream >= 1u << 16 || !source.data)
      problem("source '{}' has a corruption of probability {} on stream {}", source.ref, c.p, c.stream);
  if (!source.gradient.empty() && !schema.gradients)
    problem("does not give the gradient '{}' of its source", source.gradient);
  const DataSet *set = source.data ? find(datasets, source.ref, "data set") : nullptr;
  if (!schema.weights) {
    if (!source.weights.empty() || source.transposed)
      problem("multiplies by '{}', where the data set alone is expected", source.weights);
    if (set && (!set->input || set->columns != step.columns))
      problem("data set '{}' is no input as wide as the step", source.ref);
  }
  const Parameter *weights = schema.weights ? find(parameters, source.weights, "parameter") : nullptr;
  if (!weights) {
    if (!source.weightGradient.empty() || source.accumulate || source.scale != 1)
      problem("has the weight gradient '{}' of no parameter", source.weightGradient);
    return;
  }
  const Dim &in = source.transposed ? weights->out : weights->in;
  const Dim &out = source.transposed ? weights->in : weights->out;
  if (schema.columns && out != step.columns)
    problem("parameter '{}' does not have the step's width", source.weights);
  if (!step.delta.empty())
    read(step.delta, rowsBy(out), "delta");
  if (schema.refs && !source.data)
    read(source.ref, rowsBy(in), "source");
  else if (set && (!set->input || set->columns != in))
    problem("data set '{}' is no input as wide as parameter '{}'", source.ref, source.weights);
  checkWeightGradient(step, schema, source, *weights);
}

void Verifier::checkWeightGradient(const Step &step, const Schema &schema, const Source &source,
                                   const Parameter &weights) {
  const std::string &name = source.weightGradient;
  bool updates = schema.updates == Use::Always;
  if (!(source.scale > 0 && std::isfinite(source.scale)) || (!updates && source.scale != 1))
    problem("scales the gradient of '{}' by {}", weights.name, source.scale);
  if (name.empty()) {
    if (source.accumulate || schema.weightGradient == Use::Always)
      problem("names no buffer for the gradient of '{}'", weights.name);
    return;
  }
  if (schema.weightGradient == Use::Never) {
    problem("does not write the weight gradient '{}'", name);
    return;
  }
  std::vector<Dim> shape{weights.in, weights.out};
  if (auto buffer = buffers.find(name);
      buffer != buffers.end() && buffer->second->dims.size() == 1 && weights.in == Dim{1, ""})
    shape = {weights.out}; // a vector parameter's
  if (step.kernel == "update" || source.accumulate)
    read(name, shape, step.kernel == "update" ? "weight gradient" : "accumulated weight gradient");
  if (step.kernel == "update") {
    if (source.accumulate || source.transposed)
      problem("applies '{}': it neither accumulates nor transposes", name);
    applied.emplace(name, position);
    return;
  }
  if (auto found = applied.find(name); found != applied.end())
    problem("writes the weight gradient '{}' after step {} has applied it", name, found->second);
  write(name, shape, "weight gradient");
}

/// The factored form takes the place of one matrix, its bias and their updates.
void Verifier::checkFactored(const Step &step) {
  if (!step.factored)
    return;
  const bool alone = step.sources.size() == 1 && !step.sources[0].transposed &&
                     step.sources[0].weightGradient.empty() && step.sources[0].scale == 1 && step.biases.size() <= 1;
  if (step.kernel != "wide_output" || step.sweep != "single" || !alone)
    problem("cannot be factored: only a single sweep with one matrix of its own, and one bias, can");
  if (!(step.factored->slope > 0 && std::isfinite(step.factored->slope)))
    problem("is factored with the slope {}, which is not positive", step.factored->slope);
}

/// The optimizer updates trained parameters, assignments the others.
void Verifier::checkUpdates(const Step &step) {
  if (step.kernel == "map")
    return;
  for (const std::string &name : parametersUpdated(step))
    if (auto p = parameters.find(name); p != parameters.end() && !p->second->trained)
      problem("updates parameter '{}', which is not trained", name);
}

/// One row of columns: nothing that differs from example to example takes part.
void Verifier::checkVectorMap(const Step &step) {
  const SlotUse &body = step.slots.at("body");
  if (!step.target.empty())
    problem("gives vectors, but has a target");
  for (const SlotArg &arg : body.in)
    if (arg.role != Role::Column && arg.role != Role::Index)
      problem("gives vectors, but reads the role {}", nlohmann::json(arg.role).dump());
  for (const SlotArg &arg : body.scalars)
    if (arg.role != Role::Hyper)
      problem("gives vectors, but reads the role {}", nlohmann::json(arg.role).dump());
}

/// A column result: a buffer, or in a map of vectors a parameter that is not trained.
void Verifier::checkAssignment(const Step &step, const std::string &name) {
  const Parameter *p = parameters.at(name);
  if (!isVectorMap(step))
    problem("cannot assign parameter '{}'; only a map whose results are all columns may", name);
  if (p->trained)
    problem("assigns parameter '{}', which the optimizer trains", name);
  if (p->in != Dim{1, ""} || p->out != step.columns)
    problem("assigns parameter '{}', which is not as wide as the step", name);
}

void Verifier::checkSlots(const Step &step, const Schema &schema) {
  std::vector<SlotRule> rules = slotsOf(schema, step);
  if (schema.readsRows)
    for (const std::string &row : step.rows)
      read(row, kPerRow, "row statistics");
  for (const auto &[name, use] : step.slots)
    if (std::none_of(rules.begin(), rules.end(), [&, slot = &name](const SlotRule &r) { return r.name == *slot; }))
      problem("has a slot '{}', which its schema does not know", name);
  for (const SlotRule &rule : rules) {
    auto use = step.slots.find(rule.name);
    if (use != step.slots.end())
      checkSlot(step, rule.name, use->second);
    else if (rule.required)
      problem("the slot '{}' is missing", rule.name);
    if (rule.writesRow < step.rows.size() && !step.rows[rule.writesRow].empty())
      write(step.rows[rule.writesRow], kPerRow, "row result");
  }
  for (const std::string &row : schema.rows ? step.rows : std::vector<std::string>{})
    write(row, kPerRow, "row result");
  // The loader kind chooses among the target slots at run time, so all of them must leave their results in the same
  // places.
  const SlotUse *first = nullptr;
  for (const char *name : kTargetSlots)
    if (auto use = step.slots.find(name); use != step.slots.end()) {
      auto places = [](const SlotUse &u) {
        std::vector<std::pair<Role, std::string>> out;
        for (const SlotArg &arg : u.out)
          out.emplace_back(arg.role, arg.ref);
        return out;
      };
      if (first && places(*first) != places(use->second))
        problem("the slot '{}' has other results than the other target slots", name);
      first = first ? first : &use->second;
    }
}

void Verifier::checkSlot(const Step &step, const std::string &name, const SlotUse &use) {
  const SlotFunction *function = find(functions, use.function, "slot function");
  if (function && (function->inputs != static_cast<int64_t>(use.in.size()) ||
                   function->outputs != static_cast<int64_t>(use.out.size()) ||
                   function->scalars != static_cast<int64_t>(use.scalars.size())))
    problem("slot '{}' binds {} inputs, {} outputs and {} scalars to '{}', which has {}, {} and {}", name,
            use.in.size(), use.out.size(), use.scalars.size(), use.function, function->inputs, function->outputs,
            function->scalars);
  if (function && use.sum && !function->sum)
    problem("slot '{}' adds to the sum, but '{}' does not", name, use.function);
  for (const SlotArg &arg : use.in)
    checkInput(step, name, arg);
  for (const SlotArg &arg : use.scalars)
    checkScalar(step, name, arg);
  for (const SlotArg &arg : use.out)
    if (arg.role == Role::Element)
      write(arg.ref, rowsBy(step.columns), "slot '" + name + "'");
    else if (arg.role == Role::Column && parameters.count(arg.ref))
      checkAssignment(step, arg.ref);
    else if (arg.role == Role::Column)
      write(arg.ref, {step.columns}, "slot '" + name + "'");
    else if (arg.role != Role::Delta)
      problem("slot '{}' cannot write to the role {}", name, nlohmann::json(arg.role).dump());
}

void Verifier::checkInput(const Step &step, const std::string &slot, const SlotArg &arg) {
  std::string what = "slot '" + slot + "'";
  switch (arg.role) {
  case Role::Accumulator:
  case Role::Index:
    return;
  case Role::Element:
    return read(arg.ref, rowsBy(step.columns), what);
  case Role::Column:
    if (auto p = parameters.find(arg.ref); p == parameters.end())
      read(arg.ref, {step.columns}, what);
    else if (p->second->in != Dim{1, ""} || p->second->out != step.columns)
      problem("{} reads parameter '{}' as a column vector, but it is not as wide as the step", what, arg.ref);
    return;
  case Role::Mask:
    if (!(arg.p >= 0 && arg.p < 1) || arg.stream >= 1u << 16)
      problem("{} has a mask of probability {} on stream {}", what, arg.p, arg.stream);
    return;
  case Role::Target:
    if (step.target.empty())
      problem("{} reads a target, but the step has none", what);
    return;
  default:
    problem("{} cannot read the role {} as a span", what, nlohmann::json(arg.role).dump());
  }
}

void Verifier::checkScalar(const Step &step, const std::string &slot, const SlotArg &arg) {
  std::string what = "slot '" + slot + "'";
  switch (arg.role) {
  case Role::Row:
    return read(arg.ref, kPerRow, what);
  case Role::TargetWeight:
  case Role::TargetScale:
  case Role::TargetSum:
  case Role::TargetBinary:
    if (step.target.empty())
      problem("{} reads a target, but the step has none", what);
    return;
  case Role::Hyper:
    return checkExpr(arg.value, kHyperSymbols, what);
  case Role::Reduction: {
    int64_t done =
        slot.rfind("reduce", 0) == 0 ? std::stoll(slot.substr(6)) : static_cast<int64_t>(step.reductions.size());
    if (arg.index < 0 || arg.index >= done)
      problem("{} reads reduction {}, of which {} are done by then", what, arg.index, done);
    return;
  }
  default:
    problem("{} cannot read the role {} as a scalar", what, nlohmann::json(arg.role).dump());
  }
}

void Verifier::checkHazards(const Entry &entry) {
  std::map<std::string, int64_t> updatedBy;
  Names limited;
  for (size_t i = 0; i < entry.steps.size(); ++i) {
    const Step &step = entry.steps[i];
    where = fmt::format("entry '{}', step {} ({} {}): ", entry.name, i, step.kernel, step.label);
    for (const std::string &name : parametersRead(step))
      if (auto update = updatedBy.find(name); update != updatedBy.end())
        problem("reads parameter '{}' after step {} has updated it", name, update->second);
    for (const std::string &name : parametersUpdated(step)) {
      if (!parameters.count(name))
        continue; // a buffer
      auto [update, fresh] = updatedBy.emplace(name, i);
      if (step.kernel == "limit_norm" && fresh)
        problem("limits the norm of parameter '{}' before its update", name);
      else if (step.kernel == "limit_norm" ? !limited.insert(name).second : !fresh)
        problem("updates parameter '{}', which step {} has already updated", name, update->second);
      update->second = static_cast<int64_t>(i);
    }
  }
  where = fmt::format("entry '{}': ", entry.name);
  if (entry.name != "train" && !updatedBy.empty())
    problem("updates parameter '{}'; only the entry 'train' may", updatedBy.begin()->first);
  if (entry.name == "train")
    for (const Parameter &p : plan.parameters)
      if (p.trained && !updatedBy.count(p.name))
        problem("parameter '{}' is never updated", p.name);
}

void Verifier::checkOwnHazards(const Step &step) {
  // column_reduce updates its biases between the slots `value` and `finish`; the wide schemas update a tile after its
  // last read.
  auto finish = step.slots.find("finish");
  if (!step.update || finish == step.slots.end())
    return;
  for (const SlotArg &arg : finish->second.in)
    if (arg.role == Role::Column && std::count(step.biases.begin(), step.biases.end(), arg.ref))
      problem("its slot 'finish' reads parameter '{}' after its update", arg.ref);
}

const Buffer *Verifier::touch(const std::string &name, const std::vector<Dim> &dims, const std::string &what) {
  const Buffer *buffer = find(buffers, name, "buffer");
  if (!buffer)
    return nullptr;
  if (buffer->dims != dims)
    problem("{}: buffer '{}' does not have the shape the schema needs here", what, name);
  if (position < buffer->first || position > buffer->last)
    problem("{}: buffer '{}' lives only from step {} to {}", what, name, buffer->first, buffer->last);
  return buffer;
}
void Verifier::read(const std::string &name, const std::vector<Dim> &dims, const std::string &what) {
  if (touch(name, dims, what) && !written.count(name))
    problem("{}: buffer '{}' is read before it is written", what, name);
}
void Verifier::write(const std::string &name, const std::vector<Dim> &dims, const std::string &what) {
  touch(name, dims, what);
  written.insert(name);
}
std::vector<std::string> verify(const Plan &plan) { return Verifier(plan).run(); }
} // namespace sn::plan
