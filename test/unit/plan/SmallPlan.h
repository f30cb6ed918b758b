// A correct plan of a two-layer autoencoder, written by hand: the starting point of the tests.
#pragma once
#include "runtime/plan/Plan.h"

namespace sn::plan::test {
inline SlotArg arg(Role role, std::string ref = "") {
  SlotArg a;
  a.role = role;
  a.ref = std::move(ref);
  return a;
}
inline Dim symbol(std::string name) { return {0, std::move(name)}; }

inline Parameter parameter(std::string name, Dim in, Dim out, std::string layout) {
  Parameter p{std::move(name), std::move(in), std::move(out), std::move(layout), true, {}};
  p.init = {"uniform", Expr("div", {Expr(1.0), Expr("nin")}), Expr(-0.5), 3};
  return p;
}
inline Source source(bool data, std::string ref, std::string weights) {
  Source s;
  s.data = data;
  s.ref = std::move(ref);
  s.weights = std::move(weights);
  return s;
}

inline Step gatherStep() {
  Step s;
  s.kernel = "csr_gather";
  s.label = "Hidden";
  s.layers = {"Hidden"};
  s.sources = {source(true, "input", "Input->Hidden/weights")};
  s.sources[0].corruption = {{1, 0.2}};
  s.columns = {4, ""};
  s.slots["epilogue"] = {"sigmoid",
                         {arg(Role::Accumulator), arg(Role::Column, "Input->Hidden/bias")},
                         {arg(Role::Element, "h")},
                         {},
                         false};
  return s;
}
inline Step outputStep() {
  Step s;
  s.kernel = "wide_output";
  s.label = "Output";
  s.layers = {"Output"};
  s.sweep = "single";
  s.sources = {source(false, "h", "Hidden->Output/weights")};
  s.sources[0].gradient = "dh";
  s.biases = {"Hidden->Output/bias"};
  s.update = true;
  s.target = "output";
  s.columns = symbol("outputs");
  for (const char *name : {"background", "stored", "stored_only", "dense"})
    s.slots[name] = {"loss",
                     {arg(Role::Accumulator), arg(Role::Column, "Hidden->Output/bias"), arg(Role::Target)},
                     {arg(Role::Delta)},
                     {arg(Role::TargetScale)},
                     true};
  s.report = "loss";
  s.after = {0};
  return s;
}
inline std::vector<Step> backwardSteps() {
  Step delta;
  delta.kernel = "map";
  delta.label = "Hidden delta";
  delta.columns = {4, ""};
  delta.slots["body"] = {
      "times", {arg(Role::Element, "dh"), arg(Role::Element, "h")}, {arg(Role::Element, "dh")}, {}, false};
  delta.after = {1};
  Step bias;
  bias.kernel = "column_reduce";
  bias.label = "Hidden bias";
  bias.columns = {4, ""};
  bias.slots["value"] = {"copy", {arg(Role::Element, "dh")}, {arg(Role::Delta)}, {}, false};
  bias.biases = {"Input->Hidden/bias"};
  bias.update = true;
  bias.after = {2};
  Step update;
  update.kernel = "csc_update";
  update.label = "Input->Hidden";
  update.sources = gatherStep().sources;
  update.delta = "dh";
  update.update = true;
  update.after = {2};
  return {delta, bias, update};
}

inline Plan smallPlan() {
  Plan plan;
  plan.network = "small";
  plan.symbols = {{"inputs", "input"}, {"outputs", "output"}};
  plan.datasets = {{"input", symbol("inputs"), true, false}, {"output", symbol("outputs"), false, true}};
  plan.parameters = {parameter("Input->Hidden/weights", symbol("inputs"), {4, ""}, "rows"),
                     parameter("Input->Hidden/bias", {1, ""}, {4, ""}, "rows"),
                     parameter("Hidden->Output/weights", {4, ""}, symbol("outputs"), "columns"),
                     parameter("Hidden->Output/bias", {1, ""}, symbol("outputs"), "rows")};
  plan.optimizers = {{"Momentum",
                      {"v"},
                      {{"alpha", Expr("Alpha")}, {"mu", Expr("Mu")}},
                      "momentum_weights",
                      "momentum_bias",
                      {{"Mu", 0.9}},
                      std::vector<std::string>{"Mu", "Lambda", "Lambda1"},
                      Untouched{{"Lambda", "Lambda1"}, {Expr(1.0), Expr(0.0), Expr(0.0), Expr("mu")}}}};
  plan.training.optimizer = "Momentum";
  plan.training.hyper = {{"Alpha", 0.1}, {"Mu", 0.5}};
  plan.training.alpha = Expr("div", {Expr("Alpha"), Expr("Epoch")});
  plan.training.seed = 0xFFFFFFFFFFFFFFFFull;
  Entry train;
  train.name = "train";
  train.buffers = {{"h", {symbol("B"), {4, ""}}, 0, 2}, {"dh", {symbol("B"), {4, ""}}, 1, 4}};
  train.steps = {gatherStep(), outputStep()};
  for (Step &step : backwardSteps())
    train.steps.push_back(step);
  Entry predict;
  predict.name = "predict";
  predict.buffers = {{"h", {symbol("B"), {4, ""}}, 0, 1}};
  Step top;
  top.kernel = "wide_topk";
  top.sources = {source(false, "h", "Hidden->Output/weights")};
  top.columns = symbol("outputs");
  top.slots["score"] = {"loss1", {arg(Role::Accumulator)}, {arg(Role::Delta)}, {}, false};
  predict.steps = {gatherStep(), top};
  plan.entries = {train, predict};
  plan.functions = {{"sigmoid", 2, 1, 0, false},      {"loss", 3, 1, 1, true},  {"loss1", 1, 1, 0, false},
                    {"times", 2, 1, 0, false},        {"copy", 1, 1, 0, false}, {"momentum_weights", 3, 2, 2, true},
                    {"momentum_bias", 3, 2, 2, false}};
  plan.remarks = {"Output: one sweep"};
  plan.shuffleStream = 9;
  return plan;
}
} // namespace sn::plan::test
