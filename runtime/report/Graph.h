// The fused plan as a picture: a box for each step in the order in which they run, lines for the buffers they pass.
#pragma once
#include "runtime/report/Metrics.h"

namespace sn::report {
/// Which part of the training step a box does. A fused one does several: columns [first, last].
enum class Phase { Forward, Backward, Update };
/// A buffer on its way from the step that writes it to those that read it.
struct Passing {
  std::string name;
  size_t writer = 0;
  std::vector<size_t> readers = {}; // ascending, after the writer
  size_t track = 0;                 // of the vertical lines; two that overlap differ
};
struct PlanGraph {
  struct Node {
    Phase first = Phase::Forward, last = Phase::Forward;
    std::vector<std::string> reads, updates, datasets; // parameters read alone, parameters updated, data sets
  };
  std::vector<Node> nodes; // as the steps
  std::vector<Passing> passings;
  size_t tracks = 0;
};
/// What the names of the steps' reads and writes imply. A name that is read no later than it is first written, or is
/// only read, is a parameter, unless it is one of `datasets` or a step's target.
PlanGraph layOut(const std::vector<GraphStep> &steps, const std::vector<DataSetSize> &datasets);

/// The picture as SVG. `shares`: of the time, as the steps; empty where there is no profile. At most kStepsDrawn boxes.
std::string draw(const std::vector<GraphStep> &steps, const PlanGraph &graph, const std::vector<double> &shares);
inline constexpr size_t kStepsDrawn = 200;
} // namespace sn::report
