#include "tools/snrt/Output.h"
#include "runtime/exec/MetricsLog.h"
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace sn::snrt {
std::string formatSeconds(double seconds) {
  int64_t whole = static_cast<int64_t>(seconds + 0.5);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

Progress::Progress(std::string label, int64_t total, std::string unit, bool quiet)
    : label(std::move(label)), unit(std::move(unit)), total(total), quiet(quiet),
      terminal(::isatty(STDERR_FILENO) == 1), start(Clock::now()), last(start) {}

void Progress::update(int64_t done) {
  Clock::time_point now = Clock::now();
  auto due = terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  if (quiet || now - last < due || done == 0)
    return;
  last = now;
  double elapsed = std::chrono::duration<double>(now - start).count();
  double rate = static_cast<double>(done) / elapsed, left = static_cast<double>(total - done) / rate;
  double share = static_cast<double>(done) / static_cast<double>(total);
  std::string text = fmt::format("{:3.0f}%  {:.0f} {}/s  {} left", 100 * share, rate, unit, formatSeconds(left));
  if (terminal) {
    constexpr int kWidth = 30;
    int filled = static_cast<int>(share * kWidth);
    fmt::print(stderr, "\r\x1b[K{} [{}{}] {}", label, std::string(filled, '='), std::string(kWidth - filled, ' '),
               text);
  } else {
    fmt::print(stderr, "{} {}\n", label, text);
  }
  std::fflush(stderr);
  shown = true;
}

void Progress::clear() {
  if (shown && terminal)
    fmt::print(stderr, "\r\x1b[K");
  shown = false;
}

void printTable(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths;
  for (const auto &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto &row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      if (i == 0)
        fmt::print("{:<{}}", row[i], widths[i]);
      else
        fmt::print("  {:>{}}", row[i], widths[i]);
    fmt::print("\n");
  }
}

namespace {
constexpr double kMega = 1e6;
/// What the table says of one launch on average.
std::vector<std::string> cellsOf(const rt::StepWork &work, int64_t launches) {
  if (launches == 0)
    return {"", "", ""};
  const double each = kMega * static_cast<double>(launches);
  return {fmt::format("{:.3f}", work.bytes / each), fmt::format("{:.3f}", work.flops / each),
          work.roofline ? fmt::format("{:.1f}%", 100 * *work.roofline) : "unknown"};
}
nlohmann::json profileJson(const std::vector<rt::StepProfile> &steps, const std::vector<rt::StepWork> &work) {
  nlohmann::json list = nlohmann::json::array();
  for (size_t i = 0; i < steps.size(); ++i) {
    list.push_back({{"kernel", steps[i].kernel},
                    {"label", steps[i].label},
                    {"launches", steps[i].launches},
                    {"seconds", steps[i].seconds}});
    if (!work.empty())
      list.back().update(rt::recordOf(work[i]));
  }
  return list;
}
} // namespace

void printProfile(const std::string &entry, const std::vector<rt::StepProfile> &steps,
                  const std::vector<rt::StepWork> &work, bool json) {
  double total = 0;
  for (const rt::StepProfile &step : steps)
    total += step.seconds;
  if (json) {
    fmt::print("{}\n",
               nlohmann::json{{"profile", entry}, {"seconds", total}, {"steps", profileJson(steps, work)}}.dump());
    return;
  }
  std::vector<std::vector<std::string>> rows = {{"kernel         step", "seconds", "share", "ms/launch"}};
  if (!work.empty())
    rows.back().insert(rows.back().end(), {"MB/launch", "Mflop/launch", "of roofline"});
  for (size_t i = 0; i < steps.size(); ++i) {
    const rt::StepProfile &step = steps[i];
    rows.push_back(
        {fmt::format("{:<14} {}", step.kernel, step.label), fmt::format("{:.2f}", step.seconds),
         fmt::format("{:.1f}%", total > 0 ? 100 * step.seconds / total : 0),
         fmt::format("{:.3f}", step.launches ? 1e3 * step.seconds / static_cast<double>(step.launches) : 0)});
    if (!work.empty())
      for (std::string &cell : cellsOf(work[i], step.launches))
        rows.back().push_back(std::move(cell));
  }
  rows.push_back({"all of " + entry, fmt::format("{:.2f}", total), "100.0%", ""});
  printTable(rows);
}
} // namespace sn::snrt
