// The cost model of plan steps: floating-point operations and bytes moved, from extents. `snc explain` prints it;
// schedules will be chosen by it.
#pragma once
#include "runtime/plan/Plan.h"
#include <functional>

namespace sn {
/// Numbers behind the symbols of a plan.
struct CostModel {
  std::function<double(const plan::Dim &)> extent;    // "B" and data-set columns
  std::function<double(const std::string &)> density; // stored entries per row of a data set
};
struct Cost {
  double flops = 0; // multiply and add count as two; slots are not counted
  double bytes = 0; // parameters, optimizer state, data and buffers read or written once each
};
/// Cost of one launch. `states`: number of optimizer states per parameter.
Cost costOf(const plan::Plan &plan, const plan::Entry &entry, const plan::Step &step, int states,
            const CostModel &model);
/// Bytes of all parameters, of the optimizer's state, and the peak of an entry's buffers.
double parameterBytes(const plan::Plan &plan, const CostModel &model);
double peakBufferBytes(const plan::Entry &entry, const CostModel &model);
} // namespace sn
