// From an LLVM module to machine code of one instruction set level.
#pragma once
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace sn::target {
/// The code generator for "x86-64-v2", "-v3" or "-v4"; nothing of it depends on the machine that compiles. An error for
/// any other level.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> targetMachine(llvm::StringRef level);
/// Simplifies the IR, the same for every level. Nothing is vectorised again, and no loop becomes a library call.
void optimize(llvm::Module &module);
/// Makes the module code for the machine's level.
void setLevel(llvm::Module &module, const llvm::TargetMachine &machine);
/// An ELF object for the level set.
llvm::SmallVector<char, 0> emitObject(llvm::Module &module, llvm::TargetMachine &machine);
} // namespace sn::target
