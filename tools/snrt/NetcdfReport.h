// What import and export of NetCDF files share: options of index files, and the report.
#pragma once
#include "runtime/data/DataSet.h"
#include <map>
#include <nlohmann/json.hpp>

namespace sn::snrt {
/// An option that names index files: "FILE" for every data set, "DATASET=FILE" for one.
class IndexFiles {
public:
  /// UserError for a data set that is not among `sets`, and for more than one file for a set.
  IndexFiles(const std::vector<std::string> &texts, const std::string &option, const std::vector<std::string> &sets);
  /// "" where the option says nothing of the data set.
  std::string of(const std::string &set) const;

private:
  std::map<std::string, std::string> files_;
};

/// Data sets converted, and what was mended, on stdout.
class Report {
public:
  explicit Report(bool asJson) : asJson_(asJson) {}
  void add(const std::string &path, const std::string &name, const rt::DataSet &data);
  void print() const;

private:
  bool asJson_;
  std::string lines_;
  nlohmann::json sets_ = nlohmann::json::array();
};
} // namespace sn::snrt
