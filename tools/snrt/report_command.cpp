// snrt report: metrics files as one page to read.
#include "runtime/data/AtomicFile.h"
#include "runtime/report/Page.h"
#include "runtime/report/Summary.h"
#include "tools/snrt/Options.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sn::snrt {
namespace {
struct ReportOptions {
  std::vector<std::string> metrics;
  std::string out;
  bool force = false, json = false;
};
constexpr size_t kSkippedSaid = 5;

void saySkipped(const report::Metrics &metrics) {
  size_t said = std::min(kSkippedSaid, metrics.skipped.size());
  for (size_t i = 0; i < said; ++i)
    fmt::print(stderr, "snrt: {}:{}: skipped: {}\n", metrics.skipped[i].file, metrics.skipped[i].line,
               metrics.skipped[i].why);
  if (metrics.skippedLines > static_cast<int64_t>(said))
    fmt::print(stderr, "snrt: {} more lines are skipped\n", metrics.skippedLines - static_cast<int64_t>(said));
}

void writeReport(const ReportOptions &options) {
  std::string out = options.out;
  if (out.empty())
    out = (std::filesystem::path(options.metrics.front()).parent_path() / "report.html").string();
  if (!options.json)
    refuseExisting(out, options.force);
  report::Metrics metrics = report::readMetrics(options.metrics);
  saySkipped(metrics);
  if (options.json) {
    fmt::print("{}\n", report::summary(metrics).dump());
    return;
  }
  rt::AtomicFile file(out, options.force);
  std::ofstream page(file.temporary(), std::ios::binary);
  page << report::page(metrics);
  page.close();
  if (!page)
    userError("{}: cannot be written: {}", out, std::strerror(errno));
  file.commit();
  fmt::print("report: {}\n", out);
}
} // namespace

void addReportCommand(CLI::App &app) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App *command = app.add_subcommand("report", "Make a page to read of what training wrote to metrics.jsonl");
  command->add_option("metrics", options->metrics, "Metrics files written by snrt train; several are shown together")
      ->required();
  auto *out =
      command->add_option("-o,--output", options->out, "Page to write (default: report.html beside the first file)");
  command->add_flag("--force", options->force, "Overwrite the page");
  command->add_flag("--json", options->json, "Print the numbers as JSON instead")->excludes(out);
  command->footer("Example: snrt report metrics.jsonl -o report.html\n"
                  "The page is one file: curves, the plan as a graph, time per kernel, memory. It needs no network.");
  command->callback([options] { writeReport(*options); });
}
} // namespace sn::snrt
