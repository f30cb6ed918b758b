#include "test/unit/cuda/WideCase.h"

namespace sn::test::dense {
namespace {
void check(const Case &of) { checkWide<Tile>(of); }

TEST(CudaWideOutput, SweepsAndLoaders) {
  for (Sweep sweep : kSweeps)
    for (rt::Loader loader : {rt::Loader::Dense, rt::Loader::CsrBinary, rt::Loader::CsrAnalog})
      for (bool storedOnly : {false, true})
        if (!storedOnly || loader != rt::Loader::Dense)
          check({.sweep = sweep,
                 .loader = loader,
                 .storedOnly = storedOnly,
                 .sums = loader != rt::Loader::CsrBinary,
                 .sources = {{.inner = 17, .outerFirst = storedOnly, .gradient = true}}});
  for (rt::Loader loader : {rt::Loader::Dense, rt::Loader::CsrBinary})
    check({.loader = loader, .sources = {{.inner = 17, .gradient = true}}, .keeps = true});
}
TEST(CudaWideOutput, SumsOfBinaryTargets) {
  check({.sweep = Sweep::Forward,
         .loader = rt::Loader::CsrBinary,
         .sums = true,
         .sources = {{.inner = 3, .gradient = true}}});
}
TEST(CudaWideOutput, WithoutTarget) {
  for (Sweep sweep : {Sweep::Single, Sweep::Forward, Sweep::Update})
    check({.sweep = sweep, .hasTarget = false, .rows = 9, .sources = {{.inner = 20, .gradient = true}}});
}
TEST(CudaWideOutput, Extents) {
  for (Int columns : {1, 63, 64, 300})
    for (Int rows : {1, 64})
      for (Sweep sweep : {Sweep::Single, Sweep::Update, Sweep::Forward, Sweep::Norm})
        check({.sweep = sweep,
               .rows = rows,
               .maxRows = rows == 1 ? 130 : 64,
               .columns = columns,
               .sources = {{.inner = columns == 64 ? 130 : 1, .outerFirst = rows == 1, .gradient = true}}});
  for (Sweep sweep : kSweeps)
    check({.sweep = sweep,
           .loader = rt::Loader::CsrBinary,
           .rows = 130,
           .maxRows = 200,
           .columns = 1500, // 8 lanes, of tiles that do not fill them
           .sources = {{.inner = 7, .gradient = true}}});
}
TEST(CudaWideOutput, SeveralSources) {
  for (Sweep sweep : kSweeps)
    check({.sweep = sweep,
           .sources = {{.inner = 17, .outerFirst = true, .gradient = true},
                       {.inner = 65, .scale = 0.5f}, // nobody wants its input gradient
                       {.inner = 1, .gradient = true}},
           .biases = 2});
  check({.sources = {{.inner = 5}}, .biases = 0});
}
TEST(CudaWideOutput, GradientBuffers) {
  for (Sweep sweep : {Sweep::Single, Sweep::Update})
    check({.sweep = sweep,
           .sources = {{.inner = 17, .outerFirst = true, .gradient = true, .descent = SourceSpec::Over, .scale = 0.5f},
                       {.inner = 20, .descent = SourceSpec::Accumulate},
                       {.inner = 3}}});
}
TEST(CudaWideOutput, TransposeOfSharedWeightsIsLate) {
  for (bool outerFirst : {false, true})
    for (Int width : {65, 300})
      for (Sweep sweep : {Sweep::Single, Sweep::Update})
        check({.sweep = sweep,
               .rows = width == 300 ? 9 : 65,
               .columns = width,
               .sources = {{.inner = width,
                            .outerFirst = outerFirst,
                            .gradient = true,
                            .descent = SourceSpec::Over,
                            .scale = 0.5f}},
               .transpose = true});
}
} // namespace
} // namespace sn::test::dense
