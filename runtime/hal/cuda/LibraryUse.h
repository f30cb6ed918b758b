// Which products a library may take, and what launches know of those that it takes.
#pragma once
#include "runtime/plan/Precision.h"
#include <compare>
#include <cstdint>
#include <vector>

namespace sn::rt::cuda {
/// result [rows, columns] = x [rows, inner] E, with E [inner, columns] stored [inner][columns], or [columns][inner] if
/// `outerFirst`; fp32 in memory. `accumulate`: added to what is in the result.
struct LibraryProduct {
  int64_t rows = 0, inner = 0, columns = 0;
  bool outerFirst = false, accumulate = false;
  plan::Precision precision = plan::Precision::Fp32;
  auto operator<=>(const LibraryProduct &) const = default;
};
/// A step all of whose products the library takes, one for each source, in their order.
struct LibraryUse {
  std::vector<LibraryProduct> products;
  int64_t workspaceBytes = 0;
};
/// Of all operands, in bytes: what a buffer has wherever it lies in an entry's memory (runtime/exec/Arena.h).
inline constexpr uint32_t kLibraryAlignment = 16;

/// The smallest products that go to the library. What it costs is a pass of its own over the result: 8 bytes for each
/// value (from L2 or memory, at about 5 TB/s on an H200) and 2 us of launching, where our kernel has the value in a
/// register. In fp32 (67 TFLOP/s there) that is 10 % of a product of inner extent 512, and the library's larger tiles
/// are to win 20 to 30 % over ours, which are built for 60 % of the peak; with TF32 (495 TFLOP/s), where the same pass
/// weighs more, the inner extent is 1,024. Below 256 rows or 512 columns there are too few tiles to fill a device, and
/// launches cost as much as products. BF16 and BF16x3 stay with our kernels: factors are fp32 in memory, and the
/// library would want them converted first.
struct LibraryLimits {
  int64_t rows = 256, columns = 512, inner = 512, innerTf32 = 1024;

  constexpr bool suits(plan::Precision precision) const {
    return precision == plan::Precision::Fp32 || precision == plan::Precision::Tf32;
  }
  constexpr int64_t innerOf(plan::Precision precision) const {
    return precision == plan::Precision::Fp32 ? inner : innerTf32;
  }
};
} // namespace sn::rt::cuda
