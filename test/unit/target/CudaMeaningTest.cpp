// The printed functors compute what the operations mean: run by the emulator on special values.
#include "compiler/Target/Cuda/Functions.h"
#include "kernels-templates/cuda/Templates.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/emulator/EmulatedCompiler.h"
#include "test/emulator/EmulatedDriver.h"
#include "test/unit/target/Loaded.h"
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>

namespace sn::target::cuda {
namespace {
struct Operation {
  std::string body; // of %r over %a0, %a1
  std::function<double(float, float)> meaning;
  bool exact = true;
};
constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool ordered(float a, float b) { return !std::isnan(a) && !std::isnan(b); }
float ieeeMinimum(float a, float b) {
  if (!ordered(a, b))
    return std::nanf("");
  return a == b ? (std::signbit(a) ? a : b) : std::min(a, b);
}

std::vector<Operation> operations() {
  std::vector<Operation> table = {
      {"arith.addf %a0, %a1", [](float a, float b) { return a + b; }},
      {"arith.subf %a0, %a1", [](float a, float b) { return a - b; }},
      {"arith.mulf %a0, %a1", [](float a, float b) { return a * b; }},
      {"arith.divf %a0, %a1", [](float a, float b) { return a / b; }},
      {"arith.negf %a0", [](float a, float) { return -a; }},
      {"arith.minimumf %a0, %a1", ieeeMinimum},
      {"arith.maximumf %a0, %a1", [](float a, float b) { return -ieeeMinimum(-a, -b); }},
      {"arith.minnumf %a0, %a1", [](float a, float b) { return a == b ? a : std::fmin(a, b); }},
      {"arith.maxnumf %a0, %a1", [](float a, float b) { return a == b ? a : std::fmax(a, b); }},
      {"math.absf %a0", [](float a, float) { return std::fabs(a); }},
      {"math.sqrt %a0", [](float a, float) { return std::sqrt(a); }},
      {"math.floor %a0", [](float a, float) { return std::floor(a); }},
      {"math.ceil %a0", [](float a, float) { return std::ceil(a); }},
      {"math.copysign %a0, %a1", [](float a, float b) { return std::copysign(a, b); }},
      {"math.exp %a0", [](float a, float) { return std::exp(double(a)); }, false},
      {"math.log %a0", [](float a, float) { return std::log(double(a)); }, false},
      {"math.log1p %a0", [](float a, float) { return std::log1p(double(a)); }, false},
      {"math.tanh %a0", [](float a, float) { return std::tanh(double(a)); }, false},
      {"math.powf %a0, %a1", [](float a, float b) { return std::pow(double(a), double(b)); }, false},
      {"math.cos %a0", [](float a, float) { return std::cos(double(a)); }, false},
  };
  const std::pair<const char *, bool (*)(float, float)> predicates[] = {
      {"false", [](float, float) { return false; }},
      {"oeq", [](float a, float b) { return ordered(a, b) && a == b; }},
      {"ogt", [](float a, float b) { return ordered(a, b) && a > b; }},
      {"oge", [](float a, float b) { return ordered(a, b) && a >= b; }},
      {"olt", [](float a, float b) { return ordered(a, b) && a < b; }},
      {"ole", [](float a, float b) { return ordered(a, b) && a <= b; }},
      {"one", [](float a, float b) { return ordered(a, b) && a != b; }},
      {"ord", ordered},
      {"ueq", [](float a, float b) { return !ordered(a, b) || a == b; }},
      {"ugt", [](float a, float b) { return !ordered(a, b) || a > b; }},
      {"uge", [](float a, float b) { return !ordered(a, b) || a >= b; }},
      {"ult", [](float a, float b) { return !ordered(a, b) || a < b; }},
      {"ule", [](float a, float b) { return !ordered(a, b) || a <= b; }},
      {"une", [](float a, float b) { return !ordered(a, b) || a != b; }},
      {"uno", [](float a, float b) { return !ordered(a, b); }},
      {"true", [](float, float) { return true; }},
  };
  for (auto [name, holds] : predicates)
    table.push_back({std::string("arith.cmpf ") + name + ", %a0, %a1",
                     [holds = holds](float a, float b) { return holds(a, b) ? 1.0 : 0.0; }});
  return table;
}

std::string slotOf(const std::string &name, const std::string &operation) {
  const bool isTruth = operation.rfind("arith.cmpf", 0) == 0;
  return slotText(name, 2, 0, 1, false,
                  isTruth ? "%one = arith.constant 1.0 : f32\n%zero = arith.constant 0.0 : f32\n%c = " + operation +
                                " : f32\n%r = arith.select %c, %one, %zero : f32\nreturn %r : f32"
                          : "%r = " + operation + " : f32\nreturn %r : f32");
}

/// Kernel `apply`: results[operation][pair] of pairs of values.
std::string unitOf(const std::vector<Operation> &table) {
  std::string slots, text = "#include \"kernels-templates/cuda/prelude.cuh\"\n", calls;
  for (size_t i = 0; i < table.size(); ++i)
    slots += slotOf("s" + std::to_string(i), table[i].body);
  Parsed parsed(slots);
  size_t next = 0;
  for (auto slot : parsed.module->getOps<mlir::func::FuncOp>()) {
    const std::string name = "F" + std::to_string(next++);
    auto function = functionText(slot, name);
    if (!function)
      throw std::logic_error(llvm::toString(function.takeError()));
    text += *function;
    calls += "  " + name + "::run(in, nullptr, results + " + std::to_string(next - 1) + " * count + i, sum);\n";
  }
  return text +
         "template <int> __global__ void apply(const float *pairs, float *results, int count) {\n"
         "  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
         "  if (i >= count)\n    return;\n"
         "  const float in[] = {pairs[2 * i], pairs[2 * i + 1]};\n  double sum = 0;\n" +
         calls + "}\n";
}

std::vector<float> runOn(const std::vector<float> &pairs, const std::string &text, size_t operations) {
  using namespace rt::cuda;
  Headers headers;
  for (const auto &[name, header] : sn::cuda::templateTexts())
    headers[std::string(name)] = header;
  const auto compiled = emulator::makeCompiler()->compile({{"meaning", text, {"apply<0>"}}}, headers, "sm_90a").at(0);
  emulator::configure({});
  const DriverApi &api = emulator::driverApi();
  auto check = [](Result result) { ASSERT_EQ(result, 0) << emulator::lastFault(); };
  ContextHandle context;
  ModuleHandle module;
  FunctionHandle function;
  DevicePointer in, out;
  int count = static_cast<int>(pairs.size() / 2);
  std::vector<float> results(operations * static_cast<size_t>(count));
  check(api.init(0));
  check(api.devicePrimaryCtxRetain(&context, 0));
  check(api.ctxSetCurrent(context));
  check(api.moduleLoadDataEx(&module, compiled.image.c_str(), 0, nullptr, nullptr));
  check(api.moduleGetFunction(&function, module, compiled.names.at("apply<0>").c_str()));
  check(api.memAlloc(&in, pairs.size() * sizeof(float)));
  check(api.memAlloc(&out, results.size() * sizeof(float)));
  check(api.memcpyHtoDAsync(in, pairs.data(), pairs.size() * sizeof(float), nullptr));
  void *arguments[] = {&in, &out, &count};
  check(api.launchKernel(function, static_cast<unsigned>(count + 63) / 64, 1, 1, 64, 1, 1, 0, nullptr, arguments,
                         nullptr));
  check(api.memcpyDtoHAsync(results.data(), out, results.size() * sizeof(float), nullptr));
  check(api.memFree(in));
  check(api.memFree(out));
  check(api.moduleUnload(module));
  check(api.devicePrimaryCtxRelease(0));
  return results;
}

TEST(CudaMeaning, OfEveryOperationOnSpecialValues) {
  const float values[] = {0.0f,  -0.0f,     1.0f,      -1.0f, 0.5f,   -2.5f,     3.0f,       80.0f,        -90.0f,
                          1e-3f, 0x1p-126f, 0x1p-140f, 3e38f, -3e38f, kInfinity, -kInfinity, std::nanf("")};
  std::vector<float> pairs;
  for (float a : values)
    for (float b : values)
      pairs.insert(pairs.end(), {a, b});
  const std::vector<Operation> table = operations();
  const std::vector<float> results = runOn(pairs, unitOf(table), table.size());
  const size_t count = pairs.size() / 2;
  for (size_t k = 0; k < table.size(); ++k)
    for (size_t i = 0; i < count; ++i) {
      const float a = pairs[2 * i], b = pairs[2 * i + 1], is = results[k * count + i];
      const float due = static_cast<float>(table[k].meaning(a, b));
      const std::string what = table[k].body + " of " + std::to_string(a) + ", " + std::to_string(b);
      if (std::isnan(due) || std::isinf(due) || table[k].exact) {
        EXPECT_EQ(std::isnan(is), std::isnan(due)) << what;
        if (!std::isnan(due)) {
          EXPECT_EQ(is, due) << what;
          EXPECT_TRUE(due != 0 || a == b || std::signbit(is) == std::signbit(due)) << what << ": the sign of zero";
        }
      } else {
        EXPECT_NEAR(is, due, 2e-6 * std::fabs(due) + 1e-40) << what;
      }
    }
}

/// What EXPECT_EQ above cannot see where both operands are zeros.
TEST(CudaMeaning, MinimumAndMaximumTellZerosApart) {
  const std::vector<Operation> table = {{"arith.minimumf %a0, %a1", {}}, {"arith.maximumf %a0, %a1", {}}};
  const std::vector<float> results = runOn({0.0f, -0.0f, -0.0f, 0.0f, 0.0f, 0.0f}, unitOf(table), table.size());
  std::vector<bool> negative;
  for (float result : results)
    negative.push_back(std::signbit(result));
  EXPECT_EQ(negative, (std::vector<bool>{true, true, false, false, false, false}));
}
} // namespace
} // namespace sn::target::cuda
