// Slots as CUDA C++: the text of every operation, of constants, and what is refused.
#include "compiler/Target/Cuda/Functions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/unit/target/Loaded.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

namespace sn::target::cuda {
namespace {
std::string textOf(const std::string &slot) {
  Parsed parsed(slot);
  auto text = functionText(*parsed.module->getOps<mlir::func::FuncOp>().begin(), "Function");
  return text ? *text : llvm::toString(text.takeError());
}
/// The statements of a slot with two inputs and a scalar.
std::string statementsOf(const std::string &body) {
  std::string text = textOf(slotText("s", 2, 1, 1, false, body + "\nreturn %r : f32"));
  const std::string from = "double &sum) {\n", to = "  }\n};\n";
  size_t begin = text.find(from), end = text.find(to);
  return begin == std::string::npos ? text : text.substr(begin + from.size(), end - begin - from.size());
}

TEST(CudaFunctions, IsAStructWithCountsAndRun) {
  EXPECT_EQ(textOf(slotText("loss", 2, 1, 2, true,
                            "%z = arith.addf %a0, %a1 : f32\n%l = arith.mulf %z, %a2 : f32\nreturn %z, %l : f32, f32")),
            "struct Function {\n"
            "  static constexpr int kInputs = 2, kOutputs = 1, kScalars = 1;\n"
            "  static constexpr bool kSum = true;\n"
            "  static __device__ __forceinline__ void run(const float *in, const float *scalars, float *out, double "
            "&sum) {\n"
            "    const float v0 = in[0] + in[1];\n"
            "    const float v1 = v0 * scalars[0];\n"
            "    out[0] = v0;\n"
            "    sum += static_cast<double>(v1);\n"
            "  }\n"
            "};\n");
}

TEST(CudaFunctions, AZeroIsNotAddedUp) {
  std::string text =
      textOf(slotText("s", 1, 0, 2, true, "%zero = arith.constant 0.0 : f32\nreturn %a0, %zero : f32, f32"));
  EXPECT_NE(text.find("kSum = true"), std::string::npos);
  EXPECT_EQ(text.find("sum +="), std::string::npos);
}

TEST(CudaFunctions, EveryOperationHasItsText) {
  const std::pair<const char *, const char *> table[] = {
      {"arith.addf %a0, %a1", "in[0] + in[1]"},
      {"arith.subf %a0, %a2", "in[0] - scalars[0]"},
      {"arith.mulf %a0, %a1", "in[0] * in[1]"},
      {"arith.divf %a0, %a1", "in[0] / in[1]"},
      {"arith.negf %a0", "-in[0]"},
      {"arith.minimumf %a0, %a1", "sn::cuda::minimum(in[0], in[1])"},
      {"arith.maximumf %a0, %a1", "sn::cuda::maximum(in[0], in[1])"},
      {"arith.minnumf %a0, %a1", "fminf(in[0], in[1])"},
      {"arith.maxnumf %a0, %a1", "fmaxf(in[0], in[1])"},
      {"math.absf %a0", "fabsf(in[0])"},
      {"math.sqrt %a0", "sqrtf(in[0])"},
      {"math.floor %a0", "floorf(in[0])"},
      {"math.ceil %a0", "ceilf(in[0])"},
      {"math.copysign %a0, %a1", "copysignf(in[0], in[1])"},
      {"math.exp %a0", "expf(in[0])"},
      {"math.log %a0", "logf(in[0])"},
      {"math.log1p %a0", "log1pf(in[0])"},
      {"math.tanh %a0", "tanhf(in[0])"},
      {"math.powf %a0, %a1", "powf(in[0], in[1])"},
      {"math.cos %a0", "cosf(in[0])"},
  };
  for (auto [operation, text] : table)
    EXPECT_EQ(statementsOf(std::string("%r = ") + operation + " : f32"),
              std::string("    const float v0 = ") + text + ";\n    out[0] = v0;\n");
}

TEST(CudaFunctions, ComparisonsHaveTheMeaningOfIeee) {
  const std::pair<const char *, const char *> table[] = {
      {"false", "false"},
      {"oeq", "in[0] == in[1]"},
      {"ogt", "in[0] > in[1]"},
      {"oge", "in[0] >= in[1]"},
      {"olt", "in[0] < in[1]"},
      {"ole", "in[0] <= in[1]"},
      {"one", "in[0] < in[1] || in[0] > in[1]"},
      {"ord", "in[0] == in[0] && in[1] == in[1]"},
      {"ueq", "!(in[0] < in[1] || in[0] > in[1])"},
      {"ugt", "!(in[0] <= in[1])"},
      {"uge", "!(in[0] < in[1])"},
      {"ult", "!(in[0] >= in[1])"},
      {"ule", "!(in[0] > in[1])"},
      {"une", "in[0] != in[1]"},
      {"uno", "in[0] != in[0] || in[1] != in[1]"},
      {"true", "true"},
  };
  for (auto [predicate, text] : table)
    EXPECT_EQ(statementsOf(std::string("%c = arith.cmpf ") + predicate +
                           ", %a0, %a1 : f32\n%r = arith.select %c, %a0, %a2 : f32"),
              std::string("    const bool is0 = ") + text +
                  ";\n    const float v0 = is0 ? in[0] : scalars[0];\n    out[0] = v0;\n");
}

TEST(CudaFunctions, TruthValuesAreCombined) {
  EXPECT_EQ(statementsOf("%yes = arith.constant true\n"
                         "%a = arith.cmpf olt, %a0, %a1 : f32\n%b = arith.cmpf ogt, %a0, %a2 : f32\n"
                         "%c = arith.andi %a, %b : i1\n%d = arith.ori %c, %b : i1\n%e = arith.xori %d, %yes : i1\n"
                         "%r = arith.select %e, %a0, %a1 : f32"),
            "    const bool is0 = in[0] < in[1];\n"
            "    const bool is1 = in[0] > scalars[0];\n"
            "    const bool is2 = is0 && is1;\n"
            "    const bool is3 = is2 || is1;\n"
            "    const bool is4 = is3 != true;\n"
            "    const float v0 = is4 ? in[0] : in[1];\n"
            "    out[0] = v0;\n");
}

TEST(CudaFunctions, ConstantsStandWhereTheyAreUsed) {
  EXPECT_EQ(statementsOf("%half = arith.constant -0.5 : f32\n%n = arith.negf %half : f32\n"
                         "%r = arith.subf %n, %half : f32"),
            "    const float v0 = -(-0.5f);\n    const float v1 = v0 - -0.5f;\n    out[0] = v1;\n");
}

TEST(CudaFunctions, LiteralsReadBackTheSame) {
  EXPECT_EQ(literal(1), "1.0f");
  EXPECT_EQ(literal(0.1f), "0.1f");
  EXPECT_EQ(literal(-0.0f), "-0.0f");
  EXPECT_EQ(literal(1e-8f), "1e-08f");
  EXPECT_EQ(literal(3e38f), "3e+38f");
  EXPECT_EQ(literal(0x1p24f), "16777216.0f");
  const float infinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(literal(infinite), "sn::cuda::infinity()");
  EXPECT_EQ(literal(-infinite), "-sn::cuda::infinity()");
  EXPECT_EQ(literal(std::nanf("")), "sn::cuda::notANumber()");
  // Floats over the whole range, subnormal ones too.
  for (uint32_t bits = 1; bits < 0x7f800000u; bits += 0x000fedcbu) {
    float value, back;
    std::memcpy(&value, &bits, sizeof value);
    std::string text = literal(value);
    ASSERT_EQ(text.back(), 'f');
    ASSERT_NE(text.find_first_of(".e"), std::string::npos) << text << " is no floating-point literal";
    text.pop_back();
    back = std::strtof(text.c_str(), nullptr);
    ASSERT_EQ(std::memcmp(&back, &value, sizeof value), 0) << text;
  }
}

TEST(CudaFunctions, RefusesWhatIsNoSlot) {
  EXPECT_EQ(textOf(slotText("s", 1, 0, 1, false, "%r = math.sin %a0 : f32\nreturn %r : f32")),
            "slot 's': the CUDA target has no math.sin");
  EXPECT_EQ(textOf(slotText("s", 1, 0, 1, false,
                            "%d = arith.extf %a0 : f32 to f64\n%r = arith.truncf %d : f64 to f32\nreturn %r : f32")),
            "slot 's': the CUDA target has no arith.extf");
  EXPECT_EQ(textOf(slotText("s", 1, 0, 1, false, "%d = arith.constant 1.0 : f64\nreturn %a0 : f32")),
            "slot 's': the CUDA target has no arith.constant");
  EXPECT_EQ(textOf("func.func @s(%a: f32) -> f32 { return %a : f32 }"),
            "slot 's': slot.inputs and slot.scalars are missing");
}
} // namespace
} // namespace sn::target::cuda
