// snc compile: a network to a plan file, or its IR and code as text.
#include "compiler/Conversion/Import.h"
#include "compiler/Conversion/PlanJson.h"
#include "compiler/Frontend/Diagnostics.h"
#include "compiler/Pipeline/Pipeline.h"
#include "compiler/Target/Cpu/Slots.h"
#include "compiler/Target/Cuda/Emit.h"
#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/hal/nvrtc/Images.h"
#include "tools/snc/Commands.h"
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>

namespace {
struct Options {
  std::string network, output, to, emit, schedule, arch, precision;
  std::vector<std::string> printAfter;
  bool force = false, json = false, quiet = false, allowDeltaBuffer = false;
};

/// IR or code as text instead of a plan file.
void print(const Options &options, const sn::frontend::Network &network, mlir::MLIRContext &context) {
  sn::CompileOptions compile{options.schedule, options.printAfter, options.allowDeltaBuffer};
  sn::loadDialects(context);
  auto module = sn::importNetwork(context, network);
  std::string phase = options.to.empty() ? "plan" : options.to;
  sn::lowerTo(*module, *sn::parsePhase(phase), compile);
  if (options.emit.empty()) {
    llvm::outs() << *module << "\n";
  } else {
    mlir::ModuleOp slots = sn::slotModule(*module);
    sn::plan::Plan plan = sn::exportPlan(*module);
    plan.allowDeltaBuffer = options.allowDeltaBuffer;
    auto text =
        options.emit == "llvm" ? sn::target::emitLlvmText(slots, "x86-64-v4") : sn::target::emitCudaText(plan, slots);
    if (!text)
      throw std::logic_error(llvm::toString(text.takeError()));
    llvm::outs() << *text;
  }
  llvm::outs().flush();
  if (std::error_code problem = llvm::outs().error()) {
    llvm::outs().clear_error();
    sn::userError("cannot write the output: {}", problem.message());
  }
}

/// The plan's path, found fit to be written before any work is done.
std::string planPath(const Options &options) {
  namespace fs = std::filesystem;
  std::string output = options.output;
  if (output.empty())
    output = fs::path(options.network).replace_extension(".plan").string();
  std::error_code problem;
  fs::file_status status = fs::status(output, problem);
  if (status.type() == fs::file_type::not_found)
    return output;
  if (problem)
    sn::userError("cannot write '{}': {}", output, problem.message());
  if (fs::is_directory(status))
    sn::userError("'{}' is a folder; give the plan file a name with -o", output);
  if (fs::equivalent(output, options.network, problem))
    sn::userError("'{}' is the network itself, which is never overwritten; give the plan another name with -o", output);
  if (!fs::is_regular_file(status))
    sn::userError("'{}' is no regular file; a plan needs one", output);
  if (!options.force)
    sn::userError("'{}' exists; --force overwrites it", output);
  return output;
}

/// Compiled kernels for the architectures that were asked for, and PTX. What was added.
std::vector<std::string> addImages(const Options &options, sn::Compiled &compiled) {
  namespace cuda = sn::rt::cuda;
  std::vector<std::string> architectures = cuda::parseArchitectures(options.arch);
  const bool asked = !architectures.empty();
  if (options.arch == "none")
    return architectures;
  std::unique_ptr<cuda::KernelCompiler> nvrtc;
  try {
    nvrtc = cuda::openNvrtc(cuda::defaultKernelCache());
  } catch (const sn::UserError &error) {
    if (asked)
      throw;
    if (!options.quiet && !options.json)
      fmt::print(stderr, "note: the plan holds no PTX (`--arch none` says so on purpose): {}\n", error.what());
    return architectures;
  }
  if (const std::optional<sn::plan::CudaManifest> manifest = cuda::cudaManifest(compiled.archive))
    for (std::string &architecture : cuda::ptxArchitectures(*manifest))
      architectures.push_back(std::move(architecture));
  cuda::addImages(compiled.archive, compiled.plan, architectures, asked ? cuda::Storage::All : cuda::Storage::Sparse,
                  *nvrtc);
  return architectures;
}

void compile(const Options &options, const sn::frontend::Network &network, size_t warnings) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  if (!options.to.empty() || !options.emit.empty())
    return print(options, network, context);
  std::string output = planPath(options);
  sn::Compiled compiled =
      sn::compileNetwork(context, network, {options.schedule, options.printAfter, options.allowDeltaBuffer});
  const std::vector<std::string> architectures = addImages(options, compiled);
  sn::plan::writeArchive(compiled.archive, output, options.force);
  const sn::plan::Entry *train = sn::plan::findEntry(compiled.plan, "train");
  size_t steps = (train ? *train : *sn::plan::findEntry(compiled.plan, "predict")).steps.size();
  if (options.json) {
    nlohmann::ordered_json result{
        {"plan", output},   {"network", network.name},        {"parameters", compiled.plan.parameters.size()},
        {"kernels", steps}, {"architectures", architectures}, {"warnings", warnings}};
    fmt::print("{}\n", result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  if (options.quiet)
    return;
  fmt::print(stderr, "{}: {} parameters, {} kernels in a {}; `snc explain {}` says what was fused and why\n", output,
             compiled.plan.parameters.size(), steps, train ? "training step" : "prediction", output);
}

/// With --json everything that was found is told as one object, on stderr; without, warnings are told here and a
/// mistake in main.
void run(const Options &options) {
  sn::frontend::Report warnings;
  try {
    sn::rt::cuda::parseArchitectures(options.arch); // a mistake there is told before any work is done
    sn::frontend::Network network = sn::frontend::readNetwork(options.network, warnings);
    if (!options.precision.empty()) // CLI11 has checked it
      network.precision = *sn::plan::precisionNamed(options.precision);
    if (!network.weightsData.empty()) // as the file has it: relative to the file
      network.weightsData =
          (std::filesystem::absolute(options.network).parent_path() / network.weightsData).lexically_normal().string();
    if (!options.json)
      fmt::print(stderr, "{}", warnings.text());
    compile(options, network, warnings.warnings);
  } catch (const sn::UserError &error) {
    if (!options.json)
      throw;
    fmt::print(stderr, "{}\n", sn::frontend::jsonOf(error, warnings));
    throw CLI::RuntimeError(1);
  }
  if (options.json && warnings.warnings > 0)
    fmt::print(stderr, "{}\n", warnings.json());
}
} // namespace

void addCompileCommand(CLI::App &app) {
  auto options = std::make_shared<Options>();
  if (const char *arch = std::getenv("SNC_ARCH"))
    options->arch = arch;
  CLI::App *command =
      app.add_subcommand("compile", "compile a network to a plan file\nExample: snc compile ae.json -o ae.plan");
  command->add_option("network", options->network, "the network, JSON")->required()->type_name("FILE");
  command->add_option("-o,--output", options->output, "the plan file (default: beside the network, .plan)")
      ->type_name("FILE");
  command->add_flag("--force", options->force, "overwrite the plan file");
  command->add_flag("--quiet", options->quiet, "say nothing when all is well");
  command->add_option("--schedule", options->schedule, "force how wide layers run, where legal")
      ->check(CLI::IsMember({"single", "recompute", "unfused", "factored"}));
  command
      ->add_option("--precision", options->precision,
                   "of products on a GPU or a CPU with AMX, in place of the network's \"Precision\"; layers with their own keep it")
      ->check(CLI::IsMember(std::vector<std::string>(sn::plan::kPrecisions.begin(), sn::plan::kPrecisions.end())));
  command->add_flag("--allow-delta-buffer", options->allowDeltaBuffer,
                    "let a GPU store the deltas of a wide output, batch x outputs, where that saves a product");
  auto *to = command->add_option("--compile-to", options->to, "stop at a phase and print its IR")
                 ->check(CLI::IsMember({"import", "net", "kernel", "plan"}));
  auto *emit = command
                   ->add_option("--emit", options->emit,
                                "print generated code: `llvm`, the slots as LLVM IR for a CPU; `cuda`, the "
                                "kernels as CUDA C++ for a GPU")
                   ->check(CLI::IsMember({"llvm", "cuda"}))
                   ->excludes(to);
  command
      ->add_option("--arch", options->arch,
                   "put compiled CUDA kernels for these GPUs into the plan, as in sm_80,sm_90a; `none`: not even PTX\n"
                   "(default: $SNC_ARCH, else PTX where NVRTC is found)")
      ->type_name("LIST")
      ->excludes(to)
      ->excludes(emit);
  auto *printAfter =
      command->add_option("--print-ir-after", options->printAfter, "print the IR after this pass (or `all`) to stderr")
          ->type_name("PASS");
  command->add_flag("--json", options->json, "machine-readable: result on stdout, errors and warnings on stderr")
      ->excludes(printAfter);
  command->callback([options] { run(*options); });
}
