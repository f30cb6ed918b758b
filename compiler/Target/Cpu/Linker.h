// The linker, in process: nothing needs to be installed where snc runs.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace sn::target {
/// The shared object made of one ELF object. Fails, naming the symbols, if anything stays undefined. The bytes depend
/// on `object` alone.
llvm::Expected<std::string> linkShared(llvm::ArrayRef<char> object);
} // namespace sn::target
