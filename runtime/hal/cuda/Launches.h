// How the steps of each schema are launched: what the host must know of the templates in kernels-templates/cuda. One
// function for each schema, beside its template's constants; nothing here touches the device.
#pragma once
#include "kernels-templates/cuda/Variants.h"
#include "kernels-templates/cuda/abi.cuh"
#include "runtime/hal/Device.h"
#include "runtime/hal/cuda/LibraryUse.h"
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace sn::rt::cuda {
using namespace sn::cuda; // the structures shared with device code

/// One launch of a step: of a kernel, or of a product by the library.
struct Pass {
  /// "" = the step's own kernel with the template argument `number`; else a kernel that all plans share, from
  /// kernels-templates/cuda/common.cuh, by its qualified name.
  std::string kernel;
  int number = 0;
  int64_t blocks = 1; // along x; at most 2^31 - 1
  int64_t blocksY = 1;
  int threads = kThreads;
  int64_t shared = 0;         // bytes of dynamic shared memory
  bool sums = false;          // writes StepArgs::sums and regularizations, one value for each block
  size_t source = 0;          // StepArgs::source of this pass
  std::vector<size_t> zeroed; // work areas that are zeroed before the pass
  /// The product of `source` by the library (LibraryProducts) into work area gemm::kPartials, instead of a kernel.
  std::optional<LibraryProduct> product;
  bool oneUnit = false; // gemm::kFinish: the work area holds the sum of all sources
};
/// The launches of a step and the workspace they share.
struct Launches {
  std::vector<Pass> passes;
  std::array<int64_t, kWorkAreas> workBytes{}; // of StepArgs::work
  std::vector<int64_t> partialFloats;          // by source: of Source::partials
};

/// What the number and size of launches may depend on. `args` has its extents, flags and sources set; its pointers may
/// be any, null where an operand is absent.
struct StepShape {
  const plan::Step &step;
  const StepArgs &args;
  const std::vector<Source> &sources;
  Loader loader = Loader::CsrBinary;               // of the data source or target, if there is one
  const Variant *variant = &kPlainVariant;         // of the step's products
  const LibraryUse *library = nullptr;             // gemm: if the library computes its products
  plan::Precision storage = plan::Precision::Fp32; // of the weights of its sources
  bool deltaBuffer = false;                        // plan::Plan::allowDeltaBuffer
};

/// Whether target slots of the step read `target.scale` or `target.sum`, which take a walk of the target's rows.
bool readsTargetSums(const plan::Step &step);
/// Adds that walk (common.cuh, target_rows) and its work area. To come before the passes that read it.
void addTargetRows(const StepShape &shape, Launches &launches);

/// StepArgs::wideLanes of a step: a power of two, 16 to kWideLanes, as many as give 128 blocks of a tile of rows and a
/// lane each; halved while lanes are thinner than plan::kColumnsPerLane.
int wideLanesOf(const Variant &variant, int64_t maxRows, int64_t columns);
/// How a step of sweep `single` is launched, and why, for people; "" for another step. It goes by extents, precision
/// and the plan alone: results depend on it.
std::string scheduleOf(const StepShape &shape);

Launches csrGatherLaunches(const StepShape &shape);
Launches gemmLaunches(const StepShape &shape);
/// The products of a gemm for the library, if all are large enough for it and in a precision that it has; else none.
std::vector<LibraryProduct> libraryProducts(const StepShape &shape, const LibraryLimits &least);
/// A gemm by the library (StepShape::library). Its workspace is the work area kLibraryWorkspaceArea.
Launches libraryLaunches(const StepShape &shape);
inline constexpr size_t kLibraryWorkspaceArea = 1;
Launches wideOutputLaunches(const StepShape &shape);  // every sweep but statistics
Launches wideSoftmaxLaunches(const StepShape &shape); // sweep statistics
Launches wideTopkLaunches(const StepShape &shape, int64_t k);
Launches cscUpdateLaunches(const StepShape &shape);
Launches gemmUpdateLaunches(const StepShape &shape);
Launches mapLaunches(const StepShape &shape, bool vectors);
Launches rowReduceLaunches(const StepShape &shape);
Launches columnReduceLaunches(const StepShape &shape);
Launches expandLaunches(const StepShape &shape);
Launches updateLaunches(const StepShape &shape);
Launches limitNormLaunches(const StepShape &shape);
} // namespace sn::rt::cuda
