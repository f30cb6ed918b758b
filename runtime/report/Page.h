// The report as one page: HTML that is also XML, with its style and pictures inside; nothing is fetched, no script is
// needed to read it. Equal metrics give equal bytes.
#pragma once
#include "runtime/report/Metrics.h"

namespace sn::report {
/// The page. Of many runs the last kRunsShown are shown, and says so.
std::string page(const Metrics &metrics);
inline constexpr size_t kRunsShown = 12;

/// The parts of a single run: what it is, its plan as a graph, its kernels, memory, epochs. `rows`
/// bounds the table of epochs. `graphOf` is the heading of an earlier run with the same graph, or empty.
std::string runParts(const Run &run, size_t rows, const std::string &graphOf);
/// <dl> of names and values; values that are empty are left out.
std::string facts(const std::vector<std::pair<std::string, std::string>> &list);

/// The page's style sheet and its hover.
extern const char *const kStyle;
extern const char *const kHover;
} // namespace sn::report
