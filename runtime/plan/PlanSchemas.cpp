#include "runtime/plan/PlanSchemas.h"
#include <algorithm>
#include <limits>

namespace sn::plan {
namespace {
constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
const Schema kSchemas[] = {
    {.kernel = "csr_gather", .leastSources = 1, .mostSources = 1, .dataSource = true, .slots = "epilogue"},
    {.kernel = "gemm", .leastSources = 1, .mostSources = kAny, .slots = "epilogue"},
    {.kernel = "wide_output",
     .sweep = "single",
     .leastSources = 1,
     .mostSources = kAny,
     .gradients = true,
     .weightGradient = Use::Optional,
     .biases = Use::Optional,
     .updates = Use::Always,
     .target = Use::Always,
     .slots = "target"},
    {.kernel = "wide_output",
     .sweep = "forward",
     .leastSources = 1,
     .mostSources = kAny,
     .gradients = true,
     .target = Use::Always,
     .slots = "target"},
    {.kernel = "wide_output",
     .sweep = "update",
     .leastSources = 1,
     .mostSources = kAny,
     .weightGradient = Use::Optional,
     .biases = Use::Optional,
     .updates = Use::Always,
     .target = Use::Always,
     .slots = "target"},
    {.kernel = "wide_output",
     .sweep = "loss",
     .leastSources = 1,
     .mostSources = kAny,
     .target = Use::Always,
     .slots = "target"},
    {.kernel = "wide_output",
     .sweep = "norm",
     .leastSources = 1,
     .mostSources = kAny,
     .target = Use::Always,
     .rows = 1,
     .slots = "target"},
    {.kernel = "wide_softmax",
     .sweep = "statistics",
     .leastSources = 1,
     .mostSources = kAny,
     .target = Use::Optional,
     .rows = 2,
     .slots = "logit"},
    {.kernel = "wide_softmax",
     .sweep = "single",
     .leastSources = 1,
     .mostSources = kAny,
     .gradients = true,
     .weightGradient = Use::Optional,
     .biases = Use::Optional,
     .updates = Use::Always,
     .target = Use::Always,
     .readsRows = true,
     .slots = "target|logit"},
    {.kernel = "wide_softmax",
     .sweep = "forward",
     .leastSources = 1,
     .mostSources = kAny,
     .gradients = true,
     .target = Use::Always,
     .readsRows = true,
     .slots = "target|logit"},
    {.kernel = "wide_softmax",
     .sweep = "update",
     .leastSources = 1,
     .mostSources = kAny,
     .weightGradient = Use::Optional,
     .biases = Use::Optional,
     .updates = Use::Always,
     .target = Use::Always,
     .readsRows = true,
     .slots = "target|logit"},
    {.kernel = "wide_softmax",
     .sweep = "loss",
     .leastSources = 1,
     .mostSources = kAny,
     .target = Use::Always,
     .readsRows = true,
     .slots = "target|logit"},
    {.kernel = "wide_topk", .leastSources = 0, .mostSources = kAny, .slots = "score"},
    {.kernel = "csc_update",
     .leastSources = 1,
     .mostSources = 1,
     .dataSource = true,
     .weightGradient = Use::Optional,
     .delta = true,
     .updates = Use::Always,
     .columns = false},
    {.kernel = "gemm_update",
     .leastSources = 1,
     .mostSources = 1,
     .weightGradient = Use::Optional,
     .delta = true,
     .updates = Use::Always,
     .columns = false},
    {.kernel = "column_reduce", .biases = Use::Optional, .updates = Use::WithBiases, .slots = "value|finish"},
    {.kernel = "row_reduce", .target = Use::Optional, .rowReduce = true, .slots = "|body"},
    {.kernel = "map", .target = Use::Optional, .slots = "body"},
    {.kernel = "expand",
     .leastSources = 1,
     .mostSources = 1,
     .dataSource = true,
     .weights = false,
     .slots = "epilogue"},
    {.kernel = "update",
     .leastSources = 1,
     .mostSources = 1,
     .refs = false,
     .weightGradient = Use::Always,
     .updates = Use::Always,
     .columns = false},
    {.kernel = "limit_norm", .leastSources = 1, .mostSources = 1, .refs = false, .limit = true, .columns = false},
};

void addSlots(std::vector<SlotRule> &rules, std::string_view names, bool required) {
  if (names == "target")
    for (const char *name : kTargetSlots)
      rules.push_back({name, required});
  else if (!names.empty())
    rules.push_back({std::string(names), required});
}
} // namespace

bool asksForUpdate(const Schema &schema, const Step &step) {
  if (!step.biases.empty() || schema.weightGradient == Use::Always)
    return true;
  return schema.updates == Use::Always && std::any_of(step.sources.begin(), step.sources.end(),
                                                      [](const Source &s) { return s.weightGradient.empty(); });
}

bool isVectorMap(const Step &step) {
  auto body = step.slots.find("body");
  return step.kernel == "map" && body != step.slots.end() && !body->second.out.empty() &&
         std::all_of(body->second.out.begin(), body->second.out.end(),
                     [](const SlotArg &arg) { return arg.role == Role::Column; });
}

const Schema *findSchema(std::string_view kernel, std::string_view sweep) {
  auto found = std::find_if(std::begin(kSchemas), std::end(kSchemas),
                            [&](const Schema &s) { return s.kernel == kernel && s.sweep == sweep; });
  return found == std::end(kSchemas) ? nullptr : &*found;
}

std::vector<SlotRule> slotsOf(const Schema &schema, const Step &step) {
  std::vector<SlotRule> rules;
  if (schema.rowReduce)
    for (size_t i = 0; i < step.reductions.size(); ++i)
      rules.push_back({"reduce" + std::to_string(i), true, i});
  size_t bar = std::min(schema.slots.find('|'), schema.slots.size());
  std::string_view required = schema.slots.substr(0, bar);
  if (schema.kernel == "map" && !step.target.empty())
    required = "target"; // the target slots take the place of `body`
  addSlots(rules, required, true);
  // A row_reduce with a target has `body` or the target slots, all of them.
  bool targetSlots = schema.rowReduce && !step.target.empty() &&
                     std::any_of(std::begin(kTargetSlots), std::end(kTargetSlots),
                                 [&](const char *name) { return step.slots.count(name) != 0; });
  // A reduction that keeps nothing and updates nothing has its last slot to give it a purpose.
  bool reduces = schema.rowReduce || schema.updates == Use::WithBiases;
  bool purposeless = reduces && step.biases.empty() && step.rows.empty();
  if (bar < schema.slots.size())
    addSlots(rules, schema.slots.substr(bar + 1), purposeless && !targetSlots);
  if (targetSlots)
    addSlots(rules, "target", true);
  return rules;
}
} // namespace sn::plan
