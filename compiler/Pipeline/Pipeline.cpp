#include "compiler/Pipeline/Pipeline.h"
#include "compiler/Conversion/Import.h"
#include "compiler/Conversion/PlanJson.h"
#include "compiler/Target/Cpu/Slots.h"
#include "compiler/Target/Cuda/Emit.h"
#include "compiler/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sn {
std::optional<Phase> parsePhase(StringRef name) {
  static const std::pair<StringRef, Phase> phases[] = {
      {"import", Phase::Import}, {"net", Phase::Net}, {"kernel", Phase::Kernel}, {"plan", Phase::Plan}};
  for (auto [spelling, phase] : phases)
    if (spelling == name)
      return phase;
  return std::nullopt;
}

void loadDialects(MLIRContext &context) {
  context.loadDialect<net::NetDialect, kernel::KernelDialect, planir::PlanDialect, arith::ArithDialect,
                      math::MathDialect, func::FuncDialect>();
}

static void addPasses(PassManager &passes, Phase from, Phase to, const CompileOptions &options) {
  auto reaches = [&](Phase phase) { return from < phase && phase <= to; };
  if (reaches(Phase::Net)) {
    OpPassManager &entry = passes.nest<net::EntryOp>();
    entry.addPass(createNetFuseMaps());
    entry.addPass(createCSEPass());
    entry.addPass(createCanonicalizerPass());
  }
  if (reaches(Phase::Kernel)) {
    passes.addNestedPass<net::EntryOp>(createNetToKernel({options.schedule}));
    passes.addPass(createVerifyKernel());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createFactorOutputs({options.schedule}));
  }
  if (reaches(Phase::Plan)) {
    passes.addPass(createKernelToPlan());
    passes.addNestedPass<ModuleOp>(createCSEPass());
  }
}

/// Runs passes; a failure is our fault and carries MLIR's diagnostic.
static void runPasses(ModuleOp module, llvm::function_ref<void(PassManager &)> build, const CompileOptions &options) {
  std::string problems;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    problems += diagnostic.str() + "\n";
    return success();
  });
  PassManager passes(module.getContext());
  if (!options.printAfter.empty()) {
    module.getContext()->disableMultithreading();
    passes.enableIRPrinting([](Pass *, Operation *) { return false; },
                            [wanted = options.printAfter](Pass *pass, Operation *) {
                              return llvm::is_contained(wanted, pass->getArgument()) ||
                                     llvm::is_contained(wanted, "all");
                            });
  }
  build(passes);
  if (failed(passes.run(module)))
    throw std::logic_error("compiler fault: " + problems);
}

static void differentiate(ModuleOp module, const CompileOptions &options) {
  runPasses(
      module,
      [](PassManager &passes) {
        OpPassManager &entry = passes.nest<net::EntryOp>();
        entry.addPass(createNetDifferentiate());
        entry.addPass(createCanonicalizerPass());
        entry.addPass(createCSEPass());
        passes.addPass(createVerifyNet());
      },
      options);
}

void lowerTo(ModuleOp module, Phase phase, const CompileOptions &options) {
  if (phase == Phase::Import)
    return;
  differentiate(module, options);
  runPasses(
      module, [&](PassManager &passes) { addPasses(passes, Phase::Import, phase, options); }, options);
}

// What the system refused (room for the linker's files) comes with its code; a fault of ours has none.
[[noreturn]] static void throwError(llvm::Error error) {
  std::string ofSystem, ours;
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &one) {
    bool coded = one.convertToErrorCode() != llvm::inconvertibleErrorCode();
    (coded ? ofSystem : ours) = one.message(); // of several levels' errors one is enough
  });
  if (ours.empty())
    throw UserError(ofSystem);
  throw std::logic_error("compiler fault: " + ours);
}

Compiled compileNetwork(MLIRContext &context, const frontend::Network &network, const CompileOptions &options) {
  loadDialects(context);
  OwningOpRef<ModuleOp> module = importNetwork(context, network);
  differentiate(*module, options);
  Compiled compiled;
  compiled.net = cast<ModuleOp>((*module)->clone());
  runPasses(
      *module, [&](PassManager &passes) { addPasses(passes, Phase::Import, Phase::Plan, options); }, options);
  compiled.plan = exportPlan(*module);
  compiled.plan.allowDeltaBuffer = options.allowDeltaBuffer;
  if (auto problems = plan::verify(compiled.plan); !problems.empty())
    throw std::logic_error("compiler fault: the plan is not consistent:\n  " + llvm::join(problems, "\n  "));
  auto cuda = target::emitCuda(compiled.plan, slotModule(*module));
  if (!cuda)
    throwError(cuda.takeError());
  llvm::append_range(compiled.plan.remarks, cuda->remarks);
  auto objects = target::compileSlots(slotModule(*module));
  if (!objects)
    throwError(objects.takeError());
  auto &entries = compiled.archive.entries;
  entries = std::move(cuda->entries);
  entries["plan.json"] = nlohmann::json(compiled.plan).dump(1) + "\n";
  entries["network.json"] = network.text;
  llvm::raw_string_ostream(entries["net.mlir"]) << *compiled.net << "\n";
  for (auto &[level, bytes] : *objects)
    entries["cpu/" + level + ".so"] = bytes;
  return compiled;
}
} // namespace sn
