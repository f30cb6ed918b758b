// Tiles of 128 x 128: phases apart, gradients through work areas, all extents around the side.
#include "test/unit/cuda/WideCase.h"

namespace sn::test::dense {
namespace {
using Large = FfmaTile<128>;

TEST(CudaWideOutput128, SweepsAndLoaders) {
  for (Sweep sweep : kSweeps)
    for (rt::Loader loader : {rt::Loader::Dense, rt::Loader::CsrAnalog})
      checkWide<Large>({.sweep = sweep,
                        .loader = loader,
                        .sums = true,
                        .rows = 129,
                        .maxRows = 140,
                        .columns = 130,
                        .sources = {{.inner = 17, .gradient = true}}});
  checkWide<Large>(
      {.storedOnly = true, .sums = true, .sources = {{.inner = 17, .outerFirst = true, .gradient = true}}});
}
TEST(CudaWideOutput128, Extents) {
  for (Int inner : {1, 127, 128, 129})
    checkWide<Large>({.sums = true,
                      .rows = inner == 1 ? 385 : 5,
                      .maxRows = inner == 1 ? 385 : 200,
                      .columns = inner == 1 ? 127 : 129,
                      .sources = {{.inner = inner, .outerFirst = inner == 128, .gradient = true}}});
  checkWide<Large>(
      {.sums = true, .rows = 130, .maxRows = 130, .sources = {{.inner = 9, .gradient = true}}, .keeps = true});
}
} // namespace
} // namespace sn::test::dense
