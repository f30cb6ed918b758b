#include "runtime/hal/Device.h"
#include <chrono>

namespace sn::rt {
namespace {
/// A kernel for each step, launched one after another.
class StepByStep final : public Program {
public:
  struct Prepared {
    std::unique_ptr<Kernel> kernel;
    bool lists = false;
  };
  std::vector<Prepared> steps;

  void run(Launch &launch, size_t listStep, const Done &done) override {
    using Clock = std::chrono::steady_clock;
    TopK *const lists = launch.topk;
    for (size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].lists && i != listStep)
        continue;
      launch.topk = i == listStep ? lists : nullptr;
      launch.sum = launch.regularization = 0;
      const Clock::time_point begin = Clock::now();
      steps[i].kernel->launch(launch);
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      done(i, {launch.sum, launch.regularization, seconds});
    }
  }
};
} // namespace

std::unique_ptr<Program> Device::prepare(const plan::Plan &plan, const plan::Entry &entry,
                                         const plan::Optimizer *optimizer, const Memory &memory,
                                         const Extents &extents) {
  auto program = std::make_unique<StepByStep>();
  for (const plan::Step &step : entry.steps)
    program->steps.push_back({prepare(plan, step, optimizer, memory, extents), givesLists(step)});
  return program;
}
} // namespace sn::rt
