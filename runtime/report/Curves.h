// The curves of runs: losses, ranking measures, learning rate, throughput.
#pragma once
#include "runtime/report/Chart.h"
#include "runtime/report/Metrics.h"

namespace sn::report {
/// The charts that the runs have points for. `names`: of the runs; `colors`: of each, the same in every chart.
std::vector<Chart> charts(const std::vector<const Run *> &runs, const std::vector<std::string> &names);
} // namespace sn::report
