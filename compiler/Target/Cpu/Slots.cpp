#include "compiler/Target/Cpu/Slots.h"
#include "compiler/Target/Cpu/Linker.h"
#include "compiler/Target/Cpu/ObjectCode.h"
#include "compiler/Target/Cpu/Vectorize.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "runtime/plan/Archive.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include <future>

namespace sn::target {
namespace {
/// The optimised IR of the slots, without a level.
llvm::Expected<std::unique_ptr<llvm::Module>> translate(mlir::ModuleOp slots, llvm::LLVMContext &context) {
  auto vectorized = vectorizeSlots(slots);
  if (!vectorized)
    return vectorized.takeError();
  mlir::registerBuiltinDialectTranslation(*slots.getContext());
  mlir::registerLLVMDialectTranslation(*slots.getContext());
  auto module = mlir::translateModuleToLLVMIR(**vectorized, context, "slots");
  if (!module)
    return llvm::createStringError("the slots have no LLVM IR");
  optimize(*module);
  return module;
}

/// Runs in a thread of its own: LLVM's contexts are not shared between threads, so the module arrives as bitcode.
llvm::Expected<std::string> compileLevel(llvm::StringRef bitcode, const char *level) {
  auto machine = targetMachine(level);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  auto module = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "slots"), context);
  if (!module)
    return module.takeError();
  setLevel(**module, **machine);
  return linkShared(emitObject(**module, **machine));
}
} // namespace

llvm::Expected<std::map<std::string, std::string>> compileSlots(mlir::ModuleOp slots,
                                                                llvm::ArrayRef<const char *> chosen) {
  llvm::LLVMContext context;
  auto module = translate(slots, context);
  if (!module)
    return module.takeError();
  llvm::SmallVector<char, 0> bitcode;
  llvm::raw_svector_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(**module, stream);
  std::map<std::string, std::future<llvm::Expected<std::string>>> levels;
  for (const char *level : chosen)
    levels[level] = std::async(std::launch::async, compileLevel, stream.str(), level);
  std::map<std::string, std::string> objects;
  llvm::Error errors = llvm::Error::success();
  for (auto &[level, pending] : levels) {
    if (llvm::Expected<std::string> object = pending.get())
      objects[level] = std::move(*object);
    else
      errors = llvm::joinErrors(std::move(errors), object.takeError());
  }
  if (errors)
    return std::move(errors);
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
  setLevel(**module, **machine);
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*module)->print(stream, nullptr);
  return text;
}
} // namespace sn::target
