#include "tools/gpu/LibraryRate.h"
#include "runtime/hal/cuda/LibraryProducts.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Philox.h"
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fmt/ranges.h>

namespace sn::gpu {
namespace {
using namespace rt::cuda;
constexpr int64_t kMostColumns = int64_t(1) << 18;
constexpr int kRounds = 5, kRepeats = 10; // a round: so many products between two events

/// Memory full of numbers in [-1/2, 1/2): multiplying zeros takes less power, and so less time.
class Numbers {
public:
  explicit Numbers(const Context &context) : context(context) {
    for (uint64_t i = 0; i < kBlock; ++i)
      block.push_back(plan::uniform({1, 2, 3}, i, 0) - 0.5f);
  }
  void fill(DeviceBlock &memory, int64_t count) const {
    memory.reserve(std::max<int64_t>(1, count) * static_cast<int64_t>(sizeof(float)));
    for (int64_t begin = 0; begin < count; begin += kBlock)
      context.copyIn(memory.at(begin * static_cast<int64_t>(sizeof(float))), block.data(),
                     std::min(kBlock, count - begin) * static_cast<int64_t>(sizeof(float)));
    context.synchronize();
  }

private:
  static constexpr int64_t kBlock = int64_t(1) << 16;
  const Context &context;
  std::vector<float> block;
};

nlohmann::json rateOf(const Context &context, LibraryProducts &products, const LibraryProduct &wanted) {
  plan::Step step;
  step.kernel = "gemm";
  step.label = "products";
  step.precision = wanted.precision;
  StepArgs args;
  args.maxRows = wanted.rows;
  args.columns = wanted.columns;
  const Numbers numbers(context);
  DeviceBlock x(context), weights(context), result(context), workspace(context);
  numbers.fill(x, wanted.rows * wanted.inner);
  numbers.fill(weights, wanted.inner * wanted.columns);
  numbers.fill(result, wanted.rows * wanted.columns);
  Source source;
  source.x = x.as<float>();
  source.weights.value = weights.as<float>();
  source.inner = wanted.inner;
  source.outer = wanted.columns;
  source.outerFirst = wanted.outerFirst;
  const std::vector<Source> sources = {source};
  const std::optional<LibraryUse> use = products.choose({step, args, sources});
  if (!use)
    userError("sn-gpu-library: {}", fmt::join(products.remarks(), "; "));
  workspace.reserve(std::max<int64_t>(1, use->workspaceBytes));
  const auto multiply = [&] {
    products.multiply(use->products.front(), source.x, source.weights.value, result.as<float>(), workspace.as<void>(),
                      use->workspaceBytes);
  };
  multiply(); // loads the kernel
  context.synchronize();
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Event begin(context), end(context);
    begin.record();
    for (int i = 0; i < kRepeats; ++i)
      multiply();
    end.record();
    context.synchronize();
    const double seconds = end.secondsSince(begin) / kRepeats;
    best = round == 0 ? seconds : std::min(best, seconds);
  }
  const double flops =
      2.0 * static_cast<double>(wanted.rows) * static_cast<double>(wanted.inner) * static_cast<double>(wanted.columns);
  return {
      {"rows", wanted.rows}, {"inner", wanted.inner}, {"columns", wanted.columns}, {"seconds", best}, {"flops", flops}};
}

int64_t numberOf(const char *text) {
  int64_t number = 0;
  const auto [rest, error] = std::from_chars(text, text + std::strlen(text), number);
  if (error != std::errc() || *rest || number < 1)
    userError("sn-gpu-library: '{}' is no number of rows or columns", text);
  return number;
}
} // namespace

nlohmann::json libraryRates(const DriverApi &driver, const LibraryOpener &open, const LayerShape &shape) {
  const Context context(driver, 0);
  LibraryProducts products(context, open, {1, 1, 1, 1});
  const int64_t columns = std::min(shape.columns, kMostColumns);
  nlohmann::json rates = nlohmann::json::array();
  double flops = 0, seconds = 0;
  for (const LibraryProduct &one : {LibraryProduct{shape.batch, shape.inner, columns, false, false, shape.precision},
                                    LibraryProduct{shape.batch, columns, shape.inner, true, false, shape.precision},
                                    LibraryProduct{shape.inner, shape.batch, columns, false, false, shape.precision}}) {
    rates.push_back(rateOf(context, products, one));
    flops += rates.back()["flops"].get<double>();
    seconds += rates.back()["seconds"].get<double>();
  }
  return {{"device", context.name()},
          {"library", products.remarks().front()},
          {"precision", shape.precision},
          {"products", rates},
          {"flops_per_second", flops / std::max(seconds, 1e-12)}};
}

int runLibraryRates(const DriverApi &driver, const LibraryOpener &open, int argc, char **argv) {
  try {
    const std::optional<plan::Precision> precision = argc == 5 ? plan::precisionNamed(argv[4]) : std::nullopt;
    if (!precision || !LibraryLimits{}.suits(*precision))
      userError("usage: sn-gpu-library BATCH INNER COLUMNS fp32|tf32");
    const LayerShape shape{numberOf(argv[1]), numberOf(argv[2]), numberOf(argv[3]), *precision};
    std::puts(libraryRates(driver, open, shape).dump().c_str());
    return 0;
  } catch (const UserError &problem) {
    return std::fprintf(stderr, "%s\n", problem.what()), 1;
  }
}
} // namespace sn::gpu
