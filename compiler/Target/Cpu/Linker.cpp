#include "compiler/Target/Cpu/Linker.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Passes/PassPlugin.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

// lld can link for every target of LLVM and so initialises all of them. These empty bodies stand for those that snc
// never generates code for; without them 20 more back ends would be linked. One that goes missing or becomes
// superfluous shows up as a link error.
#define SN_NO_TARGET(T)                                                                                                \
  void LLVMInitialize##T##TargetInfo() {}                                                                              \
  void LLVMInitialize##T##Target() {}                                                                                  \
  void LLVMInitialize##T##TargetMC() {}                                                                                \
  void LLVMInitialize##T##AsmPrinter() {}                                                                              \
  void LLVMInitialize##T##AsmParser() {}
extern "C" {
SN_NO_TARGET(AArch64)
SN_NO_TARGET(AMDGPU)
SN_NO_TARGET(ARM)
SN_NO_TARGET(AVR)
SN_NO_TARGET(BPF)
SN_NO_TARGET(Hexagon)
SN_NO_TARGET(Lanai)
SN_NO_TARGET(LoongArch)
SN_NO_TARGET(M68k)
SN_NO_TARGET(MSP430)
SN_NO_TARGET(Mips)
SN_NO_TARGET(NVPTX)
SN_NO_TARGET(PowerPC)
SN_NO_TARGET(RISCV)
SN_NO_TARGET(Sparc)
SN_NO_TARGET(SystemZ)
SN_NO_TARGET(VE)
SN_NO_TARGET(WebAssembly)
SN_NO_TARGET(XCore)
SN_NO_TARGET(Xtensa)
}
#undef SN_NO_TARGET

// The link-time optimizer inside lld asks for Polly's passes; an empty plugin answers.
llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "no Polly", LLVM_VERSION_STRING, [](llvm::PassBuilder &) {}};
}

namespace sn::target {
namespace {
/// An error of the system's, known by its code.
llvm::Error cannotWrite(llvm::StringRef file, std::error_code ec) {
  return llvm::createStringError(ec, "cannot write the temporary file %s (TMPDIR chooses its folder): %s",
                                 file.str().c_str(), ec.message().c_str());
}

/// A temporary file that goes with its scope.
class TemporaryFile {
public:
  static llvm::Expected<std::unique_ptr<TemporaryFile>> create(llvm::StringRef suffix) {
    auto file = std::make_unique<TemporaryFile>();
    if (std::error_code ec = llvm::sys::fs::createTemporaryFile("snc", suffix, file->name))
      return cannotWrite(file->name, ec);
    file->remover.setFile(file->name);
    return file;
  }
  llvm::SmallString<128> name;

private:
  llvm::FileRemover remover;
};

llvm::Error runLinker(llvm::ArrayRef<const char *> arguments) {
  // lld keeps its state in global variables.
  static std::mutex oneAtATime;
  std::lock_guard<std::mutex> lock(oneAtATime);
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(arguments, llvm::nulls(), stream, {{lld::Gnu, &lld::elf::link}});
  // Its only trouble with files is with those of ours, so it is the system's: a full disk, for one.
  if (messages.find("failed to open ") != std::string::npos || messages.find("failed to write ") != std::string::npos)
    return cannotWrite(arguments[arguments.size() - 2], std::make_error_code(std::errc::io_error));
  if (result.retCode != 0)
    return llvm::createStringError("linking the slots failed: %s", messages.c_str());
  if (!result.canRunAgain)
    return llvm::createStringError("the linker did not clean up after itself");
  return llvm::Error::success();
}
} // namespace

llvm::Expected<std::string> linkShared(llvm::ArrayRef<char> object) {
  auto input = TemporaryFile::create("o");
  if (!input)
    return input.takeError();
  auto output = TemporaryFile::create("so");
  if (!output)
    return output.takeError();
  {
    std::error_code ec;
    llvm::raw_fd_ostream file((*input)->name, ec);
    if (!ec)
      file.write(object.data(), object.size());
    file.close();
    if (!ec)
      ec = file.error();
    file.clear_error();
    if (ec)
      return cannotWrite((*input)->name, ec);
  }
  if (llvm::Error error =
          runLinker({"ld.lld", "-shared", "-z", "defs", "--strip-all", "--build-id=none", "--hash-style=gnu",
                     "--threads=1", "-o", (*output)->name.c_str(), (*input)->name.c_str()}))
    return error;
  auto bytes = llvm::MemoryBuffer::getFile((*output)->name);
  if (!bytes)
    return llvm::createStringError(bytes.getError(), "cannot read %s", (*output)->name.c_str());
  return (*bytes)->getBuffer().str();
}
} // namespace sn::target
