// Steps of the schema gemm whose products a library computes: each source's product into one unit of the work area that
// gemm::kPartial fills, the second and later ones added to it; then gemm::kFinish, as it is.
#include "kernels-templates/cuda/wide_layout.cuh"
#include "runtime/hal/cuda/Launches.h"
#include <algorithm>

namespace sn::rt::cuda {
static_assert(kLibraryWorkspaceArea != size_t(gemm::kPartials));

std::vector<LibraryProduct> libraryProducts(const StepShape &shape, const LibraryLimits &least) {
  const plan::Precision precision = shape.step.precision;
  const StepArgs &args = shape.args;
  const bool suits = shape.step.kernel == "gemm" && !shape.sources.empty() && least.suits(precision) &&
                     shape.storage == plan::Precision::Fp32 && args.maxRows >= least.rows &&
                     args.columns >= least.columns;
  std::vector<LibraryProduct> products;
  for (const Source &source : shape.sources) {
    // A factor that comes from a data set has no place in memory.
    if (!suits || !source.x || source.outer != args.columns || source.inner < least.innerOf(precision))
      return {};
    products.push_back(
        {args.maxRows, source.inner, args.columns, source.outerFirst != 0, !products.empty(), precision});
  }
  return products;
}

Launches libraryLaunches(const StepShape &shape) {
  const StepArgs &args = shape.args;
  Launches launches;
  for (size_t s = 0; s < shape.library->products.size(); ++s) {
    Pass pass;
    pass.source = s;
    pass.product = shape.library->products[s];
    launches.passes.push_back(pass);
  }
  const auto tiles = [&](int64_t extent) {
    return std::max<int64_t>(1, (extent + shape.variant->side - 1) / shape.variant->side);
  };
  Pass finish;
  finish.number = gemm::kFinish;
  finish.blocks = tiles(args.columns);
  finish.blocksY = tiles(args.maxRows);
  finish.sums = true;
  finish.oneUnit = true;
  launches.passes.push_back(finish);
  // All rows that there can be, since a recorded step is the same for every batch. What stands in the rows beyond a
  // batch is of no account: products keep rows apart, and gemm::kFinish reads those of the batch.
  launches.workBytes[gemm::kPartials] = args.maxRows * args.columns * static_cast<int64_t>(sizeof(float));
  launches.workBytes[kLibraryWorkspaceArea] = shape.library->workspaceBytes;
  return launches;
}
} // namespace sn::rt::cuda
