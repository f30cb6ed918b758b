// generateNetCDF: text samples to a data set in NetCDF, with DSSTNE's flags (reference 4.3).
#include "runtime/base/AlignedMemory.h"
#include "runtime/data/DsstneData.h"
#include "runtime/data/IndexFile.h"
#include "runtime/plan/Error.h"
#include "tools/dsstne/Flags.h"
#include "tools/dsstne/Text.h"
#include "tools/snrt/Ending.h"
#include <chrono>
#include <filesystem>

namespace {
using namespace sn;
using dsstne::Flags;
constexpr int64_t kRounding = 128; // of a data set's width

Flags parsed(int argc, char **argv) {
  return {"generateNetCDF",
          "Turns text samples (sample<TAB>feature,value:feature,value:...) into a data set in NetCDF.",
          {{"d", "name", "Name of the data set", true},
           {"i", "path", "Text file, or folder of text files", true},
           {"o", "file", "NetCDF file to write; an old one is replaced", true},
           {"f", "file", "Feature index; with -c or -m also written", true},
           {"s", "file", "Samples index: read if it exists, extended by new samples", true},
           {"c", "", "Make the feature index from scratch", false},
           {"m", "", "Extend the feature index by new features", false},
           {"t", "indicator|analog", "What values become: dropped (default), or kept", false}},
          argc,
          argv};
}

rt::Vocabulary features(const Flags &flags) {
  if (flags.has("c") && flags.has("m"))
    userError("-c makes the feature index from scratch and -m extends it: one of them");
  if (flags.has("c"))
    return {};
  return {rt::NameIndex(rt::readFeatureIndex(flags.text("f"))), !flags.has("m"), {}};
}

rt::Vocabulary samples(const Flags &flags) {
  if (!std::filesystem::exists(flags.text("s")))
    return {};
  return {rt::NameIndex(rt::readFeatureIndex(flags.text("s"))), false, {}};
}

void exportIndex(const std::string &path, const rt::Names &names) {
  rt::writeIndex(path, names, true);
  fmt::print("Exported {} with {} entries.\n", path, names.size());
}

void generate(const Flags &flags) {
  auto start = std::chrono::steady_clock::now();
  const std::string type = flags.text("t", "indicator"), output = flags.text("o");
  if (type != "indicator" && type != "analog")
    userError("-t {}: indicator or analog is expected", type);
  const bool analog = type == "analog";
  fmt::print("Generating dataset of type: {}\n", type);
  rt::Entries entries;
  entries.columns = features(flags);
  entries.rows = samples(flags);
  entries.keepValues = analog;
  const int64_t knownFeatures = entries.columns.names.size(), knownSamples = entries.rows.names.size();
  const std::vector<std::string> files = dsstne::filesOf(flags.text("i"));
  fmt::print("Indexing {} files\n", files.size());
  dsstne::readSamples(files, entries);
  if (entries.columns.names.size() == 0)
    userError("'{}': there are no features", flags.text("i"));
  if (entries.ofUnknownColumns > 0)
    fmt::print("{} entries of {} features that are not in {} are left out\n", entries.ofUnknownColumns,
               entries.columns.unknown.size(), flags.text("f"));

  rt::Tidied tidied;
  rt::DataSet data = entries.takeDataSet(analog, rt::Duplicates::Last, tidied);
  const int64_t width = rt::roundUp(data.columns, kRounding);
  fmt::print("Raw max index is: {}\nRounded up max index to: {}\n", data.columns, width);
  rt::writeDsstneData(output, true, {{flags.text("d"), &data, width}});
  // The indices last: with one that names a sample of no file, the next run would go wrong.
  if (flags.has("c") || data.columns > knownFeatures)
    exportIndex(flags.text("f"), *data.columnNames);
  if (data.rows > knownSamples)
    exportIndex(flags.text("s"), *data.rowNames);
  fmt::print("Created NetCDF file {} for dataset {}: {} samples, {} entries\n", output, flags.text("d"), data.rows,
             data.entries());
  fmt::print("Total time for generating NetCDF: {:.3f} secs.\n",
             std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}
} // namespace

int main(int argc, char **argv) {
  return snrt::ending("generateNetCDF", false, [&] { generate(parsed(argc, argv)); });
}
