#include "runtime/checkpoint/DsstneNetwork.h"
#include "runtime/data/DsstneData.h"
#include "runtime/data/IndexFile.h"
#include "runtime/plan/Error.h"
#include "tools/convert/DsstneJson.h"
#include "tools/snrt/Netcdf.h"
#include "tools/snrt/NetcdfReport.h"

namespace sn::snrt {
namespace {
using nlohmann::json;

/// An index file padded with empty names up to the width: DSSTNE's data sets are wider than their indices.
std::shared_ptr<const rt::Names> namesFrom(const std::string &path, int64_t count, const std::string &dataset,
                                           const char *what) {
  rt::Names names = rt::readFeatureIndex(path);
  if (names.size() > count)
    userError("{}: has the number {}, but the data set {} has {} {}", path, names.size() - 1, dataset, count, what);
  while (names.size() < count)
    names.add("");
  return std::make_shared<const rt::Names>(std::move(names));
}

void importData(const NetcdfImport &options) {
  rt::DataFile file = rt::DataFile::open(options.source);
  rt::DataFileWriter writer(options.output, options.force);
  const IndexFiles features(options.featureIndex, "--feature-index", file.names()),
      samples(options.sampleIndex, "--sample-index", file.names());
  if (file.names().empty())
    userError("{}: has no data sets", options.source);
  Report report(options.json);
  for (const std::string &name : file.names()) {
    rt::DataSet data = *rt::DataFile::open(options.source).load(name);
    if (std::string path = features.of(name); !path.empty())
      data.columnNames = namesFrom(path, data.columns, name, "columns");
    if (std::string path = samples.of(name); !path.empty())
      data.rowNames = namesFrom(path, data.rows, name, "examples");
    writer.write(name, data);
    report.add(options.output, name, data);
  }
  writer.commit();
  report.print();
}

void importTrained(const NetcdfImport &options) {
  const auto network = rt::readDsstneNetwork(*rt::nc::Reader::open(options.source));
  std::vector<std::string> sets;
  std::map<std::string, int64_t> widths;
  for (const rt::DsstneLayer &layer : network.layers)
    if (!layer.dataSet.empty() && !widths.contains(layer.dataSet)) {
      sets.push_back(layer.dataSet);
      widths[layer.dataSet] = layer.units();
    }
  const IndexFiles features(options.featureIndex, "--feature-index", sets);
  std::map<std::string, std::shared_ptr<const rt::Names>> names;
  for (const std::string &set : sets)
    if (std::string path = features.of(set); !path.empty())
      names[set] = namesFrom(path, widths[set], set, "columns");
  if (!options.sampleIndex.empty())
    userError("{}: is a trained network, which has no samples for --sample-index", options.source);
  if (!options.network.empty())
    rt::refuseOverwriting(options.network, {options.source, options.output});
  const std::string text = convert::importNetwork(options.source, options.output, options.force, names);
  if (!options.network.empty())
    rt::writeWhole(options.network, text, options.force);
  std::vector<std::string> locked;
  for (const rt::DsstneWeight &weight : network.weights)
    if (weight.locked)
      locked.push_back(weight.input + "->" + weight.output);
  if (options.json) {
    fmt::print("{}\n", json{{"weights", options.output},
                            {"network", options.network},
                            {"layers", network.layers.size()},
                            {"parameters", rt::parametersOf(network).size()},
                            {"locked", locked}}
                           .dump(2, ' ', false, json::error_handler_t::replace));
    return;
  }
  fmt::print("{}: trained network of DSSTNE, {} layers, {} parameters\n", options.source, network.layers.size(),
             rt::parametersOf(network).size());
  for (const std::string &pair : locked)
    fmt::print("  the weights {} are locked there; here they would be trained\n", pair);
  fmt::print("weights: {}\n", options.output);
  if (!options.network.empty())
    fmt::print("network: {}\n", options.network);
}
} // namespace

bool isDsstneFile(const std::string &path) {
  if (rt::nc::isClassic(path))
    return true;
  if (!rt::h5::isHdf5(path))
    return false;
  const rt::h5::File file = rt::h5::File::open(path);
  return rt::holdsDsstneData(file) || rt::holdsDsstneNetwork(file);
}

void importNetcdf(const NetcdfImport &options) {
  rt::refuseOverwriting(options.output, {options.source});
  if (rt::isDsstneNetwork(options.source))
    return importTrained(options);
  if (!options.network.empty())
    userError("--network: {} has data sets in it, not a trained network", options.source);
  importData(options);
}
} // namespace sn::snrt
