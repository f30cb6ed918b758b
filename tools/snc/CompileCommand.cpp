#include "compiler/Conversion/Import.h"
#include "compiler/Conversion/PlanJson.h"
#include "compiler/Pipeline/Pipeline.h"
#include "compiler/Target/Cpu/Slots.h"
#include "runtime/plan/Error.h"
#include "tools/snc/Commands.h"
#include <filesystem>
#include <fmt/format.h>

namespace {
struct Options {
  std::string network, output, to, emit, schedule;
  std::vector<std::string> printAfter;
  bool force = false;
};

/// IR or code as text instead of a plan file.
void print(const Options &options, const sn::frontend::Network &network, mlir::MLIRContext &context) {
  sn::CompileOptions compile{options.schedule, options.printAfter};
  sn::loadDialects(context);
  auto module = sn::importNetwork(context, network);
  std::string phase = options.to.empty() ? "plan" : options.to;
  sn::lowerTo(*module, *sn::parsePhase(phase), compile);
  if (options.emit != "llvm") {
    llvm::outs() << *module << "\n";
    return;
  }
  auto text = sn::target::emitLlvmText(sn::slotModule(*module), "x86-64-v4");
  if (!text)
    throw std::logic_error(llvm::toString(text.takeError()));
  llvm::outs() << *text;
}

void run(const Options &options) {
  sn::frontend::Network network = sn::frontend::readNetwork(options.network);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  if (!options.to.empty() || !options.emit.empty())
    return print(options, network, context);
  std::string output = options.output;
  if (output.empty())
    output = std::filesystem::path(options.network).replace_extension(".plan").string();
  if (!options.force && std::filesystem::exists(output))
    sn::userError("{} exists; --force overwrites it", output);
  sn::Compiled compiled = sn::compileNetwork(context, network, {options.schedule, options.printAfter});
  sn::plan::writeArchive(compiled.archive, output, options.force);
  size_t steps = 0;
  for (const sn::plan::Entry &entry : compiled.plan.entries)
    steps += entry.name == "train" ? entry.steps.size() : 0;
  fmt::print(stderr, "{}: {} parameters, {} kernels in a training step; `snc explain {}` says what was fused and why\n",
             output, compiled.plan.parameters.size(), steps, output);
}
} // namespace

void addCompileCommand(CLI::App &app) {
  auto options = std::make_shared<Options>();
  CLI::App *command =
      app.add_subcommand("compile", "compile a network to a plan file\nExample: snc compile ae.json -o ae.plan");
  command->add_option("network", options->network, "the network, JSON")->required()->type_name("FILE");
  command->add_option("-o,--output", options->output, "the plan file (default: beside the network, .plan)")
      ->type_name("FILE");
  command->add_flag("--force", options->force, "overwrite the plan file");
  command->add_option("--schedule", options->schedule, "force how wide layers run, where legal")
      ->check(CLI::IsMember({"single", "recompute", "unfused"}));
  command->add_option("--compile-to", options->to, "stop at a phase and print its IR")
      ->check(CLI::IsMember({"import", "net", "kernel", "plan"}));
  command->add_option("--emit", options->emit, "print generated code: the slots as LLVM IR")
      ->check(CLI::IsMember({"llvm"}));
  command->add_option("--print-ir-after", options->printAfter, "print the IR after this pass (or `all`) to stderr")
      ->type_name("PASS");
  command->callback([options] { run(*options); });
}
