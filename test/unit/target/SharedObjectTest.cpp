// The bytes of the shared objects, and the linker behind them.
#include "compiler/Target/Cpu/Linker.h"
#include "compiler/Target/Cpu/ObjectCode.h"
#include "compiler/Target/Slots/Simplify.h"
#include "compiler/Target/Cpu/Slots.h"
#include "mlir/IR/Verifier.h"
#include "runtime/plan/Archive.h"
#include "test/unit/target/Loaded.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/SourceMgr.h"
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

namespace sn::target {
namespace {
const char *kSlots = R"(
  %e = math.exp %a0 : f32
  %l = math.log %e : f32
  %p = math.powf %l, %a0 : f32
  %t = math.tanh %p : f32
  %f = math.floor %t : f32
  %c = math.cos %f : f32
  %r = math.log1p %c : f32
  return %r : f32)";

std::map<std::string, std::string> compile() {
  Parsed parsed(slotText("first", 1, 0, 1, false, kSlots) + slotText("second", 1, 0, 1, true, "return %a0 : f32"));
  auto objects = compileSlots(*parsed.module);
  if (!objects)
    llvm::report_fatal_error(objects.takeError());
  return *objects;
}

TEST(SharedObject, EveryLevelStandsAlone) {
  auto objects = compile();
  ASSERT_EQ(objects.size(), std::size(plan::kCpuLevels));
  for (const char *level : plan::kCpuLevels) {
    const std::string &bytes = objects.at(level);
    auto file = llvm::cantFail(llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(bytes, level)));
    auto &elf = llvm::cast<llvm::object::ELF64LEObjectFile>(*file);
    std::set<std::string> defined;
    for (auto symbol : elf.getDynamicSymbolIterators()) {
      EXPECT_FALSE(llvm::cantFail(symbol.getFlags()) & llvm::object::BasicSymbolRef::SF_Undefined)
          << level << " needs " << llvm::cantFail(symbol.getName()).str();
      defined.insert(llvm::cantFail(symbol.getName()).str());
    }
    EXPECT_TRUE(defined.count("first") && defined.count("second")) << level;
    for (const auto &entry : llvm::cantFail(elf.getELFFile().dynamicEntries()))
      EXPECT_NE(entry.getTag(), llvm::ELF::DT_NEEDED) << level << " needs a library";
  }
}

TEST(SharedObject, EqualSlotsGiveEqualBytes) {
  auto first = compile();
  std::filesystem::path elsewhere = std::filesystem::temp_directory_path() / "sn-target-elsewhere";
  std::filesystem::create_directories(elsewhere);
  const char *before = std::getenv("TMPDIR");
  std::string restored = before ? before : "";
  setenv("TMPDIR", elsewhere.c_str(), 1);
  auto second = compile();
  before ? setenv("TMPDIR", restored.c_str(), 1) : unsetenv("TMPDIR");
  EXPECT_TRUE(std::filesystem::is_empty(elsewhere)) << "temporary files stay behind";
  std::filesystem::remove_all(elsewhere);
  EXPECT_EQ(first, second);
  for (auto &[level, bytes] : first)
    EXPECT_EQ(bytes.find("/tmp"), std::string::npos) << level << " contains a path";
}

TEST(SharedObject, UndefinedSymbolsFailByName) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  auto module = llvm::parseAssemblyString("declare float @expf(float)\n"
                                          "define float @f(float %x) {\n"
                                          "  %y = call float @expf(float %x)\n"
                                          "  ret float %y\n"
                                          "}\n",
                                          diagnostic, context);
  ASSERT_TRUE(module);
  auto machine = llvm::cantFail(targetMachine("x86-64-v2"));
  setLevel(*module, *machine);
  auto linked = linkShared(emitObject(*module, *machine));
  ASSERT_FALSE(bool(linked));
  EXPECT_NE(llvm::toString(linked.takeError()).find("undefined symbol: expf"), std::string::npos);
  // And the linker works again after a failure.
  EXPECT_EQ(compile().size(), std::size(plan::kCpuLevels));
}

TEST(Simplify, SigmoidAndSoftplusShareTheirExponential) {
  for (bool sigmoidFirst : {true, false}) {
    std::string sigmoid = R"(
      %n = arith.negf %a0 : f32
      %e = math.exp %n : f32
      %d = arith.addf %one, %e : f32
      %y = arith.divf %one, %d : f32)";
    std::string tail = R"(
      %abs = math.absf %a0 : f32
      %neg = arith.negf %abs : f32
      %t = math.exp %neg : f32
      %l = math.log1p %t : f32)";
    Parsed parsed(slotText("s", 1, 0, 2, false,
                           "%one = arith.constant 1.0 : f32" + (sigmoidFirst ? sigmoid + tail : tail + sigmoid) +
                               "\nreturn %y, %l : f32, f32"));
    ASSERT_FALSE(simplifySlots(*parsed.module));
    int exponentials = 0;
    parsed.module->walk([&](mlir::Operation *op) { exponentials += op->getName().getStringRef() == "math.exp"; });
    EXPECT_EQ(exponentials, 1) << (sigmoidFirst ? "sigmoid first" : "softplus first");
    EXPECT_TRUE(mlir::succeeded(mlir::verify(*parsed.module)));
  }
}
} // namespace
} // namespace sn::target
