// What snrt shows: progress, tables.
#pragma once
#include "runtime/exec/MemoryRoom.h"
#include "runtime/exec/StepWork.h"
#include "runtime/exec/Trainer.h"
#include <chrono>

namespace sn::snrt {
using rt::formatBytes;
std::string formatSeconds(double seconds); // "0:42", "1:02:03"

/// Progress on stderr: a bar with rate and time left on a terminal, else a plain line every ten seconds.
class Progress {
public:
  /// `unit` in the plural: "examples", "rows". Silent if `quiet`.
  Progress(std::string label, int64_t total, std::string unit, bool quiet);
  ~Progress() { clear(); }
  void update(int64_t done);
  /// Removes the bar.
  void clear();

private:
  using Clock = std::chrono::steady_clock;
  std::string label, unit;
  int64_t total;
  bool quiet, terminal, shown = false;
  Clock::time_point start, last;
};

/// Columns aligned: the first to the left, the others to the right.
void printTable(const std::vector<std::vector<std::string>> &rows);
/// Time for each step of an entry and its share, on stdout; one JSON object if `json`. `work`: what the steps did, or
/// empty where nobody knows.
void printProfile(const std::string &entry, const std::vector<rt::StepProfile> &steps,
                  const std::vector<rt::StepWork> &work, bool json);
} // namespace sn::snrt
