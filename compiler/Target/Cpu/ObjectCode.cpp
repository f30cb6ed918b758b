#include "compiler/Target/Cpu/ObjectCode.h"
#include "runtime/plan/Archive.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetOptions.h"

extern "C" {
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
}

namespace sn::target {
static constexpr const char *kTriple = "x86_64-unknown-linux-gnu";
// What O3 does with a loop that is blocked already, at a fifth of its compile time and with the same machine code in
// the end.
static constexpr const char *kPipeline =
    "function(early-cse,instcombine,simplifycfg,loop-mssa(loop-rotate,licm),gvn,instcombine,"
    "adce,simplifycfg)";

static const llvm::Target *x86() {
  static const llvm::Target *target = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    std::string error;
    return llvm::TargetRegistry::lookupTarget(kTriple, error);
  }();
  return target;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> targetMachine(llvm::StringRef level) {
  if (!llvm::is_contained(plan::kCpuLevels, level))
    return llvm::createStringError("'%s' is no instruction set level of the CPU target", level.str().c_str());
  return std::unique_ptr<llvm::TargetMachine>(x86()->createTargetMachine(kTriple, level, "", llvm::TargetOptions(),
                                                                         llvm::Reloc::PIC_, llvm::CodeModel::Small,
                                                                         llvm::CodeGenOptLevel::Aggressive));
}

void optimize(llvm::Module &module) {
  llvm::PassBuilder builder;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::TargetLibraryInfoImpl library(llvm::Triple{kTriple});
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  llvm::cantFail(builder.parsePassPipeline(passes, kPipeline));
  passes.run(module, modules);
}

void setLevel(llvm::Module &module, const llvm::TargetMachine &machine) {
  module.setTargetTriple(kTriple);
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    if (machine.getTargetCPU() == "x86-64-v4") { // the default there is to split vectors in two
      function.addFnAttr("prefer-vector-width", "512");
      function.addFnAttr("min-legal-vector-width", "512");
    }
  }
}

llvm::SmallVector<char, 0> emitObject(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  [[maybe_unused]] bool failed =
      machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
  assert(!failed && "the x86 back end writes objects");
  passes.run(module);
  return bytes;
}
} // namespace sn::target
