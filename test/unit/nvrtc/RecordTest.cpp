#include "test/unit/nvrtc/Record.h"
#include "test/unit/nvrtc/Compiler.h"

namespace sn::rt::cuda {
namespace {
const Headers kTexts = {{"a.cuh", "#include \"b.cuh\"\n"}, {"b.cuh", "int b;\n"}, {"c.cuh", "int c;\n"}};
const Unit kUnit = {"unit", "#include \"a.cuh\"\n", {"f<1>", "f<2>"}};
const UnitRows kRows = {{40, 1024, 0, 0}, {255, 0, 16, 8}};

TEST(Record, FindsWhatHasNotChanged) {
  Scratch scratch;
  const std::string path = scratch.path + "/record.json";
  EXPECT_FALSE(Record(path, "compiler 1").find(kUnit, kTexts, "sm_80")) << "there is no file";
  Record made(path, "compiler 1");
  made.add(kUnit, kTexts, "sm_80", kRows);
  std::ofstream(path) << made.text();
  const Record record(path, "compiler 1");
  EXPECT_EQ(record.text(), made.text());
  const UnitRows *rows = record.find(kUnit, kTexts, "sm_80");
  ASSERT_TRUE(rows);
  EXPECT_EQ(*rows, kRows);
  EXPECT_FALSE(record.find(kUnit, kTexts, "sm_90a"));
  EXPECT_FALSE(Record(path, "compiler 2").find(kUnit, kTexts, "sm_80")) << "of another compiler";

  Headers headers = kTexts;
  headers["c.cuh"] = "int other;\n";
  EXPECT_TRUE(record.find(kUnit, headers, "sm_80")) << "what is not included does not matter";
  headers["b.cuh"] = "int other;\n";
  EXPECT_FALSE(record.find(kUnit, headers, "sm_80"));
  Unit unit = kUnit;
  unit.name = "otherwise";
  EXPECT_TRUE(record.find(unit, kTexts, "sm_80"));
  unit.kernels.pop_back();
  EXPECT_FALSE(record.find(unit, kTexts, "sm_80"));
  unit = kUnit;
  unit.text += "\n";
  EXPECT_FALSE(record.find(unit, kTexts, "sm_80"));
}

TEST(Record, RowsAreInTheOrderOfTheInstances) {
  Compiled compiled;
  compiled.names = {{"f<1>", "_Z1"}, {"f<2>", "_Z2"}};
  compiled.log = "ptxas info : Compiling entry function '_Z2' for 'sm_80'\n"
                 "ptxas info : Function properties for _Z2\n"
                 "    16 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads\n"
                 "ptxas info : Used 255 registers\n"
                 "ptxas info : Compiling entry function '_Z1' for 'sm_80'\n"
                 "ptxas info : Used 40 registers, 1024 bytes smem\n";
  EXPECT_EQ(rowsOf(kUnit, compiled), kRows);
  compiled.log.resize(compiled.log.find("ptxas info : Compiling entry function '_Z1'"));
  EXPECT_EQ(rowsOf(kUnit, compiled), UnitRows(1, kRows[1])) << "what the log does not tell of has no row";
}
} // namespace
} // namespace sn::rt::cuda
