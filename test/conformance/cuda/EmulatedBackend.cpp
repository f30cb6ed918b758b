#include "compiler/Target/Cuda/Emit.h"
#include "runtime/hal/cuda/CudaDevice.h"
#include "runtime/plan/CudaManifest.h"
#include "test/emulator/EmulatedCompiler.h"
#include "test/emulator/EmulatedDriver.h"
#include "test/emulator/EmulatedLibrary.h"
#include "test/emulator/Launch.h"
#include "test/support/Program.h"
#include <algorithm>
#include <set>

namespace sn::test {
namespace {
using rt::cuda::Compiled;
using rt::cuda::Headers;
using rt::cuda::Unit;

/// Thrown through Device::prepare once it is known what it wants compiled.
struct Noted {};

/// A text as far as it says what is compiled: without comments, which name layers, with the optimizer's rules in place
/// of their header, the kernel under a name that does not tell of the step. Many networks have it in common.
struct Plain {
  std::string text;
  std::string name; // of the kernel, in the network's own text; "" where it keeps its name
};
constexpr const char *kPlainName = "SnKernel";

std::string withoutCommentLines(const std::string &text) {
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    if (text.compare(at, 2, "//") != 0)
      kept.append(text, at, end - at);
    at = end;
  }
  return kept;
}

/// A name expression of the unit, of the plain text.
std::string instanceOf(const std::string &kernel, const Plain &plain) {
  return plain.name.empty() ? kernel : kPlainName + kernel.substr(plain.name.size());
}
bool isTemplate(const std::string &header) { return header.starts_with("kernels-templates/"); }

Plain plainOf(const Unit &unit, const Headers &headers) {
  Plain plain{unit.text, {}};
  for (const auto &[name, text] : headers) {
    const std::string include = "#include \"" + name + "\"";
    const size_t at = isTemplate(name) ? std::string::npos : plain.text.find(include);
    if (at != std::string::npos)
      plain.text.replace(at, include.size(), text);
  }
  plain.text = withoutCommentLines(plain.text);
  if (unit.kernels.empty() || unit.kernels[0].find('<') == std::string::npos)
    return plain; // the kernels that all plans share, which are no templates
  plain.name = unit.kernels[0].substr(0, unit.kernels[0].find('<'));
  const std::string head = " " + plain.name + "(const __grid_constant__";
  const size_t at = plain.text.find(head);
  if (at == std::string::npos)
    throw std::logic_error("the kernel " + plain.name + " is not in its text");
  plain.text.replace(at + 1, plain.name.size(), kPlainName);
  return plain;
}

/// Asks the emulator's compiler for what is known to be wanted soon, together with what is wanted now: it is started
/// once for many networks, and a text that they have in common is compiled once, with the instances that any of them
/// asks for.
class PooledCompiler final : public rt::cuda::KernelCompiler {
public:
  /// While it is set, what is missing is noted for flush() and Noted thrown.
  bool noting = false;

  std::vector<Compiled> compile(const std::vector<Unit> &units, const Headers &headers,
                                const std::string &architecture) override {
    if (templates.empty())
      for (const auto &[name, text] : headers)
        if (isTemplate(name))
          templates[name] = text;
    target = architecture;
    std::vector<Plain> plain;
    for (const Unit &unit : units)
      plain.push_back(plainOf(unit, headers));
    for (size_t i = 0; i < units.size(); ++i)
      want(units[i], plain[i]);
    if (noting && !missing.empty())
      throw Noted{};
    flush();
    std::vector<Compiled> result;
    for (size_t i = 0; i < units.size(); ++i)
      result.push_back(resultOf(units[i], plain[i]));
    return result;
  }

  /// Compiles what was noted; false if there was nothing.
  bool flush() {
    if (missing.empty())
      return false;
    std::vector<Unit> units;
    for (const std::string &text : missing)
      units.push_back({kPlainName, text, {texts[text].wanted.begin(), texts[text].wanted.end()}});
    const std::vector<Compiled> compiled = compiler->compile(units, templates, target);
    for (size_t i = 0; i < units.size(); ++i)
      texts[units[i].text].made = compiled[i];
    missing.clear();
    return true;
  }

private:
  struct Text {
    std::set<std::string> wanted; // instances
    Compiled made;                // all of them, but for those of a text in `missing`
  };
  std::shared_ptr<rt::cuda::KernelCompiler> compiler = emulator::makeCompiler();
  Headers templates; // the same in all plans of this program
  std::string target;
  std::map<std::string, Text> texts;
  std::set<std::string> missing;

  void want(const Unit &unit, const Plain &plain) {
    Text &text = texts[plain.text];
    for (const std::string &kernel : unit.kernels)
      if (text.wanted.insert(instanceOf(kernel, plain)).second)
        missing.insert(plain.text);
  }

  Compiled resultOf(const Unit &unit, const Plain &plain) const {
    const Compiled &made = texts.at(plain.text).made;
    Compiled result{made.image, {}, made.log};
    for (const std::string &kernel : unit.kernels)
      result.names[kernel] = made.names.at(instanceOf(kernel, plain));
    return result;
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
  bool storesNarrow() const override { return true; }
  /// In rounds: what a session asks for after the first that is missing is seen once that is there.
  void expect(const std::vector<Upcoming> &sessions) override {
    do {
      compiler->noting = true;
      for (const Upcoming &session : sessions)
        note(session);
      compiler->noting = false;
    } while (compiler->flush());
  }

private:
  void note(const Upcoming &coming) {
    const plan::Plan &plan = coming.program->plan;
    Session session(*coming.program, *coming.tables, plan.training.optimizer, 1, coming.maxRows);
    for (const plan::Entry &entry : plan.entries)
      try {
        session.prepare(entry.name);
      } catch (const Noted &) {
      }
  }

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
