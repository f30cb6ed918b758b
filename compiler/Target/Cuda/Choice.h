// Which variants of a product (kernels-templates/cuda/manifest.inc) a plan carries for a step.
#pragma once
#include "kernels-templates/cuda/Variants.h"
#include "runtime/plan/Plan.h"
#include <vector>

namespace sn::target::cuda {
/// A class of devices, by what the quickest common one of them does in a clock of a multiprocessor: multiplications
/// with addition, and bytes from its L2 cache. From data sheets; only ratios count.
struct DeviceClass {
  int capability;  // times 10
  int sharedBytes; // most that a block may have
  int multiprocessors;
  double ffma;      // fp32
  double mmaBf16;   // by mma.sync; half of it in TF32
  double wgmmaBf16; // by wgmma; 0 = has none
  double loadedBytes;
};
/// The largest first: 9.0; what has the shared memory of 8.0; the other ones since 8.0; 7.5.
inline constexpr DeviceClass kDeviceClasses[] = {
    // mma.sync reaches about 0.62 of the tensor cores' peak on 9.0, wgmma all of it.
    {90, 227 << 10, 132, 128, 0.62 * 2048, 2048, 32},
    {80, 163 << 10, 108, 64, 1024, 0, 48},
    {89, 99 << 10, 142, 128, 512, 0, 32},
    {75, 64 << 10, 40, 64, 0, 0, 32},
};

/// Shared memory of a block of the step's kernel with this variant: bytes, at most.
int sharedBytesOf(const plan::Step &step, const sn::cuda::Variant &variant);

/// How long the step's products take on a device of the class, in clocks: those of a tile (the longer of multiplying at
/// the variant's rate and loading its operands, and a tenth of the other) times the tiles that a multiprocessor gets.
/// Extents that only data tell are taken as the founding example's 27,278; rows are the training's batch. Infinity for
/// a variant that such a device cannot run.
double clocksOf(const plan::Plan &plan, const plan::Step &step, const sn::cuda::Variant &variant,
                const DeviceClass &device);

/// The variants that the plan carries for the step's products, one for each class of devices at most; one null for a step without products. A
/// device takes the first that it can run (its capability, and sharedBytesOf): of the step's precision the quickest on
/// its class, or the quickest in fp32 where it has no units for the precision. The last one runs everywhere.
std::vector<const sn::cuda::Variant *> variantsOf(const plan::Plan &plan, const plan::Step &step);
} // namespace sn::target::cuda
