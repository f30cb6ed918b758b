// Pages of the vocabulary's tables.
#include "dialects/Vocabulary/Dependence.h"
#include "tools/docgen/Markdown.h"
#include "tools/docgen/Pages.h"
#include <set>

namespace sn::docgen {
namespace {
constexpr std::string_view kFrom = "Numbers like 1.12 are sections of DSSTNE's reference, T-nn its traps ([differences]"
                                   "(../spec/dsstne-differences.md)).";

std::string listed(const std::vector<std::string> &parts, std::string_view between = "; ") {
  return fmt::format("{}", fmt::join(parts, between));
}

/// "slope: key `RELUSlope` (`Slope`), default 1, at least 0; of the layer, else of the network"
std::string parameters(const std::vector<vocab::Param> &params) {
  std::vector<std::string> parts;
  for (const vocab::Param &param : params) {
    struct {
      std::string_view name;
      const std::vector<std::string_view> &aliases;
    } key{param.key, param.aliases};
    std::string text = vocab::equalsIgnoringCase(param.name, param.key)
                           ? names(key)
                           : fmt::format("{}: key {}", param.name, names(key));
    text += fmt::format(", default {}", number(param.byDefault));
    if (std::string range = frontend::describe({.low = param.low, .high = param.high}); !range.empty())
      text += ", " + range;
    if (param.layerKey)
      text += ", of the layer, else of the network";
    if (!param.caution.empty())
      text += fmt::format(" (warned of where it is not set: {})", param.caution);
    parts.push_back(text);
  }
  return listed(parts);
}

std::string numberOf(int dsstneNumber) { return dsstneNumber < 0 ? "" : std::to_string(dsstneNumber); }
/// Those of `names` that any of the formulas of these arguments depends on.
std::string reads(const std::vector<vocab::Formula> &formulas, const std::vector<std::string> &names) {
  std::vector<std::string> read;
  for (size_t i = 0; i < names.size(); ++i)
    if (std::any_of(formulas.begin(), formulas.end(), [&](const vocab::Formula &formula) {
          return formula && vocab::dependsOn(formula, i, names.size());
        }))
      read.push_back(names[i]);
  return listed(read, ", ");
}
std::string yes(bool it) { return it ? "yes" : ""; }

/// Names of `key` that are no records, with the reasons.
std::string refused(std::string_view key) {
  Table table({"not supported", "because"});
  bool any = false;
  for (const vocab::Planned &name : vocab::planned())
    if (name.key == key) {
      table.add({names(name), std::string(name.never)});
      any = true;
    }
  return any ? "\n" + table.str() : "";
}

/// The network's objects that hold parameters, each once.
std::string lossObjects(std::span<const vocab::Loss> table) {
  Table rows({"object of the network", "key", "default", "range"});
  std::set<std::string_view> shown;
  for (const vocab::Loss &loss : table)
    if (!loss.object.empty() && shown.insert(loss.object).second) {
      struct {
        std::string_view name;
        const std::vector<std::string_view> &aliases;
      } object{loss.object, loss.objectAliases};
      for (const vocab::Param &param : loss.params)
        rows.add({names(object), code(param.key), number(param.byDefault),
                  frontend::describe({.low = param.low, .high = param.high})});
    }
  return shown.empty() ? "" : "\n" + rows.str();
}

std::string_view describe(vocab::Boost boost) {
  switch (boost) {
  case vocab::Boost::Never:
    return "no";
  case vocab::Boost::Always:
    return "every unit";
  case vocab::Boost::UnitInterval:
    return "every unit behind an activation in (0, 1), else stored units of analog targets";
  }
  return "";
}
} // namespace

std::string activationPage(std::span<const vocab::Activation> table) {
  Table rows({"`Activation`", "y", "parameters", "in (0, 1)", "number in DSSTNE's files", "from, and remarks"});
  for (const vocab::Activation &record : table)
    rows.add({names(record), std::string(record.doc), parameters(record.params), yes(record.unitInterval),
              numberOf(record.dsstneNumber), std::string(record.note)});
  return head("Activations", "dialects/Vocabulary/Activations.cpp",
              fmt::format("y = f(x) for every unit of a layer, x its pre-activation; the default is {}. Those in (0, "
                          "1) may stand before "
                          "cross-entropies. Every derivative is that of the formula. {}",
                          code(vocab::kDefaultActivation), kFrom)) +
         rows.str() + refused("Activation");
}

std::string lossPage(std::span<const vocab::Loss> table) {
  Table rows({"`ErrorFunction`", "per unit", "parameters", "needs y in (0, 1)", "behind row-wise activations",
              "stored entries count 1", "`DeltaBoost` acts on", "number in DSSTNE's files", "from, and remarks"});
  for (const vocab::Loss &record : table) {
    std::vector<std::string> params;
    for (const vocab::Param &param : record.params)
      params.push_back(code(param.key));
    std::string of = params.empty() ? "" : " of " + code(record.object);
    rows.add({names(record), std::string(record.doc), listed(params, ", ") + of, yes(record.unitInterval),
              yes(record.rowWise), yes(record.indicator), std::string(describe(record.boost)),
              numberOf(record.dsstneNumber), std::string(record.note)});
  }
  return head("Losses", "dialects/Vocabulary/Losses.cpp",
              fmt::format("Summed over examples, units and Output layers, each example times its weight; y is the "
                          "unit's output, t its "
                          "target, 0 where a sparse target stores nothing. \"Stored entries count 1\": whatever their "
                          "value, unless the "
                          "activation is row-wise. The default is {}. Behind the activations of [pairs.md](pairs.md) "
                          "loss and gradient are "
                          "formed from the pre-activation. {}",
                          code(vocab::kDefaultLoss), kFrom)) +
         rows.str() + lossObjects(table) + refused("ErrorFunction");
}

std::string pairPage(std::span<const vocab::Pair> table) {
  Table rows({"activation", "loss", "per unit, and its gradient by z", "gradient", "from, and remarks"});
  for (const vocab::Pair &record : table)
    rows.add({code(record.activation), code(record.loss), std::string(record.doc),
              record.isDefinition ? "as the reference defines it" : "the derivative", std::string(record.note)});
  return head("Pairs of activation and loss", "dialects/Vocabulary/Pairs.cpp",
              fmt::format("A loss behind one of these activations is formed from the pre-activation z and is finite "
                          "for every z; y is the "
                          "unit's output, t its target. Any other pair is composed of its two formulas. {}",
                          kFrom)) +
         rows.str();
}

std::string optimizerPage(std::span<const vocab::Optimizer> table) {
  Table rows({"`Optimizer`", "update", "state per weight", "reads", "own defaults", "skips weights without gradient",
              "under `\"Compatibility\": \"dsstne\"`", "from, and remarks"});
  for (const vocab::Optimizer &record : table) {
    std::vector<std::string> states, defaults, other;
    for (std::string_view state : record.states)
      states.push_back(code(state));
    for (const vocab::Param &param : record.defaults)
      defaults.push_back(fmt::format("{} {}", param.name, number(param.byDefault)));
    for (const auto &[name, formula] : record.dsstneScalars)
      other.push_back(std::string(name));
    std::vector<vocab::Formula> scalars;
    for (const auto &[name, formula] : record.scalars)
      scalars.push_back(formula);
    rows.add({names(record), std::string(record.doc), listed(states, ", "),
              reads(scalars, {"Alpha", "Mu", "Mu1", "Step"}), listed(defaults, ", "),
              yes(vocab::idleAtZeroGradient(record)), other.empty() ? "" : "its own " + listed(other, ", "),
              std::string(record.note)});
  }
  return head("Optimizers", "dialects/Vocabulary/Optimizers.cpp",
              fmt::format("g is the descent gradient: -1/B times the sum over the batch; for weights, not for biases, "
                          "g - Lambda w - "
                          "Lambda1 sgn(w) takes its place. Step counts from 1. States begin at 0. The default is {}. "
                          "An optimizer \"skips "
                          "weights without gradient\" where a zero gradient is proved to change neither weight nor "
                          "state: without weight "
                          "decay, features that a batch does not have cost nothing. {}",
                          code(vocab::kDefaultOptimizer), kFrom)) +
         rows.str() + refused("Optimizer");
}

std::string initializerPage(std::span<const vocab::Initializer> table) {
  Table rows({"`Scheme`", "initial weights", "drawn", "reads", "under `\"Compatibility\": \"dsstne\"`",
              "number in DSSTNE's files", "from, and remarks"});
  for (const vocab::Initializer &record : table)
    rows.add({names(record), std::string(record.doc), record.draw == "none" ? "" : std::string(record.draw),
              reads({record.scale, record.shift}, {"nin", "nout", "Scale"}),
              record.dsstneShift ? "shifted differently" : "", numberOf(record.dsstneNumber),
              std::string(record.note)});
  return head("Initialisers", "dialects/Vocabulary/Initializers.cpp",
              fmt::format("Values of `WeightInit`'s key `Scheme`; nin and nout are the units of source and layer, "
                          "Scale its key `Scale`. "
                          "Biases begin at its key `Bias`. The default is {}. {}",
                          code(vocab::kDefaultInitializer), kFrom)) +
         rows.str() + refused("Scheme");
}

std::string schedulePage(std::span<const vocab::Schedule> table) {
  Table rows({"`Schedule`", "learning rate", "parameters", "from, and remarks"});
  for (const vocab::Schedule &record : table)
    rows.add({names(record), std::string(record.doc), parameters(record.params), std::string(record.note)});
  return head("Learning-rate schedules", "dialects/Vocabulary/Schedules.cpp",
              fmt::format("Step and Epoch count from 1; Steps is the number of steps per epoch, Epochs that of epochs. "
                          "The default is {}. "
                          "Parameters stand beside `Kind`: `\"Schedule\": {{\"Kind\": NAME, ...}}`. {}",
                          code(vocab::kDefaultSchedule), kFrom)) +
         rows.str() + refused("Schedule");
}

std::string poolingPage(std::span<const vocab::Pooling> table) {
  Table rows({"`Function`", "unit", "units", "sources", "number in DSSTNE's files", "from, and remarks"});
  for (const vocab::Pooling &record : table)
    rows.add({names(record), std::string(record.doc), record.fold ? "as each source has" : "one less than sources",
              record.fold ? "of one width" : "at least two, of one width", numberOf(record.dsstneNumber),
              std::string(record.note)});
  return head("Pooling functions", "dialects/Vocabulary/Poolings.cpp",
              fmt::format("Values of `Function` on layers of `Type` `Pooling`: layers without weights, formed from "
                          "their sources. {}",
                          kFrom)) +
         rows.str() + refused("Function");
}
} // namespace sn::docgen
