#include "runtime/exec/Resume.h"
#include <algorithm>
#include <strings.h>

namespace sn::rt {
namespace {
std::string where(const Position &at) {
  return at.example == 0 ? fmt::format("{} epochs", at.epoch)
                         : fmt::format("{} epochs and {} examples of the next", at.epoch, at.example);
}

bool mentions(const plan::Expr &expr, std::string_view symbol) {
  return expr.symbol == symbol ||
         std::any_of(expr.args.begin(), expr.args.end(), [&](const plan::Expr &arg) { return mentions(arg, symbol); });
}

const plan::Optimizer &trainedOptimizer(const plan::Plan &plan, const CheckpointReader &weights) {
  const CheckpointHeader &header = weights.header();
  if (header.optimizer.empty())
    userError("'{}' holds untrained weights (snrt init): there is nothing to resume; --from {} starts with them",
              weights.path(), weights.path());
  for (const plan::Optimizer &optimizer : plan.optimizers)
    if (optimizer.name == header.optimizer)
      return optimizer;
  userError(
      "'{}' was trained with the optimizer '{}', which the plan does not have; compile the network again, or start "
      "with these weights and another optimizer: --from {}",
      weights.path(), header.optimizer, weights.path());
}

void requireStates(const plan::Plan &plan, const plan::Optimizer &optimizer, const CheckpointReader &weights) {
  for (const plan::Parameter &parameter : plan.parameters)
    for (const std::string &state : optimizer.states)
      if (parameter.trained && !weights.hasState(parameter.name, optimizer.name, state))
        userError(
            "'{}' lacks the state '{}' of the optimizer {} for '{}': training cannot be resumed; --from {} starts "
            "with these weights",
            weights.path(), state, optimizer.name, parameter.name, weights.path());
}

Settings storedSettings(const plan::Optimizer &optimizer, const CheckpointReader &weights) {
  const CheckpointHeader &header = weights.header();
  Settings settings;
  settings.optimizer = &optimizer;
  settings.seed = header.seed;
  try {
    settings.hyper = header.training.at("hyper").get<decltype(settings.hyper)>();
    settings.alpha = header.training.at("alpha").get<plan::Expr>();
    settings.batch = header.training.at("batch").get<int64_t>();
    settings.epochs = header.training.at("epochs").get<int64_t>();
    settings.shuffle = header.training.at("shuffle").get<bool>();
  } catch (const std::exception &problem) { // of the JSON library, or of an expression
    userError("'{}': its settings of training (snc/training) are damaged: {}", weights.path(), problem.what());
  }
  if (settings.batch < 1 || settings.epochs < 0 || header.step < 0 || header.epoch < 0 || header.position < 0)
    userError("'{}': its settings of training are damaged: negative numbers", weights.path());
  return settings;
}

EpochSums readSums(const CheckpointReader &weights) {
  const nlohmann::json &stored = weights.header().sums;
  EpochSums sums;
  if (weights.header().position == 0)
    return sums;
  try {
    sums.steps = stored.at("steps").get<int64_t>();
    sums.examples = stored.at("examples").get<int64_t>();
    sums.alpha = stored.at("alpha").get<double>();
    sums.regularization = stored.at("regularization").get<double>();
    sums.reports = stored.at("reports").get<decltype(sums.reports)>();
    if (auto brake = stored.find("brake"); brake != stored.end())
      sums.brake = {brake->at("average").get<double>(), brake->at("warm_up").get<int64_t>(),
                    brake->at("braked").get<int64_t>(), brake->at("regularization").get<double>()};
  } catch (const nlohmann::json::exception &problem) {
    userError("'{}': its sums of the epoch begun (snc/sums) are damaged: {}", weights.path(), problem.what());
  }
  return sums;
}

/// The user's wishes against what the file says.
class Changes {
public:
  Changes(const CheckpointReader &weights, Start &start) : weights(weights), start(start) {}

  void apply(const Overrides &wishes) {
    optimizer(wishes);
    inEpoch(wishes.batch, start.settings.batch, "--batch", "its steps have that size");
    inEpoch(wishes.seed, start.settings.seed, "--seed", "the order of its examples comes from the seed");
    inEpoch(wishes.shuffle, start.settings.shuffle, "--shuffle", "the order of its examples is drawn");
    for (const auto &[name, value] : wishes.hyper)
      if (double &own = start.settings.hyper[name]; own != value) {
        note("{} is {:g} from here on; it was {:g}", name, value, own);
        own = value;
      }
    if (start.settings.batch < 1)
      userError("a batch of {} examples; at least 1 is expected", start.settings.batch);
    epochs(wishes);
  }

private:
  template <typename... Args> void note(fmt::format_string<Args...> format, Args &&...args) {
    start.notes.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void optimizer(const Overrides &wishes) {
    const std::string &own = start.settings.optimizer->name;
    if (wishes.optimizer && ::strcasecmp(wishes.optimizer->c_str(), own.c_str()) != 0)
      userError("--optimizer {}: '{}' was trained with {}, and another optimizer cannot go on from there; --from {} "
                "starts with these weights",
                *wishes.optimizer, weights.path(), own, weights.path());
  }

  template <typename T> void inEpoch(const std::optional<T> &wish, T &own, const char *option, const char *why) {
    if (!wish || *wish == own)
      return;
    if (start.position.example > 0)
      userError("{} {}: '{}' stopped inside an epoch ({} done) that began with {}: {}. It can change at the end of an "
                "epoch",
                option, *wish, weights.path(), where(start.position), own, why);
    note("{} {} from here on; it was {}", option, *wish, own);
    own = *wish;
  }

  void epochs(const Overrides &wishes) {
    Settings &settings = start.settings;
    if (!wishes.epochs || *wishes.epochs == settings.epochs)
      return;
    if (*wishes.epochs < start.position.epoch + (start.position.example > 0))
      userError("--epochs {}: '{}' has done {} already", *wishes.epochs, weights.path(), where(start.position));
    std::string schedule = textOf(settings.alpha);
    if (mentions(settings.alpha, "Epochs"))
      note("the learning rate follows {} with Epochs = {} from here on; so far it was {}", schedule, *wishes.epochs,
           settings.epochs);
    else if (mentions(settings.alpha, "Step") || mentions(settings.alpha, "Epoch"))
      note("{} epochs in place of {}: the learning rate goes on along {}", *wishes.epochs, settings.epochs, schedule);
    settings.epochs = *wishes.epochs;
  }

  const CheckpointReader &weights;
  Start &start;
};
} // namespace

Start resumeFrom(const plan::Plan &plan, const CheckpointReader &weights, const Overrides &overrides) {
  const CheckpointHeader &header = weights.header();
  const plan::Optimizer &optimizer = trainedOptimizer(plan, weights);
  requireStates(plan, optimizer, weights);
  Start start{storedSettings(optimizer, weights), {header.step, header.epoch, header.position}, readSums(weights), {}};
  Changes(weights, start).apply(overrides);
  return start;
}

void checkExamples(const CheckpointReader &weights, const Binding &data, Start &start) {
  int64_t before = weights.header().examples;
  if (before == data.rows || before == 0)
    return;
  if (start.position.example > 0)
    userError("'{}' stopped inside an epoch of {} examples, but '{}' has {}: an epoch goes on with the data it began "
              "with; --from {} starts anew with these weights",
              weights.path(), before, data.path, data.rows, weights.path());
  start.notes.push_back(fmt::format("'{}' has {} examples; so far it was {}", data.path, data.rows, before));
}

nlohmann::json storedSums(const EpochSums &sums) {
  nlohmann::json stored = {{"steps", sums.steps},
                           {"examples", sums.examples},
                           {"alpha", sums.alpha},
                           {"regularization", sums.regularization},
                           {"reports", sums.reports}};
  if (sums.brake != BrakeState())
    stored["brake"] = {{"average", sums.brake.average},
                       {"warm_up", sums.brake.warmUp},
                       {"braked", sums.brake.braked},
                       {"regularization", sums.brake.regularization}};
  return stored;
}
} // namespace sn::rt
