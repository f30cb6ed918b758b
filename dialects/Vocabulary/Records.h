// The vocabulary: activations, losses, optimizers, initialisers and learning-rate schedules, one record each. Standard
// library only. A new record is one entry in the table of its kind; parsing, checking, gradients, generated code, docs
// and tests follow from it. Formulas: ../shared/reference/dsstne.md sections 1.12-1.22 with the recommended fixes of
// its section 7.
#pragma once
#include "dialects/Vocabulary/Algebra.h"
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sn::vocab {
/// A scalar formula of arguments a[] and parameters p[], in the three instantiations of the algebra. Outputs go to
/// out[].
struct Formula {
  void (*value)(const double *a, const double *p, double *out) = nullptr;
  void (*dual)(const Dual *a, const Dual *p, Dual *out) = nullptr;
  void (*term)(const Term *a, const Term *p, Term *out) = nullptr;
  explicit operator bool() const { return value != nullptr; }
  double operator()(std::initializer_list<double> a, const double *p = nullptr) const {
    double out;
    value(a.begin(), p, &out);
    return out;
  }
};
/// From a captureless generic lambda (const auto *a, const auto *p) -> scalar.
template <typename Lambda> Formula formula(Lambda) {
  return {[](const double *a, const double *p, double *out) { *out = Lambda{}(a, p); },
          [](const Dual *a, const Dual *p, Dual *out) { *out = Lambda{}(a, p); },
          [](const Term *a, const Term *p, Term *out) { *out = Lambda{}(a, p); }};
}
/// From a captureless generic lambda (const auto *a, const auto *p, auto *out) with several results.
template <typename Lambda> Formula formulas(Lambda) {
  return {[](const double *a, const double *p, double *out) { Lambda{}(a, p, out); },
          [](const Dual *a, const Dual *p, Dual *out) { Lambda{}(a, p, out); },
          [](const Term *a, const Term *p, Term *out) { Lambda{}(a, p, out); }};
}

/// A hyper-parameter of a record and the JSON key that sets it. `key` is looked up in the layer first (if layerKey),
/// then the network; for losses it is a member of the network object named `object`.
struct Param {
  std::string_view name = {};
  double byDefault = 0;
  std::string_view key = {};
  bool layerKey = false;
  double low = -1e30, high = 1e30;            // accepted range, inclusive
  std::vector<std::string_view> aliases = {}; // of the key
  std::string_view caution = {};              // warned of where the default is in force: why it surprises
};
/// Where conformance probes a formula: interval, points to stay away from, and the relative tolerance of float
/// backends.
struct Probe {
  double low = -3, high = 3;
  std::vector<double> kinks = {};
  double tolerance = 1e-5;
};
/// An independent check: arguments, parameters (defaults if empty), value, derivative with respect to the first
/// argument. Row-wise activations: args are a whole row, value is y[0] and derivative dy[0]/dx[0]. Pairs: derivative
/// is the delta.
struct Golden {
  std::vector<double> args = {};
  std::vector<double> params = {};
  double value = 0, derivative = 0;
};
/// An independent check of one optimizer step: hyper = {Alpha, Mu, Mu1, Step}, in = {w, g', states...}, out = {w,
/// states...}.
struct GoldenUpdate {
  std::vector<double> hyper = {}, in = {}, out = {};
};

enum class Reduce { Max, Sum };
/// A function of a whole row: reductions in order, each over a[0] = element and a[1..] = the results of the earlier
/// ones, then the value.
struct RowFormula {
  std::vector<std::pair<Reduce, Formula>> reductions = {};        // a = {x, r0, r1, ...}
  Formula value = {};                                             // a = {x, r0, r1, ...}
  std::vector<std::pair<Reduce, Formula>> adjointReductions = {}; // a = {g, y, r0, ...}: g = dL/dy
  Formula adjoint = {};                                           // a = {g, y, r0, ...} -> dL/dx
};

struct Activation {
  std::string_view name = {};
  std::vector<std::string_view> aliases = {};
  std::vector<Param> params = {};
  Formula forward = {};            // pointwise: a = {x}
  Formula gradFromOutput = {};     // optional override: a = {y} -> f'(x); conformance proves it equal to the derivation
  const RowFormula *row = nullptr; // set instead of `forward` for row-wise activations
  bool unitInterval = false;       // outputs lie in (0, 1): what cross-entropy losses need
  /// Alpha dropout (T-30): what a dropped unit becomes, d, before A y + C, A = 1 / sqrt(q + d^2 p q), C = -A p d, with
  /// p = pDropout and q = 1 - p, keeps mean and variance. a = {}. Without it dropped units are 0 and kept ones y / q.
  Formula dropped = {};
  int dsstneNumber = -1; // in DSSTNE's trained-network files (reference 1.23); -1: they have none
  Probe probe = {};
  std::vector<Golden> golden = {};
  std::string_view doc = {}; // the formula, for people
  std::string_view note =
      {}; // where it comes from: sections of the reference, traps (T-nn) and what is done about them
};

/// Which deltas of a sparse target the network's DeltaBoost multiplies (reference 1.15, T-68): `one` those of stored
/// units, `zero` those of the others. Never behind a row-wise activation.
enum class Boost {
  Never,
  Always,
  UnitInterval, // all behind an activation with unitInterval; else only stored units of analog targets
};

struct Loss {
  std::string_view name = {};
  std::vector<std::string_view> aliases = {};
  std::string_view object = {}; // network object that holds the parameters, "" if none; losses may share one
  std::vector<std::string_view> objectAliases = {}; // other names of that object
  std::vector<Param> params = {};
  /// a = {y, t}: one unit's loss from the layer's output. t is 0 for units that a sparse target does not store and -0.0
  /// for stored zeros: equal in any comparison, but 1 / t is negative.
  Formula value = {};
  bool unitInterval = false; // needs an activation with unitInterval
  bool rowWise = true;       // may stand behind row-wise activations
  bool indicator =
      false; // stored entries of sparse targets count as 1 whatever their value (not where the activation is row-wise)
  Boost boost = Boost::Never;
  int dsstneNumber = -1;
  Probe probe = {}; // over y
  std::vector<Golden> golden = {};
  std::string_view doc = {};
  std::string_view note = {};
};

/// An activation and a loss fused: formed from the pre-activation, finite for every z. Overrides the composition;
/// checked against it.
struct Pair {
  std::string_view activation = {}, loss = {};
  Formula value = {}; // pointwise: a = {z, y, t}; row-wise: a = {z, y, t, c, T, r0, r1...}: c = target scale (1/n), T =
                      // sum of c*t over the row
  Formula delta = {}; // same arguments: dL/dz. p of both = the loss's params
  bool isDefinition =
      false; // the reference defines this delta although it is not the derivative of the value: exempt from the check
  std::vector<Golden> golden = {};
  std::string_view doc = {};
  std::string_view note = {};
};

/// Update rule on the descent gradient g' (decay already folded in, by `decayed`, for weights only).
struct Optimizer {
  std::string_view name = {};
  std::vector<std::string_view> aliases = {};
  std::vector<std::string_view> states = {};
  std::vector<Param> defaults =
      {}; // this optimizer's own defaults (name = Alpha, Mu, Mu1 ...), where they differ from the Training defaults
  std::vector<std::pair<std::string_view, Formula>> scalars =
      {};              // computed on the host in double: a = {Alpha, Mu, Mu1, Step}
  Formula update = {}; // a = {w, g', state0, ...}, p = scalars in order -> out = {w, state0, ...}
  /// Scalars that take the place of those of the same name under "Compatibility": "dsstne".
  std::vector<std::pair<std::string_view, Formula>> dsstneScalars = {};
  std::vector<GoldenUpdate> golden = {};
  std::vector<GoldenUpdate> dsstneGolden = {}; // with dsstneScalars
  std::string_view doc = {};
  std::string_view note = {};
};

struct Initializer {
  std::string_view name = {};
  std::vector<std::string_view> aliases = {};
  std::string_view draw = {};     // "uniform" on [0,1), "normal", "none"
  Formula scale = {}, shift = {}; // a = {nin, nout, Scale}: value = scale * draw + shift
  int dsstneNumber = -1;
  Formula dsstneShift = {};        // takes the place of `shift` under "Compatibility": "dsstne"
  std::vector<Golden> golden = {}; // value = scale, derivative = shift
  std::vector<Golden> dsstneGolden = {};
  std::string_view doc = {};
  std::string_view note = {};
};

/// A layer without weights, formed from its sources, all of one width (reference 1.7). Either `fold`: unit i of the
/// layer is the fold of unit i of the sources, in order; or `products` and `value`: unit j compares source 0 with
/// source j + 1.
struct Pooling {
  std::string_view name = {};
  std::vector<std::string_view> aliases = {};
  int dsstneNumber = -1;
  Formula fold = {};                  // a = {so far, next}
  std::vector<Formula> products = {}; // a = {x0, xj}, each summed over the units
  Formula value = {};                 // a = {sum of products[0], sum of products[1], ...}
  std::vector<Golden> golden = {}; // fold: args {so far, next}; else args are the units of source 0, then of source 1
  std::string_view doc = {};
  std::string_view note = {};
};

/// Learning rate as a function of progress. a = {Alpha, Step, Epoch, Steps, Epochs} (Step and Epoch count from 1), p =
/// params.
struct Schedule {
  std::string_view name = {};
  std::vector<std::string_view> aliases = {};
  std::vector<Param> params = {};
  Formula rate = {};
  std::vector<Golden> golden = {}; // of `rate`; the derivative is with respect to Alpha
  std::string_view doc = {};
  std::string_view note = {};
};

std::span<const Activation> activations();
std::span<const Loss> losses();
std::span<const Pair> pairs();
std::span<const Optimizer> optimizers();
std::span<const Initializer> initializers();
std::span<const Schedule> schedules();
std::span<const Pooling> poolings();

/// g - lambda*w - lambda1*sgn(w): weight decay, written once for every optimizer. a = {w, g}, p = {Lambda, Lambda1}.
Formula decayed();
/// lambda/2 w^2 + lambda1 |w|. a = {w}, p = {Lambda, Lambda1}.
Formula regularization();

/// The records used where a network file is silent (reference 1.2, 1.3, 4.4).
inline constexpr std::string_view kDefaultActivation = "Sigmoid", kDefaultLoss = "CrossEntropy",
                                  kDefaultOptimizer = "SGD", kDefaultInitializer = "Xavier",
                                  kDefaultSchedule = "Constant";
/// A name of DSSTNE's language that has no record yet, or `never` will, with the reason. `key` is the JSON key whose
/// value it would be.
struct Planned {
  std::string_view key, name;
  std::vector<std::string_view> aliases = {};
  std::string_view never = {};
};
std::span<const Planned> planned();

/// Case-insensitive look-up by name or alias in any of the tables; null if absent.
template <typename Record> const Record *find(std::span<const Record> table, std::string_view name);
const Pair *findPair(std::string_view activation, std::string_view loss);
bool equalsIgnoringCase(std::string_view a, std::string_view b);
/// The nearest spelling in the table for "did you mean", or "".
template <typename Record> std::string_view nearest(std::span<const Record> table, std::string_view name);

/// Computed, not declared: does `update` leave the value and every state unchanged when g' = 0? Proved symbolically,
/// for finite values and hyper-parameters (a zero of either sign counts as unchanged).
bool idleAtZeroGradient(const Optimizer &optimizer);

template <typename Record> const Record *find(std::span<const Record> table, std::string_view name) {
  for (const Record &record : table) {
    if (equalsIgnoringCase(record.name, name))
      return &record;
    for (std::string_view alias : record.aliases)
      if (equalsIgnoringCase(alias, name))
        return &record;
  }
  return nullptr;
}
/// Levenshtein distance, ignoring case.
int distance(std::string_view a, std::string_view b);
template <typename Record> std::string_view nearest(std::span<const Record> table, std::string_view name) {
  std::string_view best = {};
  int least = static_cast<int>(name.size()) / 2 + 1;
  for (const Record &record : table) {
    if (int d = distance(record.name, name); d < least)
      best = record.name, least = d;
    for (std::string_view alias : record.aliases)
      if (int d = distance(alias, name); d < least)
        best = alias, least = d;
  }
  return best;
}
} // namespace sn::vocab
