// The class behind verify(): PlanVerify.cpp checks tables, entries and steps, PlanVerifyOptimizers.cpp the update rules.
#pragma once
#include "runtime/plan/Plan.h"
#include "runtime/plan/PlanSchemas.h"
#include <fmt/format.h>
#include <set>

namespace sn::plan {
/// What expressions of update rules may name.
inline const std::set<std::string, std::less<>> kHyperSymbols = {"Alpha", "Lambda", "Lambda1", "Mu", "Mu1", "Step", "Epoch", "B"};

class Verifier {
public:
  using Names = std::set<std::string, std::less<>>;
  explicit Verifier(const Plan &plan) : plan(plan) {}
  std::vector<std::string> run();

private:
  const Plan &plan;
  std::vector<std::string> problems;
  std::map<std::string, const DataSet *> datasets;
  std::map<std::string, const Parameter *> parameters;
  std::map<std::string, const SlotFunction *> functions;
  std::map<std::string, const Symbol *> symbols;

  // of the entry and the step at hand
  std::map<std::string, const Buffer *> buffers;
  Names written;
  std::map<std::string, int64_t> applied; // weight gradients, and the step that applied them
  std::string where;
  int64_t position = 0;

  template <typename... Args> void problem(fmt::format_string<Args...> text, Args &&...args) {
    problems.push_back(where + fmt::format(text, std::forward<Args>(args)...));
  }
  template <typename T>
  void index(const std::vector<T> &items, std::map<std::string, const T *> &byName, const char *kind) {
    for (const T &item : items)
      if (item.name.empty() || !byName.emplace(item.name, &item).second)
        problem("{} '{}' is listed twice or has no name", kind, item.name);
  }
  template <typename T>
  const T *find(const std::map<std::string, const T *> &byName, const std::string &name, const char *kind) {
    auto found = byName.find(name);
    if (found == byName.end())
      problem("there is no {} '{}'", kind, name);
    return found == byName.end() ? nullptr : found->second;
  }

  void checkTables();
  void checkOptimizer(const Optimizer &optimizer);
  void checkUntouched(const Optimizer &optimizer);
  void checkExpr(const Expr &expr, const Names &known, const std::string &what);
  void checkDim(const Dim &dim, bool batch, const std::string &what);
  void checkEntry(const Entry &entry);
  void checkBuffers(const Entry &entry);
  void checkStep(const Step &step);
  void checkFields(const Step &step, const Schema &schema);
  void checkSources(const Step &step, const Schema &schema);
  void checkPrecision(const Step &step, const Schema &schema);
  void checkSource(const Step &step, const Schema &schema, const Source &source);
  void checkWeightGradient(const Step &step, const Schema &schema, const Source &source, const Parameter &weights);
  void checkUpdates(const Step &step);
  void checkFactored(const Step &step);
  void checkSlots(const Step &step, const Schema &schema);
  void checkSlot(const Step &step, const std::string &name, const SlotUse &use);
  void checkInput(const Step &step, const std::string &slot, const SlotArg &arg);
  void checkVectorMap(const Step &step);
  void checkAssignment(const Step &step, const std::string &name);
  void checkScalar(const Step &step, const std::string &slot, const SlotArg &arg);
  void checkHazards(const Entry &entry);
  void checkOwnHazards(const Step &step);
  const Buffer *touch(const std::string &name, const std::vector<Dim> &dims, const std::string &what);
  void read(const std::string &name, const std::vector<Dim> &dims, const std::string &what);
  void write(const std::string &name, const std::vector<Dim> &dims, const std::string &what);
};
} // namespace sn::plan
