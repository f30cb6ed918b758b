#include "test/support/Program.h"
#include "compiler/Conversion/Import.h"
#include "compiler/Conversion/PlanJson.h"
#include "compiler/Reference/Rounding.h"
#include "test/support/SlotPool.h"

namespace sn::test {
namespace {
std::vector<float> floats(const reference::Tensor &tensor) { return {tensor.values.begin(), tensor.values.end()}; }

reference::Tensor tensor(const std::vector<float> &values, const reference::Tensor &like) {
  reference::Tensor to(like.rows, like.columns);
  to.values.assign(values.begin(), values.end());
  return to;
}

rt::Settings settingsFor(const plan::Plan &plan, const std::string &optimizer) {
  rt::Overrides overrides;
  overrides.optimizer = optimizer;
  return rt::settle(plan, overrides);
}

rt::Batch batchOf(const reference::Run &run) {
  return {static_cast<int64_t>(run.ids.size()), run.ids.data(), run.seed, run.epoch, run.step};
}
} // namespace

Program compile(Network &network, const std::string &schedule) {
  CompileOptions options;
  options.schedule = schedule;
  Compiled compiled = compileNetwork(network.context(), network.spec(), options);
  return {std::move(compiled.plan), std::move(compiled.archive)};
}

std::map<std::string, Program> compileSchedules(Network &network, uint64_t turn,
                                                const std::vector<const char *> &schedules) {
  mlir::MLIRContext &context = network.context();
  loadDialects(context);
  SlotPool pool(context);
  std::map<std::string, Program> programs;
  for (const char *schedule : schedules) {
    mlir::OwningOpRef<mlir::ModuleOp> module = importNetwork(context, network.spec());
    CompileOptions options;
    options.schedule = schedule;
    lowerTo(*module, Phase::Plan, options);
    plan::Plan &plan = programs[schedule].plan = exportPlan(*module);
    std::erase_if(plan.optimizers,
                  [&](const plan::Optimizer &optimizer) { return optimizer.name != plan.training.optimizer; });
    pool.add(plan, slotModule(*module));
  }
  std::vector<Program *> all;
  for (auto &[schedule, program] : programs) {
    if (auto problems = plan::verify(program.plan); !problems.empty())
      throw std::logic_error("the plan is not consistent: " + problems[0]);
    all.push_back(&program);
  }
  backend().equip(all, pool.module(), turn);
  return programs;
}

std::set<std::string> narrowOf(const plan::Plan &plan) {
  std::set<std::string> narrow;
  for (const plan::Parameter &parameter : plan.parameters)
    if (parameter.storage == plan::Precision::Bf16)
      narrow.insert(parameter.name);
  return narrow;
}

std::set<std::string> storedNarrow(const plan::Plan &plan) {
  return backend().storesNarrow() ? narrowOf(plan) : std::set<std::string>();
}

reference::State storable(reference::State state, const std::set<std::string> &narrow) {
  for (const std::string &name : narrow)
    for (double &value : state.parameters.at(name).values)
      value = reference::roundedFactor(value, plan::Precision::Bf16).high;
  return reference::rounded(std::move(state));
}

std::vector<Upcoming> sessionsOf(const std::map<std::string, Program> &programs, const Tables &tables,
                                 int64_t maxRows) {
  std::vector<Upcoming> sessions;
  for (const auto &[schedule, program] : programs)
    sessions.push_back({&program, &tables, maxRows});
  return sessions;
}

Session::Session(const Program &program, const Tables &tables, const std::string &optimizer, int threads,
                 int64_t maxRows)
    : program_(program), settings_(settingsFor(program.plan, optimizer)), binding_(bind(tables)), workers_(1),
      device_(backend().open(program, threads)), maxRows_(maxRows) {
  model_ = std::make_unique<rt::Model>(program.plan, *device_, rt::resolveSymbols(program.plan, &binding_, nullptr),
                                       workers_);
  model_->allocateStates(*settings_.optimizer);
  model_->factor(settings_, binding_);
}

void Session::set(const reference::State &state) {
  for (const auto &[name, values] : state.parameters)
    model_->setParameter(name, floats(values));
  for (const auto &[name, states] : state.states)
    for (size_t i = 0; i < states.size(); ++i)
      model_->setState(name, i, floats(states[i]));
}

reference::State Session::state() const {
  reference::State state;
  rt::Extents extents = model_->extents(0);
  for (const plan::Parameter &parameter : program_.plan.parameters) {
    reference::Tensor shape(extents.of(parameter.in), extents.of(parameter.out));
    state.parameters[parameter.name] = tensor(model_->parameter(parameter.name), shape);
    std::vector<reference::Tensor> &states = state.states[parameter.name];
    for (size_t i = 0; parameter.trained && i < settings_.optimizer->states.size(); ++i)
      states.push_back(tensor(model_->state(parameter.name, i), shape));
  }
  return state;
}

rt::EntryRun &Session::entry(const std::string &name) {
  auto &entry = entries_[name];
  if (!entry)
    entry = std::make_unique<rt::EntryRun>(*model_, name, binding_, maxRows_, settings_.optimizer);
  return *entry;
}

rt::StepScalars Session::scalars(const reference::Run &run, int64_t steps) const {
  return rt::stepScalars(settings_, run.step, run.epoch, steps, static_cast<int64_t>(run.ids.size()));
}

std::vector<std::string> Session::putOff() {
  settings_.untouched = plan::UntouchedWay::Lazy;
  const std::vector<std::string> names = rt::parametersToDefer(
      program_.plan, *device_, settings_, binding_, rt::batchModel(settings_, binding_, model_->extents(maxRows_)));
  model_->defer(names);
  return names;
}

rt::BatchSums Session::train(const reference::Run &run, int64_t steps) {
  const rt::StepScalars values = scalars(run, steps);
  rt::Deferrals *const deferrals = model_->deferrals();
  if (deferrals)
    deferrals->beginStep(values);
  rt::BatchSums sums = entry("train").run(batchOf(run), values);
  if (deferrals)
    deferrals->endStep();
  return sums;
}

Trained Session::trainFrom(const reference::State &before, const reference::Run &run, int64_t steps) {
  set(before);
  rt::BatchSums sums = train(run, steps);
  return {state(), sums.reports["loss"], sums.regularization};
}

double Session::trial(const reference::Run &run, int64_t steps) {
  return entry("trial").run(batchOf(run), scalars(run, steps)).reports["loss"];
}

double Session::evaluate(const reference::Run &run) {
  return entry("evaluate").run(batchOf(run), scalars(run, 1)).reports["loss"];
}

std::map<std::string, Ranked> Session::predict(const reference::Run &run, int64_t k) {
  std::map<std::string, Ranked> lists;
  rt::EntryRun &predict = entry("predict");
  for (size_t i = 0; i < predict.entry().steps.size(); ++i) {
    const plan::Step &step = predict.entry().steps[i];
    if (!rt::givesLists(step))
      continue;
    Ranked &ranked = lists[step.layers.at(0)];
    ranked = {k, std::vector<int32_t>(run.ids.size() * static_cast<size_t>(k)),
              std::vector<float>(run.ids.size() * static_cast<size_t>(k))};
    rt::TopK topk{.k = k, .columns = ranked.columns.data(), .scores = ranked.scores.data()};
    predict.run(batchOf(run), scalars(run, 1), i, &topk);
  }
  return lists;
}
} // namespace sn::test
