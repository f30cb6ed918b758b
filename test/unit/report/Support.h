// Metrics files written by hand, for the tests of the report.
#pragma once
#include "runtime/report/Metrics.h"
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace sn::report {
/// A file in the temporary folder, gone with this.
class MetricsFile {
public:
  explicit MetricsFile(const std::string &text) { std::ofstream(path, std::ios::binary) << text; }
  ~MetricsFile() { std::filesystem::remove(path); }
  MetricsFile(const MetricsFile &) = delete;
  MetricsFile &operator=(const MetricsFile &) = delete;

  static inline int count = 0;
  std::string path = (std::filesystem::temp_directory_path() /
                      ("snc-report-" + std::to_string(::getpid()) + "-" + std::to_string(++count) + ".jsonl"))
                         .string();
};

inline Metrics read(const std::string &text) {
  MetricsFile file(text);
  return readMetrics({file.path});
}

inline const char *const kRunLine =
    R"({"kind":"run","version":1,"network":"AE","plan":"ae.plan","data":"d.h5","weights":"w.h5","examples":100,)"
    R"("settings":{"optimizer":"SGD","hyper":{"Alpha":0.1},"batch":10,"epochs":3,"seed":7,"shuffle":true},)"
    R"("memory":{"parameters":4096,"data":1024,"total":6000},"datasets":{"input":{"rows":100,"columns":50,"entries":400}}})"
    "\n";

/// An epoch line.
inline std::string epochLine(int epoch, double training) {
  return "{\"kind\":\"epoch\",\"epoch\":" + std::to_string(epoch) + ",\"training\":" + std::to_string(training) + "}\n";
}
} // namespace sn::report
