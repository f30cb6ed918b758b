#include "test/support/Backend.h"
#include "compiler/Target/Cpu/Slots.h"
#include "runtime/hal/cpu/SlotTable.h"

namespace sn::test {
namespace {
class CpuBackend final : public Backend {
public:
  void equip(const std::vector<Program *> &programs, mlir::ModuleOp slots, uint64_t turn) override {
    std::vector<const char *> levels;
    for (const char *level : plan::kCpuLevels)
      if (rt::cpu::machineRuns(level))
        levels.push_back(level);
    auto objects = target::compileSlots(slots, levels[turn % levels.size()]);
    if (!objects)
      throw std::logic_error(llvm::toString(objects.takeError()));
    for (Program *program : programs)
      for (const auto &[level, bytes] : *objects)
        program->archive.entries["cpu/" + level + ".so"] = bytes;
  }
  std::unique_ptr<rt::Device> open(const Program &program, int variant) override {
    return rt::makeCpuDevice(program.archive, program.plan, variant);
  }
};

std::unique_ptr<Backend> &current() {
  static std::unique_ptr<Backend> backend = std::make_unique<CpuBackend>();
  return backend;
}
} // namespace

Backend &backend() { return *current(); }
void setBackend(std::unique_ptr<Backend> backend) { current() = std::move(backend); }
} // namespace sn::test
