// DSSTNE's NetCDF files in import and export: data sets and trained networks, told by their content.
#pragma once
#include "runtime/data/DataFile.h"
#include <string>
#include <vector>

namespace sn::snrt {
/// Whether a file is one of DSSTNE's: NetCDF with data sets or a trained network in it.
bool isDsstneFile(const std::string &path);

struct NetcdfImport {
  std::string source, output;
  std::string network;                                  // of a trained network: where its JSON goes; "" = nowhere
  std::vector<std::string> featureIndex, sampleIndex{}; // "FILE" for every data set or "DATASET=FILE"
  bool force = false, json = false;
};
/// Converts the file and reports on stdout.
void importNetcdf(const NetcdfImport &options);

struct NetcdfExport {
  std::string source, output;                         // output may be "": index files alone
  std::vector<std::string> names;                     // data sets to write; empty: all
  std::vector<std::string> featureIndex, sampleIndex; // files to write, as above
  bool force = false, json = false;
};
/// A data file becomes data sets, a weights file a trained network.
void exportNetcdf(const NetcdfExport &options);
} // namespace sn::snrt
