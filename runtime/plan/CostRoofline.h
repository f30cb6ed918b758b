// The roofline: how quick the steps of a plan can be on a GPU that is known by its data sheet alone. `snc explain
// --device` prints it; nothing here was measured.
#pragma once
#include "runtime/plan/Cost.h"
#include <string_view>
#include <vector>

namespace sn::plan {
/// A GPU, as its vendor's data sheet describes it. Rates are peaks of dense products (no structured sparsity), in
/// floating-point operations a second, a multiplication and an addition counting as two; 0: it has no such unit.
struct Machine {
  std::string_view name;    // as --device takes it
  std::string_view product; // the name on the data sheet
  double memory = 0;        // bytes
  double bandwidth = 0;     // of its memory, bytes a second
  double fp32 = 0, tf32 = 0, bf16 = 0;

  double peak(Precision precision) const {
    switch (precision) {
    case Precision::Fp32:
      return fp32;
    case Precision::Tf32:
      return tf32;
    case Precision::Bf16x3:
      return bf16 / 3;
    case Precision::Bf16:
      return bf16;
    }
    return 0;
  }
};
const std::vector<Machine> &machines();
/// UserError that lists the names for one that is not there.
const Machine &machineNamed(std::string_view name);
/// By what the driver calls the device; null for one whose data sheet is not in the table.
const Machine *machineOfDevice(std::string_view product);

/// What a launch takes.
struct Roofline {
  double floor = 0;     // seconds: the longer of moving its bytes and computing, both at the data sheet's rates
  double expected = 0;  // seconds, at the shares of those rates that the kernels are built for (CostRoofline.cpp)
  bool byMemory = true; // moving takes the longer of the two
};
/// `precision` is one that the machine has.
Roofline rooflineOf(const Cost &cost, const Machine &machine, Precision precision);
/// What the step's products are computed in on the machine: the step's precision, or fp32 where it has no units for it
/// and where sums are over the stored entries of sparse data.
Precision precisionOn(const Machine &machine, const Plan &plan, const Step &step, const CostModel &model);
/// Of a step, and of the entry's steps one after another. Lists of the best columns count for each wide_topk.
Roofline rooflineOf(const Plan &plan, const Entry &entry, const Step &step, const CostModel &model,
                    const Machine &machine);
Roofline rooflineOf(const Plan &plan, const Entry &entry, const CostModel &model, const Machine &machine);

/// What training with batches of the model's "B" rows takes on a GPU: bytes.
struct DeviceMemory {
  double parameters = 0, states = 0;
  double buffers = 0;   // of the entry that has the most
  double workspace = 0; // partial sums and tiles of the wide layers, or the transposed batch
  double data = 0;      // the data sets, resident
  double total() const { return parameters + states + buffers + workspace + data; }
};
/// `dataBytes`: of the data sets.
DeviceMemory deviceMemory(const Plan &plan, const CostModel &model, double dataBytes);
} // namespace sn::plan
