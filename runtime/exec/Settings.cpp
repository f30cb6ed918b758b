#include "runtime/exec/Settings.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Philox.h"
#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <numeric>
#include <stdexcept>
#include <strings.h>

namespace sn::rt {
namespace {
const std::map<std::string, double, std::less<>> kHyperDefaults = {
    {"Alpha", 0.025}, {"Lambda", 0.0001}, {"Lambda1", 0}, {"Mu", 0.5}, {"Mu1", 0}};

const plan::Optimizer *chooseOptimizer(const plan::Plan &plan, const std::string &name) {
  std::vector<std::string> known;
  for (const plan::Optimizer &optimizer : plan.optimizers) {
    if (::strcasecmp(optimizer.name.c_str(), name.c_str()) == 0)
      return &optimizer;
    known.push_back(optimizer.name);
  }
  if (known.empty() && name.empty())
    return nullptr;
  userError("the plan knows no optimizer '{}'; it has {}", name, fmt::join(known, ", "));
}
} // namespace

Settings settle(const plan::Plan &plan, const Overrides &overrides) {
  const plan::Training &training = plan.training;
  Settings s;
  s.optimizer = chooseOptimizer(plan, overrides.optimizer.value_or(training.optimizer));
  s.alpha = overrides.schedule.value_or(training.alpha);
  s.hyper = kHyperDefaults;
  if (s.optimizer)
    for (const auto &[name, value] : s.optimizer->defaults)
      s.hyper[name] = value;
  // The plan's values include the defaults of its own optimizer; only those the file gives hold for another one.
  bool own = s.optimizer && s.optimizer->name == training.optimizer;
  for (const auto &[name, value] : training.hyper)
    if (own || std::count(training.given.begin(), training.given.end(), name))
      s.hyper[name] = value;
  for (const auto &[name, value] : overrides.hyper)
    s.hyper[name] = value;
  for (const auto &[name, value] : s.hyper)
    if (!std::isfinite(value))
      userError("{} is {}; a finite number is expected", name, value);
  s.batch = overrides.batch.value_or(training.batch);
  s.epochs = overrides.epochs.value_or(training.epochs);
  s.seed = overrides.seed.value_or(training.seed);
  s.shuffle = overrides.shuffle.value_or(training.shuffle);
  if (s.batch < 1)
    userError("a batch of {} examples; at least 1 is expected", s.batch);
  if (s.epochs < 0)
    userError("{} epochs; 0 or more are expected", s.epochs);
  return s;
}

namespace {
/// Infix operators bind by `strength`; a weaker operand gets parentheses.
struct Infix {
  const char *op, *sign;
  int strength;
};
constexpr Infix kInfix[] = {{"add", " + ", 1}, {"sub", " - ", 1}, {"mul", " * ", 2}, {"div", " / ", 2}};

std::string textOf(const plan::Expr &expr, int around) {
  if (!expr.symbol.empty())
    return expr.symbol;
  if (expr.op.empty())
    return fmt::format("{}", expr.number);
  for (const Infix &infix : kInfix)
    if (expr.op == infix.op) {
      std::string text = textOf(expr.args[0], infix.strength) + infix.sign + textOf(expr.args[1], infix.strength + 1);
      return infix.strength < around ? "(" + text + ")" : text;
    }
  std::vector<std::string> args;
  for (const plan::Expr &arg : expr.args)
    args.push_back(textOf(arg, 0));
  return fmt::format("{}({})", expr.op, fmt::join(args, ", "));
}
} // namespace

std::string textOf(const plan::Expr &expr) { return textOf(expr, 0); }

double StepScalars::operator()(std::string_view name) const {
  auto found = values.find(name);
  if (found == values.end())
    throw std::out_of_range("no scalar '" + std::string(name) + "'");
  return found->second;
}

StepScalars stepScalars(const Settings &settings, int64_t step, int64_t epoch, int64_t steps, int64_t rows) {
  StepScalars scalars{settings.hyper};
  auto &values = scalars.values;
  values["Step"] = static_cast<double>(step);
  values["Epoch"] = static_cast<double>(epoch);
  values["B"] = static_cast<double>(rows);
  values["Alpha"] = settings.alpha.evaluate([&](std::string_view name) {
    if (name == "Steps")
      return static_cast<double>(steps);
    if (name == "Epochs")
      return static_cast<double>(settings.epochs);
    return scalars(name);
  });
  return scalars;
}

std::vector<int64_t> exampleOrder(const Settings &settings, uint32_t stream, int64_t epoch, int64_t rows) {
  std::vector<int64_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  if (!settings.shuffle)
    return order;
  plan::RandomPoint at{settings.seed, stream, static_cast<uint32_t>(epoch)};
  std::vector<uint32_t> keys(order.size());
  for (int64_t row = 0; row < rows; ++row)
    keys[row] = plan::randomWord(at, static_cast<uint64_t>(row), 0);
  std::sort(order.begin(), order.end(),
            [&](int64_t a, int64_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
  return order;
}
} // namespace sn::rt
