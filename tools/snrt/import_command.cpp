// snrt import: text in, data files out. The work is in runtime/data/Import.
#include "runtime/data/Import.h"
#include "runtime/plan/Error.h"
#include "tools/snrt/Commands.h"
#include "tools/snrt/Netcdf.h"
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace {
using namespace sn::rt;
using nlohmann::json;

/// 1234567 as 1,234,567.
std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (int64_t at = int64_t(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(size_t(at), ",");
  return digits;
}

double density(const ImportResult::File &file) {
  double places = double(file.rows) * double(file.columns);
  return places > 0 ? double(file.entries) / places : 0;
}

void printReport(const ImportResult &result) {
  for (const ImportResult::Source &source : result.sources) {
    fmt::print("{}: read as {}{}\n", source.path, result.format, result.detected ? " (detected)" : "");
    for (const std::string &note : source.notes)
      fmt::print("  {}\n", note);
    if (source.merged)
      fmt::print("  {} duplicate entries merged\n", grouped(source.merged));
    if (source.rejected)
      fmt::print("  {} records rejected:\n    {}{}\n", grouped(source.rejected),
                 fmt::join(source.firstRejects, "\n    "),
                 source.rejected > int64_t(source.firstRejects.size()) ? "\n    ..." : "");
  }
  for (const ImportResult::File &file : result.files) {
    fmt::print("{}: {}: {} rows x {} columns, {} entries (density {:.3g} %), {}\n", file.path,
               fmt::join(file.names, file.labels ? ", " : " = "), grouped(file.rows), grouped(file.columns),
               grouped(file.entries), 100 * density(file), file.analog ? "analog" : "binary");
    if (file.emptyRows)
      fmt::print("  {} rows are empty\n", grouped(file.emptyRows));
    if (file.labels)
      fmt::print("  output has {} columns, one for each label\n", grouped(file.labels));
  }
  fmt::print("in {:.2f} s\n", result.seconds);
}

json toJson(const ImportResult &result) {
  json sources = json::array(), files = json::array();
  for (const ImportResult::Source &source : result.sources)
    sources.push_back({{"path", source.path},
                       {"merged", source.merged},
                       {"rejected", source.rejected},
                       {"firstRejects", source.firstRejects},
                       {"notes", source.notes}});
  for (const ImportResult::File &file : result.files)
    files.push_back({{"path", file.path},
                     {"names", file.names},
                     {"rows", file.rows},
                     {"emptyRows", file.emptyRows},
                     {"columns", file.columns},
                     {"entries", file.entries},
                     {"density", density(file)},
                     {"analog", file.analog},
                     {"labels", file.labels}});
  return {{"format", result.format},
          {"detected", result.detected},
          {"sources", sources},
          {"files", files},
          {"seconds", result.seconds}};
}

struct Settings {
  ImportOptions options;
  std::string duplicates = "sum", network;
  std::vector<std::string> featureIndex, sampleIndex;
  bool json = false;
};

/// What a NetCDF file can do with: the other options are about text.
void runNetcdf(const Settings &settings, const CLI::App &command) {
  for (const CLI::Option *option : command.get_options())
    if (option->count() && !option->check_lname("help") && !option->check_name("source"))
      if (std::string name = option->get_name(); name != "--output" && name != "--network" &&
                                                 name != "--feature-index" && name != "--sample-index" &&
                                                 name != "--force" && name != "--json")
        sn::userError("{}: {} is a NetCDF file; the option is for text", name, settings.options.source);
  sn::snrt::importNetcdf({settings.options.source, settings.options.output, settings.network, settings.featureIndex,
                          settings.sampleIndex, settings.options.force, settings.json});
}

/// The one index file of an option, "" where it is not given.
std::string single(const std::vector<std::string> &files, const char *option) {
  if (files.size() > 1)
    sn::userError("{}: text takes one index file", option);
  return files.empty() ? "" : files[0];
}

void run(const Settings &settings, const CLI::App &command) {
  if (sn::snrt::isDsstneFile(settings.options.source))
    return runNetcdf(settings, command);
  if (!settings.network.empty())
    sn::userError("--network: {} is no trained network", settings.options.source);
  ImportOptions options = settings.options;
  options.featureIndex = single(settings.featureIndex, "--feature-index");
  options.sampleIndex = single(settings.sampleIndex, "--sample-index");
  options.duplicates = settings.duplicates == "last" ? Duplicates::Last : Duplicates::Sum;
  bool terminal = !settings.json && isatty(STDERR_FILENO);
  if (terminal)
    options.progress = [](double fraction) { fmt::print(stderr, "\rreading {:3.0f} %", 100 * fraction); };
  try {
    ImportResult result = importText(options);
    if (terminal)
      fmt::print(stderr, "\r\033[K");
    settings.json ? fmt::print("{}\n", toJson(result).dump(2, ' ', false, json::error_handler_t::replace))
                  : printReport(result);
  } catch (...) {
    if (terminal)
      fmt::print(stderr, "\r\033[K");
    throw;
  }
}

constexpr const char *kExamples = R"(Formats (told from the first lines unless --format names one):
  lines   user item item ...                            one user per line
  dsstne  sample<TAB>feature[,value]:feature[,value]    values are left out unless --values asks for them
  csv     one interaction per line; delimiter, header and columns are found
  libsvm  label number:value number:value ...           labels become the data set "output"
Text compressed with gzip is read as it is. Columns are numbered in order of first appearance (libsvm: by their numbers).

Examples:
  snrt import ratings.csv -o data.h5 --min-value 4 --hold-out .2 --test-output test.h5
  snrt import train.txt -o data.h5 --test test.txt --test-output test.h5
  snrt import input.txt.gz -o data.h5 --feature-index feature_index.txt
  snrt import more.txt -o more.h5 --vocabulary data.h5
  snrt import data.nc -o data.h5 --feature-index input=features.txt
  snrt import gl.nc -o gl.weights.h5 --network gl.json)";

void addOptions(CLI::App &command, const std::shared_ptr<Settings> &settings) {
  ImportOptions &options = settings->options;
  command.add_option("source", options.source, "Text, gzip-compressed or not, or a NetCDF file of DSSTNE's")
      ->required();
  command.add_option("-o,--output", options.output, "Data file to write; of a trained network: weights file")
      ->required();
  command.add_option("--format", options.format, "auto, lines, dsstne, csv or libsvm")->capture_default_str();
  command.add_option("--name", options.name, "Write only this data set (default: input, and output as the same)");
  command.add_option("--user", options.columns.user, "csv: column of the user, by header name or number from 1");
  command.add_option("--item", options.columns.item, "csv: column of the item");
  command.add_option("--value", options.columns.value,
                     "csv: column of the value; keeps values unless --min-value is given");
  command.add_option("--min-value", options.minimum, "Leave out entries with a lower value");
  command.add_flag("--values", options.values, "Keep values: the data set is analog, not binary");
  command.add_option("--duplicates", settings->duplicates, "Values of repeated entries: sum or last")
      ->check(CLI::IsMember({"sum", "last"}))
      ->capture_default_str();
  command
      .add_option("--max-rejects", options.mostRejects,
                  "Leave out up to this many unreadable records: a number, or a share as in 1%")
      ->capture_default_str();
  command.add_option("--vocabulary", options.vocabulary,
                     "Data file whose column names keep their ids; other items are dropped");
  command.add_flag("--align-rows", options.alignRows,
                   "With --vocabulary: its rows too, in its order; other users are dropped");
  command.add_option("--feature-index", settings->featureIndex,
                     "Text file of label<TAB>number lines: text takes its ids from it, NetCDF its column names "
                     "(FILE, or DATASET=FILE)");
  command.add_option("--sample-index", settings->sampleIndex, "The same for rows: one for each number, in order");
  command.add_option("--network", settings->network, "Trained network: write its JSON to this file, for snc compile");
  command.add_option("--test", options.test, "A second source, imported with the first one's items and rows");
  command.add_option("--hold-out", options.holdOut, "Share of each row's entries to keep back, chosen at random");
  command.add_option("--seed", options.seed, "Seed of --hold-out")->capture_default_str();
  command.add_option("--test-output", options.testOutput, "Data file for --test or --hold-out");
  command.add_flag("--force", options.force, "Overwrite the files written");
  command.add_flag("--json", settings->json, "Report as JSON");
}
} // namespace

void addImportCommand(CLI::App &app) {
  auto settings = std::make_shared<Settings>();
  CLI::App *command = app.add_subcommand("import", "Turn text or DSSTNE's NetCDF into a data file or weights");
  addOptions(*command, settings);
  command->footer(kExamples);
  command->callback([settings, command] { run(*settings, *command); });
}
