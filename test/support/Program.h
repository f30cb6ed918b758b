// A compiled network on the backend at hand, driven step by step from states of the oracle's form.
#pragma once
#include "compiler/Pipeline/Pipeline.h"
#include "runtime/exec/EntryRun.h"
#include "test/support/Backend.h"
#include "test/support/Network.h"

namespace sn::test {
/// The ways a wide layer can be scheduled; a compiler forced to one uses it wherever it is legal.
inline constexpr std::array<const char *, 3> kSchedules = {"single", "recompute", "unfused"};

/// snc as it is, from the JSON text on. `schedule` "" lets it choose.
Program compile(Network &network, const std::string &schedule);
/// A program for each of the schedules, quicker to make and for the backend at hand alone: slots that programs have in
/// common are compiled once, on the CPU for one instruction set level, and only those of the network's own optimizer
/// are. Levels take turns by `turn`.
std::map<std::string, Program> compileSchedules(Network &network, uint64_t turn,
                                                const std::vector<const char *> &schedules = {kSchedules.begin(),
                                                                                              kSchedules.end()});

/// The parameters that a plan stores in BF16, and those that the backend does.
std::set<std::string> narrowOf(const plan::Plan &plan);
std::set<std::string> storedNarrow(const plan::Plan &plan);
/// The state with every value rounded to what a device stores: BF16 for those in `narrow`, else float.
reference::State storable(reference::State state, const std::set<std::string> &narrow);

/// The sessions of all of them, for Backend::expect.
std::vector<Upcoming> sessionsOf(const std::map<std::string, Program> &programs, const Tables &tables,
                                 int64_t maxRows = 64);

/// What one training step did.
struct Trained {
  reference::State after;
  double loss = 0, regularization = 0;
};
/// The best columns of each row, best first.
struct Ranked {
  int64_t k = 0;
  std::vector<int32_t> columns;
  std::vector<float> scores;
};

/// A program bound to data. `program` must outlive it. `threads`: Backend::open, `variant`.
class Session {
public:
  Session(const Program &program, const Tables &tables, const std::string &optimizer, int threads = 2,
          int64_t maxRows = 64);

  rt::Model &model() { return *model_; }
  const rt::Binding &binding() const { return binding_; }
  void set(const reference::State &state);
  reference::State state() const;

  /// From here on updates of untouched rows are put off, wherever they can be, whether it pays or not. Returns the
  /// parameters; before the first entry is made ready.
  std::vector<std::string> putOff();
  /// Makes an entry ready, as the first run of it would.
  void prepare(const std::string &name) { entry(name); }
  /// From the state at hand.
  rt::BatchSums train(const reference::Run &run, int64_t steps);
  Trained trainFrom(const reference::State &before, const reference::Run &run, int64_t steps);
  /// The loss that training from the state at hand would see, without an update (plans with the entry "trial").
  double trial(const reference::Run &run, int64_t steps);
  double evaluate(const reference::Run &run);
  /// By output layer.
  std::map<std::string, Ranked> predict(const reference::Run &run, int64_t k);

private:
  rt::EntryRun &entry(const std::string &name);
  rt::StepScalars scalars(const reference::Run &run, int64_t steps) const;

  const Program &program_;
  rt::Settings settings_;
  rt::Binding binding_;
  rt::ThreadPool workers_;
  std::unique_ptr<rt::Device> device_;
  std::unique_ptr<rt::Model> model_;
  int64_t maxRows_;
  std::map<std::string, std::unique_ptr<rt::EntryRun>> entries_;
};
} // namespace sn::test
