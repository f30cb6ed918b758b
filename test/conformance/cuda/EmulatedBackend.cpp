#include "compiler/Target/Cuda/Emit.h"
#include "runtime/hal/cuda/CudaDevice.h"
#include "runtime/plan/CudaManifest.h"
#include "test/emulator/EmulatedCompiler.h"
#include "test/emulator/EmulatedDriver.h"
#include "test/emulator/EmulatedLibrary.h"
#include "test/emulator/Launch.h"
#include "test/support/Program.h"
#include <algorithm>
#include <cstdlib>

namespace sn::test {
namespace {
using rt::cuda::Compiled;
using rt::cuda::Headers;
using rt::cuda::Unit;

/// Thrown through Device::prepare once it is known what it wants compiled.
struct Noted {};

/// Asks the emulator's compiler for what is known to be wanted soon, together with what is wanted now: it is started
/// once for many networks. Texts that networks have in common are compiled once, so the plan's optimizers, which
/// differ, become part of each text.
class PooledCompiler final : public rt::cuda::KernelCompiler {
public:
  bool noting = false;

  std::vector<Compiled> compile(const std::vector<Unit> &units, const Headers &headers,
                                const std::string &architecture) override {
    std::vector<Unit> own;
    for (const Unit &unit : units)
      own.push_back(selfContained(unit, headers));
    for (const Unit &unit : own)
      if (!find(made, unit) && std::find(wanted.begin(), wanted.end(), unit) == wanted.end())
        wanted.push_back(unit);
    if (noting)
      throw Noted{};
    flush(headers, architecture);
    std::vector<Compiled> result;
    for (const Unit &unit : own)
      result.push_back(*find(made, unit));
    return result;
  }

private:
  std::shared_ptr<rt::cuda::KernelCompiler> compiler = emulator::makeCompiler();
  std::vector<Unit> wanted;
  std::map<std::string, std::vector<std::pair<Unit, Compiled>>> made; // by text

  static const Compiled *find(const std::map<std::string, std::vector<std::pair<Unit, Compiled>>> &made,
                              const Unit &unit) {
    auto found = made.find(unit.text);
    if (found != made.end())
      for (const auto &[known, compiled] : found->second)
        if (known == unit)
          return &compiled;
    return nullptr;
  }

  static Unit selfContained(Unit unit, const Headers &headers) {
    for (const auto &[name, text] : headers) {
      const std::string include = "#include \"" + name + "\"";
      const size_t at = name.starts_with("kernels-templates/") ? std::string::npos : unit.text.find(include);
      if (at != std::string::npos)
        unit.text.replace(at, include.size(), text);
    }
    return unit;
  }

  void flush(const Headers &headers, const std::string &architecture) {
    if (wanted.empty())
      return;
    Headers templates;
    for (const auto &[name, text] : headers)
      if (name.starts_with("kernels-templates/"))
        templates[name] = text;
    std::vector<Compiled> compiled = compiler->compile(wanted, templates, architecture);
    for (size_t i = 0; i < wanted.size(); ++i)
      made[wanted[i].text].emplace_back(wanted[i], compiled[i]);
    wanted.clear();
  }
};

class EmulatedBackend final : public Backend {
public:
  void equip(const std::vector<Program *> &programs, mlir::ModuleOp slots, uint64_t turn) override {
    for (Program *program : programs) {
      auto text = target::emitCuda(program->plan, slots);
      if (!text)
        throw std::logic_error(llvm::toString(text.takeError()));
      for (auto &[name, entry] : text->entries)
        program->archive.entries[name] = std::move(entry);
    }
  }
  std::unique_ptr<rt::Device> open(const Program &program, int variant) override {
    emulator::setOrder(variant <= 1 ? 0 : static_cast<uint64_t>(variant));
    return rt::cuda::makeCudaDevice(program.archive, emulator::driverApi(), compiler, 0,
                                    byLibrary(program) ? emulator::openLibrary : rt::cuda::LibraryOpener(),
                                    {1, 1, 1, 1});
  }
  /// Each network leaves one out: what differs are the schemas, and others meet those (neededKernels()).
  /// SN_EVERY_SCHEDULE leaves out none.
  std::vector<const char *> schedules(const std::vector<const char *> &all, uint64_t turn) override {
    if (std::getenv("SN_EVERY_SCHEDULE"))
      return all;
    std::vector<const char *> some(all);
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(turn % all.size()));
    return some;
  }
  void expect(const std::vector<const Program *> &programs, const Tables &tables, int64_t maxRows) override {
    compiler->noting = true;
    for (const Program *program : programs) {
      Session session(*program, tables, program->plan.training.optimizer, 1, maxRows);
      for (const plan::Entry &entry : program->plan.entries)
        try {
          session.prepare(entry.name);
        } catch (const Noted &) {
        }
    }
    compiler->noting = false;
  }

private:
  /// About half of the programs give their dense products to the stand-in for cuBLASLt, however small they are.
  static bool byLibrary(const Program &program) {
    size_t steps = 0;
    for (const plan::Entry &entry : program.plan.entries)
      steps += entry.steps.size();
    return steps % 2 == 0;
  }

  std::shared_ptr<PooledCompiler> compiler = std::make_shared<PooledCompiler>();
};

[[maybe_unused]] const bool installed = [] {
  setBackend(std::make_unique<EmulatedBackend>());
  return true;
}();
} // namespace
} // namespace sn::test
