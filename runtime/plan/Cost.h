// The cost model of plan steps: what a launch computes and moves, from extents. `snc explain` prints it, `snrt` makes
// its time estimate of it.
#pragma once
#include "runtime/plan/Plan.h"
#include <functional>
#include <set>

namespace sn::plan {
/// Numbers behind the symbols of a plan, and how parameters are updated.
struct CostModel {
  std::function<double(const Dim &)> extent;            // "B" and data-set columns
  std::function<double(const std::string &)> density{}; // stored entries per row of a data set
  int states = 0;                                       // optimizer states per parameter
  bool onlyTouched = false;                             // features without entries in the batch keep value and state
  std::set<std::string> putOff{};                       // parameters whose untouched rows are left for later
  std::function<bool(const Step &)> factored{};         // a step that may be factored is; null: none is
  double steps = 1;                                     // of an epoch
  bool asStored = false; // parameters have the bytes of Parameter::storage (a GPU); else all are fp32 (the CPU)
};
struct Cost {
  double flops = 0;    // multiply and add count as two; slots are not counted
  double bytes = 0;    // parameters, optimizer state, data and buffers read or written once each
  double elements = 0; // elements that pass through slots: an output's activation, loss and delta; an updated weight
};
/// Of `in` features, those that `entries` entries are expected to touch if all are equally likely.
double touchedFeatures(double in, double entries);
/// Cost of one launch.
Cost costOf(const Plan &plan, const Entry &entry, const Step &step, const CostModel &model);
/// Of an element of the parameter.
double elementBytes(const Parameter &parameter, const CostModel &model);
/// Bytes of all parameters, and the peak of an entry's buffers.
double parameterBytes(const Plan &plan, const CostModel &model);
double peakBufferBytes(const Entry &entry, const CostModel &model);

/// Whether features without entries in the batch keep value and state with these hyper-parameters
/// (Optimizer::idleWhenZero).
bool keepsUntouched(const Optimizer &optimizer, const std::map<std::string, double, std::less<>> &hyper);

/// What a machine does in a second.
struct Speed {
  double flops = 1, bytes = 1;
};
/// About how long a launch takes: computing, moving and slots one after the other. Zero for no work.
double secondsOf(const Cost &cost, const Speed &speed);
} // namespace sn::plan
