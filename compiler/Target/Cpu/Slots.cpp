#include "compiler/Target/Cpu/Slots.h"
#include "compiler/Target/Cpu/Linker.h"
#include "compiler/Target/Cpu/ObjectCode.h"
#include "compiler/Target/Cpu/Vectorize.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "runtime/plan/Archive.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Transforms/Utils/Cloning.h"

namespace sn::target {
namespace {
llvm::Expected<std::unique_ptr<llvm::Module>> translate(mlir::ModuleOp slots, llvm::LLVMContext &context) {
  auto vectorized = vectorizeSlots(slots);
  if (!vectorized)
    return vectorized.takeError();
  mlir::registerBuiltinDialectTranslation(*slots.getContext());
  mlir::registerLLVMDialectTranslation(*slots.getContext());
  auto module = mlir::translateModuleToLLVMIR(**vectorized, context, "slots");
  if (!module)
    return llvm::createStringError("the slots have no LLVM IR");
  return module;
}
} // namespace

llvm::Expected<std::map<std::string, std::string>> compileSlots(mlir::ModuleOp slots) {
  llvm::LLVMContext context;
  auto module = translate(slots, context);
  if (!module)
    return module.takeError();
  std::map<std::string, std::string> objects;
  for (const char *level : plan::kCpuLevels) {
    auto machine = targetMachine(level);
    if (!machine)
      return machine.takeError();
    auto copy = llvm::CloneModule(**module);
    optimize(*copy, **machine);
    auto linked = linkShared(emitObject(*copy, **machine));
    if (!linked)
      return linked.takeError();
    objects[level] = std::move(*linked);
  }
  return objects;
}

llvm::Expected<std::string> emitLlvmText(mlir::ModuleOp slots, llvm::StringRef level) {
  auto machine = targetMachine(level);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  auto module = translate(slots, context);
  if (!module)
    return module.takeError();
  optimize(**module, **machine);
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*module)->print(stream, nullptr);
  return text;
}
} // namespace sn::target
