// What the runs of a metrics file amount to: the numbers that the page and --json share.
#pragma once
#include "runtime/report/Metrics.h"
#include <nlohmann/json.hpp>

namespace sn::report {
/// The best value of a measure and the epoch that had it; epoch 0 = there is none.
struct Best {
  double value = kMissing;
  int64_t epoch = 0;
};
/// The lowest validation loss.
Best bestValidation(const Run &run);
/// The highest value of each ranking measure.
std::map<std::string, Best> bestRanking(const Run &run);
/// The share of each profiled step in the time of all; they add up to 1 (empty without a profile or without time in
/// it).
std::vector<double> shares(const Run &run);
/// Times by kernel schema, the longest first; label and sweep are empty.
std::vector<StepTime> byKernel(const Run &run);
/// The middle one of the epochs' examples per second.
double typicalRate(const Run &run);
/// One sentence: how the run ended, after how much.
std::string ending(const Run &run);
/// A name for each run: what sets it apart from the others, after its number. Just "training" for a single one.
std::vector<std::string> labels(const std::vector<Run> &runs);

/// Everything as one object: `runs`, `skipped`.
nlohmann::json summary(const Metrics &metrics);
} // namespace sn::report
