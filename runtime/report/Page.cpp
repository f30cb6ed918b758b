#include "runtime/report/Page.h"
#include "runtime/report/Curves.h"
#include "runtime/report/Summary.h"
#include "runtime/report/Text.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace sn::report {
namespace {
constexpr size_t kEpochRows = 240, kGraphsDrawn = 4, kSkippedShown = 20; // of all runs together

std::string title(const std::vector<const Run *> &runs) {
  std::set<std::string> names;
  for (const Run *run : runs)
    names.insert(run->network);
  std::string joined;
  for (const std::string &name : names)
    if (!name.empty())
      joined += (joined.empty() ? "" : ", ") + name;
  return joined.empty() ? "Training" : shortened(joined, 120);
}

void tile(std::string &to, const std::string &name, const std::string &value, const std::string &note) {
  put(to,
      "<div class=\"tile\"><span class=\"name\">{}</span><span class=\"value\">{}</span><span "
      "class=\"with\">{}</span></div>\n",
      escaped(name), escaped(value), escaped(note));
}

/// Two measures of ranking, the shortest lists of each.
std::map<std::string, Best> headline(const Run &run) {
  std::map<std::string, Best> chosen, all = bestRanking(run);
  for (const char *family : {"ndcg@", "recall@"}) {
    auto best = all.end();
    for (auto at = all.begin(); at != all.end(); ++at)
      if (at->first.starts_with(family) && (best == all.end() || at->first.size() < best->first.size()))
        best = at;
    if (best != all.end())
      chosen.insert(*best);
  }
  return chosen;
}

/// What one wants to know first.
std::string tiles(const Run &run) {
  std::string to = "<div class=\"tiles\">\n";
  if (!run.epochs.empty())
    tile(to, "training loss", general(run.epochs.back().training), fmt::format("epoch {}", run.epochs.back().epoch));
  else if (!run.batches.empty())
    tile(to, "training loss", general(run.batches.back().training), fmt::format("step {}", run.batches.back().step));
  if (Best best = bestValidation(run); best.epoch)
    tile(to, "best validation loss", general(best.value), fmt::format("epoch {}", best.epoch));
  for (const auto &[name, best] : headline(run))
    tile(to, "best " + name, fmt::format("{:.4f}", best.value), fmt::format("epoch {}", best.epoch));
  if (double rate = typicalRate(run); std::isfinite(rate))
    tile(to, "throughput", whole(rate), "examples per second");
  if (run.trained > 0)
    tile(to, "time", duration(run.trained),
         run.resumed.empty() ? "in one go" : fmt::format("resumed {}×", run.resumed.size()));
  if (auto total = run.memory.find("total"); total != run.memory.end())
    tile(to, "memory", bytes(total->second), "planned");
  return to + "</div>\n";
}

/// One line for each run, its colour before it.
std::string comparison(const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  std::set<std::string> measures;
  for (const Run *run : runs)
    for (const auto &[name, best] : headline(*run))
      if (measures.size() < 4)
        measures.insert(name);
  std::string to =
      "<div class=\"scroll\"><table class=\"runs\"><thead><tr><th>run</th><th>epochs</th><th>training</th><th>best "
      "validation</th>";
  for (const std::string &name : measures)
    put(to, "<th>best {}</th>", escaped(shortened(name, 24)));
  to += "<th>examples/s</th><th>time</th><th>end</th></tr></thead><tbody>\n";
  for (size_t i = 0; i < runs.size(); ++i) {
    const Run &run = *runs[i];
    put(to,
        "<tr><td><svg class=\"key\" viewBox=\"0 0 12 10\" width=\"12\" height=\"10\"><g class=\"c{}\"><path "
        "class=\"curve\" "
        "d=\"M1 5H11\"/></g></svg> <a href=\"#run{}\">{}</a></td>",
        i % kColors, i, escaped(names[i]));
    put(to, "<td>{}</td><td>{}</td><td>{}</td>", run.epochs.size(),
        general(run.epochs.empty() ? kMissing : run.epochs.back().training), general(bestValidation(run).value));
    std::map<std::string, Best> best = bestRanking(run);
    for (const std::string &name : measures)
      put(to, "<td>{}</td>", best[name].epoch ? fmt::format("{:.4f}", best[name].value) : "–");
    put(to, "<td>{}</td><td>{}</td><td>{}</td></tr>\n", whole(typicalRate(run)),
        run.trained > 0 ? duration(run.trained) : "–",
        escaped(shortened(run.end.reason.empty() ? "not written" : run.end.reason, 40)));
  }
  return to + "</tbody></table></div>\n";
}

std::string curves(const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  std::string to;
  for (const Chart &chart : charts(runs, names))
    to += draw(chart);
  return to.empty() ? "<p class=\"note\">No step has been reported yet.</p>\n"
                    : "<section class=\"charts\">\n" + to + "</section>\n";
}

std::string skippedLines(const Metrics &metrics) {
  if (metrics.skippedLines == 0)
    return "";
  std::string to = "<section><h2>Lines left out</h2>\n<ul>\n";
  size_t shown = std::min(kSkippedShown, metrics.skipped.size());
  for (size_t i = 0; i < shown; ++i)
    put(to, "<li>{}:{}: {}</li>\n", escaped(metrics.skipped[i].file), metrics.skipped[i].line,
        escaped(metrics.skipped[i].why));
  if (metrics.skippedLines > static_cast<int64_t>(shown))
    put(to, "<li>and {} more</li>\n", metrics.skippedLines - static_cast<int64_t>(shown));
  return to + "</ul></section>\n";
}

/// The sections of the runs. A graph is drawn once.
std::string sections(const std::vector<const Run *> &runs, const std::vector<std::string> &names) {
  std::string to;
  std::vector<size_t> drawn; // runs whose graph is
  for (size_t i = 0; i < runs.size(); ++i) {
    auto same = std::find_if(drawn.begin(), drawn.end(), [&](size_t j) { return runs[j]->graph == runs[i]->graph; });
    std::string graphOf = same != drawn.end()            ? "run " + names[*same]
                          : drawn.size() >= kGraphsDrawn ? "another plan, not drawn here"
                                                         : "";
    if (graphOf.empty())
      drawn.push_back(i);
    put(to, "<section id=\"run{}\"><h2>{}</h2>\n", i, runs.size() == 1 ? "The run" : "Run " + escaped(names[i]));
    if (runs.size() > 1)
      put(to, "<p class=\"ending\">{}</p>\n", escaped(shortened(ending(*runs[i]), 600)));
    to += runParts(*runs[i], kEpochRows / runs.size(), graphOf) + "</section>\n";
  }
  return to;
}
} // namespace

std::string page(const Metrics &metrics) {
  size_t all = metrics.runs.size(), first = all - std::min(all, kRunsShown);
  std::vector<std::string> names = labels(metrics.runs);
  names.erase(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(first));
  std::vector<const Run *> runs;
  for (size_t i = first; i < all; ++i)
    runs.push_back(&metrics.runs[i]);
  std::string heading = escaped(title(runs)), to;
  put(to,
      "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
      "charset=\"utf-8\"/>\n<meta "
      "name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" "
      "content=\"light "
      "dark\"/>\n<title>{} · training report</title>\n<style>\n{}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n",
      heading, kStyle, heading);
  if (runs.size() == 1) {
    put(to, "<p class=\"ending{}\">{}</p>\n", runs[0]->end.reason == "diverged" ? " bad" : "",
        escaped(shortened(ending(*runs[0]), 600)));
    to += tiles(*runs[0]);
  } else {
    put(to, "<p class=\"ending\">{} runs{}.</p>\n", all,
        first ? fmt::format(", the last {} of them shown", kRunsShown) : "");
    to += comparison(runs, names);
  }
  to += "</header>\n" + curves(runs, names) + sections(runs, names) + skippedLines(metrics);
  put(to, "<footer>Written by snrt report.</footer>\n<script>\n{}</script>\n</body>\n</html>\n", kHover);
  return to;
}
} // namespace sn::report
