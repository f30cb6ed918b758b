// cuBLASLt over the emulated driver: plain loops in place of its kernels, with the checks and codes of the real one.
#pragma once
#include "runtime/hal/cuda/Library.h"
#include <vector>

namespace sn::emulator {
struct LibrarySettings {
  rt::cuda::LibraryStatus started = 0; // of create: 1 where there is no device
  size_t version = 130100;
  /// How the algorithms that there are add what was cut (cublas::kUncut, kInPlace, kInWorkspace), best first.
  std::vector<uint32_t> schemes = {rt::cuda::cublas::kInPlace, rt::cuda::cublas::kInWorkspace,
                                   rt::cuda::cublas::kUncut};
  bool ignoresReductions = false;         // proposes schemes that the preference leaves out
  size_t workspaceBytes = 1 << 10;        // that schemes but kUncut take
  rt::cuda::LibraryStatus multiplied = 0; // what multiply() says if all is well, beside doing nothing unless it is 0
};
struct LibraryCounters {
  int64_t created = 0; // handles, of which `alive` are left, with descriptors of every kind
  int64_t alive = 0;
  int64_t proposals = 0, products = 0; // calls of propose(); products that ran
  int64_t accumulated = 0;             // of them: added to what was there
  int64_t tf32 = 0;                    // of them: factors rounded
};

/// Functions have the arguments, checks and codes of the real ones. A product sums in fp32 in the order of the depth,
/// its factors rounded to the nearest TF32 if the compute type says so, and runs in the order of the stream: at once,
/// or whenever the graph runs that it was recorded for. It overwrites the workspace that its algorithm asked for.
const rt::cuda::LibraryApi &libraryApi();
/// Begins counting anew; handles and descriptors stay.
void configureLibrary(const LibrarySettings &settings);
LibraryCounters libraryCounters();
/// What devices are given (makeCudaDevice).
rt::cuda::OpenedLibrary openLibrary();
} // namespace sn::emulator
