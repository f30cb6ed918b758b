// snrt export: data files and weights as DSSTNE's NetCDF files.
#include "runtime/checkpoint/DsstneNetwork.h"
#include "runtime/data/DsstneData.h"
#include "runtime/data/IndexFile.h"
#include "runtime/plan/Error.h"
#include "tools/convert/DsstneJson.h"
#include "tools/snrt/Commands.h"
#include "tools/snrt/Netcdf.h"
#include "tools/snrt/NetcdfReport.h"
#include <algorithm>

namespace sn::snrt {
namespace {
bool isWeightsFile(const std::string &path) {
  if (!rt::h5::isHdf5(path))
    return false;
  const rt::h5::File file = rt::h5::File::open(path);
  return file.kind("snc") == rt::h5::Kind::Group && file.hasAttribute("snc", "format");
}

void writeIndexFor(const IndexFiles &files, const std::string &set, const rt::Names *names, const std::string &source,
                   const char *what, bool force) {
  const std::string path = files.of(set);
  if (path.empty())
    return;
  if (!names)
    userError("{}: {}: has no {} names for {}", source, set, what, path);
  rt::refuseOverwriting(path, {source});
  rt::writeIndex(path, *names, force);
}

void exportData(const NetcdfExport &options) {
  rt::DataFile file = rt::DataFile::open(options.source);
  std::vector<std::string> names = options.names.empty() ? file.names() : options.names;
  if (names.empty())
    userError("{}: has no data sets", options.source);
  const IndexFiles features(options.featureIndex, "--feature-index", names),
      samples(options.sampleIndex, "--sample-index", names);
  Report report(options.json);
  std::vector<std::shared_ptr<const rt::DataSet>> sets;
  std::vector<rt::DsstneOutput> outputs;
  for (const std::string &name : names) {
    sets.push_back(file.load(name));
    outputs.push_back({name, sets.back().get()});
    report.add(options.output.empty() ? options.source : options.output, name, *sets.back());
  }
  if (!options.output.empty())
    rt::writeDsstneData(options.output, options.force, outputs);
  for (size_t i = 0; i < names.size(); ++i) {
    writeIndexFor(features, names[i], sets[i]->columnNames.get(), options.source, "column", options.force);
    writeIndexFor(samples, names[i], sets[i]->rowNames.get(), options.source, "row", options.force);
  }
  report.print();
}

void exportTrained(const NetcdfExport &options) {
  if (!options.names.empty())
    userError("--name: {} is a weights file, which has no data sets to choose from", options.source);
  if (!options.sampleIndex.empty())
    userError("--sample-index: {} is a weights file, which has no row names", options.source);
  const rt::CheckpointReader reader(options.source);
  std::vector<std::string> sets;
  for (const auto &[set, names] : reader.header().columnNames)
    sets.push_back(set);
  const IndexFiles features(options.featureIndex, "--feature-index", sets);
  if (!options.featureIndex.empty() && sets.empty())
    userError("--feature-index: {} has no column names", options.source);
  if (!options.output.empty())
    convert::exportWeights(options.source, options.output, options.force);
  for (const std::string &set : sets)
    writeIndexFor(features, set, reader.header().columnNames.at(set).get(), options.source, "column", options.force);
  if (options.json)
    fmt::print("{}\n", nlohmann::json{{"network", options.output}, {"parameters", reader.parameters().size()}}.dump());
  else if (!options.output.empty())
    fmt::print("{}: trained network for DSSTNE, {} parameters\n", options.output, reader.parameters().size());
}
} // namespace

void exportNetcdf(const NetcdfExport &options) {
  if (options.output.empty() && options.featureIndex.empty() && options.sampleIndex.empty())
    userError("nothing to write: give --output, --feature-index or --sample-index");
  if (!options.output.empty())
    rt::refuseOverwriting(options.output, {options.source});
  isWeightsFile(options.source) ? exportTrained(options) : exportData(options);
}

void addExportCommand(CLI::App &app) {
  auto options = std::make_shared<NetcdfExport>();
  CLI::App *command = app.add_subcommand("export", "Turn a data file or weights into DSSTNE's NetCDF");
  command->add_option("source", options->source, "Data file or weights file")->required();
  command->add_option("-o,--output", options->output, "NetCDF file to write: data sets, or a trained network");
  command->add_option("--name", options->names, "Write only this data set; may be repeated");
  command->add_option("--feature-index", options->featureIndex,
                      "Write column names as an index file: FILE, or DATASET=FILE; may be repeated");
  command->add_option("--sample-index", options->sampleIndex, "Write row names as an index file");
  command->add_flag("--force", options->force, "Overwrite the files written");
  command->add_flag("--json", options->json, "Report as JSON");
  command->footer(R"(Examples:
  snrt export data.h5 -o data.nc --feature-index input=features.txt
  snrt export ae.weights.h5 -o ae.nc)");
  command->callback([options] { exportNetcdf(*options); });
}
} // namespace sn::snrt
