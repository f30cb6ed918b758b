#include "test/unit/exec/Networks.h"
#include "runtime/hal/cpu/CpuDevice.h"
#include "runtime/plan/Philox.h"
#include "test/unit/exec/slots/Slots.h"
#include <fstream>
#include <unistd.h>

namespace sn::test {
using plan::Dim;
using plan::Expr;
using plan::Role;
using plan::SlotArg;
using plan::SlotUse;
using plan::Step;
namespace {
SlotArg arg(Role role, std::string ref = "") {
  SlotArg a;
  a.role = role;
  a.ref = std::move(ref);
  return a;
}
const Dim kInputs{0, "inputs"}, kOutputs{0, "outputs"}, kBatch{0, "B"};

plan::Parameter weights(std::string name, Dim in, Dim out, std::string layout, uint32_t stream) {
  Expr range("sqrt", {Expr("div", {Expr(6.0), Expr("add", {Expr("nin"), Expr("nout")})})});
  return {std::move(name),   in,   out,
          std::move(layout), true, {"uniform", Expr("mul", {Expr(2.0), range}), Expr("neg", {range}), stream}};
}
plan::Parameter bias(std::string name, Dim out) {
  return {std::move(name), {1, ""}, std::move(out), "rows", false, {"none", Expr(0.0), Expr(-0.5), 0}};
}
plan::Source source(bool data, std::string ref, std::string name) {
  plan::Source s;
  s.data = data;
  s.ref = std::move(ref);
  s.weights = std::move(name);
  return s;
}
Step step(std::string kernel, std::string label, Dim columns) {
  Step s;
  s.kernel = std::move(kernel);
  s.label = std::move(label);
  s.columns = std::move(columns);
  return s;
}
Step gather(std::string weightName, std::string biasName, std::string buffer, std::string slot, Dim columns) {
  Step s = step("csr_gather", buffer, columns);
  s.sources = {source(true, "input", std::move(weightName))};
  s.slots["epilogue"] = {std::move(slot),
                         {arg(Role::Accumulator), arg(Role::Column, std::move(biasName))},
                         {arg(Role::Element, buffer)},
                         {},
                         false};
  return s;
}
Step biasUpdate(std::string delta, std::string name, Dim columns) {
  Step s = step("column_reduce", name, columns);
  s.slots["value"] = {"test_copy", {arg(Role::Element, std::move(delta))}, {arg(Role::Delta)}, {}, false};
  s.biases = {std::move(name)};
  s.update = true;
  return s;
}
Step inputUpdate(std::string weightName, std::string delta) {
  Step s = step("csc_update", weightName, {});
  s.sources = {source(true, "input", std::move(weightName))};
  s.delta = std::move(delta);
  s.update = true;
  return s;
}
/// The target slots over a pre-activation given by `value` and a bias.
void addTargetSlots(Step &s, const SlotArg &value, const SlotArg &biasArg, const SlotArg &out) {
  for (auto [name, function] : {std::pair{"background", "test_background"},
                                {"stored", "test_stored"},
                                {"stored_only", "test_full"},
                                {"dense", "test_full"}}) {
    SlotUse use{function, {value, biasArg}, {out}, {}, true};
    if (std::string_view(name) != "background")
      use.in.push_back(arg(Role::Target));
    s.slots[name] = use;
  }
}
Step outputStep(std::string sweep) {
  Step s = step("wide_output", "Output", kOutputs);
  s.layers = {"Output"};
  s.sweep = std::move(sweep);
  s.sources = {source(false, "h", "Hidden->Output/weights")};
  s.target = "output";
  s.report = "loss";
  addTargetSlots(s, arg(Role::Accumulator), arg(Role::Column, "Hidden->Output/bias"), arg(Role::Delta));
  return s;
}
std::vector<plan::Optimizer> optimizers() {
  plan::Optimizer sgd{"SGD",
                      {},
                      {{"alpha", Expr("Alpha")}, {"lambda", Expr("Lambda")}},
                      "test_sgd_weights",
                      "test_sgd_bias",
                      {},
                      std::vector<std::string>{"Lambda"}};
  auto correction = [](const char *name) { return Expr("sub", {Expr(1.0), Expr("pow", {Expr(name), Expr("Step")})}); };
  plan::Optimizer adam{"Adam",
                       {"m", "v"},
                       {},
                       "test_adam_weights",
                       "test_adam_bias",
                       {{"Alpha", 0.01}, {"Mu", 0.9}, {"Mu1", 0.999}},
                       std::nullopt};
  adam.scalars = {{"alpha", Expr("Alpha")},
                  {"mu", Expr("Mu")},
                  {"mu1", Expr("Mu1")},
                  {"c", correction("Mu")},
                  {"c1", correction("Mu1")}};
  return {sgd, adam};
}
std::vector<plan::SlotFunction> functions() {
  return {
      {"test_sigmoid", 2, 1, 0, false},      {"test_linear", 2, 1, 0, false},     {"test_background", 2, 1, 0, true},
      {"test_stored", 3, 1, 0, true},        {"test_full", 3, 1, 0, true},        {"test_hidden_delta", 2, 1, 0, false},
      {"test_copy", 1, 1, 0, false},         {"test_sgd_weights", 2, 1, 2, true}, {"test_sgd_bias", 2, 1, 2, false},
      {"test_adam_weights", 4, 3, 5, false}, {"test_adam_bias", 4, 3, 5, false},  {"test_nan", 3, 1, 0, true}};
}
plan::Plan emptyPlan(std::string name) {
  plan::Plan p;
  p.network = std::move(name);
  p.symbols = {{"inputs", "input"}, {"outputs", "output"}};
  p.datasets = {{"input", kInputs, true, false}, {"output", kOutputs, false, true}};
  p.optimizers = optimizers();
  p.functions = functions();
  p.training.optimizer = "SGD";
  p.training.hyper = {{"Alpha", 0.5}, {"Lambda", 0.0001}};
  p.training.given = {"Lambda"};
  p.training.alpha = Expr("Alpha");
  p.training.batch = 100;
  p.training.epochs = 3;
  p.shuffleStream = 40;
  return p;
}
} // namespace

plan::Plan oneLayerPlan() {
  plan::Plan p = emptyPlan("one");
  p.parameters = {weights("Input->Output/weights", kInputs, kOutputs, "rows", 1), bias("Input->Output/bias", kOutputs)};
  plan::Entry train;
  train.name = "train";
  Step loss = step("map", "Output", kOutputs);
  loss.layers = {"Output"};
  loss.target = "output";
  loss.report = "loss";
  addTargetSlots(loss, arg(Role::Element, "x"), arg(Role::Column, "Input->Output/bias"), arg(Role::Element, "d"));
  Step logits = gather("Input->Output/weights", "Input->Output/bias", "x", "test_copy", kOutputs);
  logits.slots["epilogue"].in.pop_back();
  train.steps = {logits, loss, biasUpdate("d", "Input->Output/bias", kOutputs),
                 inputUpdate("Input->Output/weights", "d")};
  train.buffers = {{"x", {kBatch, kOutputs}, 0, 1}, {"d", {kBatch, kOutputs}, 1, 3}};
  p.entries = {train};
  return p;
}

plan::Plan twoLayerPlan(int64_t hidden) {
  plan::Plan p = emptyPlan("two");
  Dim width{hidden, ""};
  p.parameters = {weights("Input->Hidden/weights", kInputs, width, "rows", 1), bias("Input->Hidden/bias", width),
                  weights("Hidden->Output/weights", width, kOutputs, "columns", 2),
                  bias("Hidden->Output/bias", kOutputs)};
  Step forward = gather("Input->Hidden/weights", "Input->Hidden/bias", "h", "test_sigmoid", width);
  forward.layers = {"Hidden"};
  Step single = outputStep("single");
  single.sources[0].gradient = "dh";
  single.biases = {"Hidden->Output/bias"};
  single.update = true;
  Step back = step("map", "Hidden delta", width);
  back.slots["body"] = {
      "test_hidden_delta", {arg(Role::Element, "dh"), arg(Role::Element, "h")}, {arg(Role::Element, "dh")}, {}, false};
  plan::Entry train{"train", {{"h", {kBatch, width}, 0, 2}, {"dh", {kBatch, width}, 1, 4}}, {}};
  train.steps = {forward, single, back, biasUpdate("dh", "Input->Hidden/bias", width),
                 inputUpdate("Input->Hidden/weights", "dh")};
  plan::Entry evaluate{"evaluate", {{"h", {kBatch, width}, 0, 1}}, {forward, outputStep("loss")}};
  Step best = step("wide_topk", "best of Output", kOutputs);
  best.layers = {"Output"};
  best.sources = {source(false, "h", "Hidden->Output/weights")};
  best.slots["score"] = {
      "test_linear", {arg(Role::Accumulator), arg(Role::Column, "Hidden->Output/bias")}, {arg(Role::Delta)}, {}, false};
  plan::Entry predict{"predict", {{"h", {kBatch, width}, 0, 1}}, {forward, best}};
  p.entries = {train, evaluate, predict};
  return p;
}

std::unique_ptr<rt::Session> sessionOf(plan::Plan plan, int threads) {
  rt::cpu::SlotTable table;
#define SN_ADD(name) table.add(#name, name);
  SN_TEST_SLOTS(SN_ADD)
#undef SN_ADD
  return std::make_unique<rt::Session>(plan::Archive{}, std::move(plan), rt::cpu::makeCpuDevice(table, threads),
                                       threads);
}

plan::Archive archiveOf(const plan::Plan &plan) {
  plan::Archive archive;
  archive.entries["plan.json"] = nlohmann::json(plan).dump();
  archive.entries["network.json"] = "{\"Name\": \"test\"}";
  for (const char *level : plan::kCpuLevels)
    archive.entries[std::string("cpu/") + level + ".so"] = contentOf(TEST_SLOTS);
  return archive;
}

std::shared_ptr<rt::DataSet> tastes(int64_t rows, int64_t columns, uint64_t seed) {
  std::vector<std::vector<int32_t>> lists(static_cast<size_t>(rows));
  plan::RandomPoint at{seed, 5, 0};
  for (int64_t r = 0; r < rows; ++r)
    for (int32_t c = 0; c < columns; ++c)
      if (plan::uniform(at, static_cast<uint64_t>(r), static_cast<uint64_t>(c)) <
          ((c < columns / 2) == (r % 2 == 0) ? 0.4f : 0.02f))
        lists[r].push_back(c);
  return sparse(columns, lists);
}

std::shared_ptr<rt::DataSet> sparse(int64_t columns, const std::vector<std::vector<int32_t>> &rows) {
  auto set = std::make_shared<rt::DataSet>();
  set->name = "made";
  set->rows = static_cast<int64_t>(rows.size());
  set->columns = columns;
  set->indptr = {0};
  for (const auto &row : rows) {
    set->indices.insert(set->indices.end(), row.begin(), row.end());
    set->indptr.push_back(static_cast<int64_t>(set->indices.size()));
  }
  return set;
}

rt::Binding bindingOf(const std::map<std::string, std::shared_ptr<const rt::DataSet>> &sets) {
  rt::Binding binding{"made.h5", {}, sets.begin()->second->rows};
  binding.sets.insert(sets.begin(), sets.end());
  return binding;
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "sn-exec-XXXXXX").string();
  path = ::mkdtemp(name.data());
}

std::string contentOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string refusal(const std::function<void()> &call) {
  try {
    call();
  } catch (const UserError &error) {
    return error.what();
  }
  return "";
}
} // namespace sn::test
