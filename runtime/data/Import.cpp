#include "runtime/data/Import.h"
#include "runtime/data/HoldOut.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>

namespace sn::rt {
namespace {
constexpr size_t kHeadLines = 50;
constexpr double kEarliestTimestamp = 1e8; // 1973 in seconds; no rating or count is like it

/// The share or number of rejects allowed, as a number of records of `all`.
double allowedRejects(const std::string &text, int64_t all) {
  double number = 0;
  bool share = !text.empty() && text.back() == '%';
  if (!parseNumber(std::string_view(text).substr(0, text.size() - share), number) || number < 0)
    userError("--max-rejects {}: should be a number of records, or a share such as 1%", text);
  return share ? number / 100 * double(all) : number;
}

/// One run of import.
class Importing {
public:
  explicit Importing(const ImportOptions &options) : options_(options) {}

  ImportResult run() {
    auto start = std::chrono::steady_clock::now();
    checkOptions();
    // Opened first: an existing output is refused before the long work.
    DataFileWriter output(options_.output, options_.force);
    std::optional<DataFileWriter> testOutput;
    if (!options_.testOutput.empty())
      testOutput.emplace(options_.testOutput, options_.force);

    Part train = read(options_.source, fixedVocabularies());
    std::optional<Part> test;
    if (!options_.test.empty())
      test = read(options_.test, vocabulariesOf(train));
    if (options_.holdOut > 0) {
      HeldOut split = holdOut(train.data, options_.holdOut, options_.seed);
      train.data = std::move(split.kept);
      test = Part{std::move(split.held), train.labels};
    }
    write(output, options_.output, train);
    if (test)
      write(*testOutput, options_.testOutput, *test);
    // Both on disk before either appears: a full disk leaves neither, and no pair of an old and a new file.
    output.finish();
    if (testOutput)
      testOutput->finish();
    output.commit();
    if (testOutput)
      testOutput->commit();
    result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::move(result_);
  }

private:
  /// What one source became.
  struct Part {
    DataSet data;
    std::optional<DataSet> labels;
  };
  struct Vocabularies {
    Vocabulary rows, columns, labels;
  };

  void checkOptions() const {
    if (options_.holdOut != 0 && !(options_.holdOut > 0 && options_.holdOut < 1))
      userError("--hold-out {}: should be above 0 and below 1", options_.holdOut);
    bool second = !options_.test.empty() || options_.holdOut > 0;
    if (second && options_.testOutput.empty())
      userError("--test and --hold-out need --test-output: the file for what is kept back");
    if (!second && !options_.testOutput.empty())
      userError("--test-output needs --test (a second source) or --hold-out (a share of the first)");
    if (!options_.test.empty() && options_.holdOut > 0)
      userError("--test and --hold-out exclude each other: both fill --test-output");
    if (!options_.vocabulary.empty() && !options_.featureIndex.empty())
      userError("--vocabulary and --feature-index exclude each other: both fix the columns");
    if (options_.alignRows && !options_.sampleIndex.empty())
      userError("--align-rows and --sample-index exclude each other: both fix the rows");
    if (options_.alignRows && options_.vocabulary.empty())
      userError("--align-rows needs --vocabulary: the data file that has the rows");
    std::error_code none;
    if (options_.output == options_.testOutput ||
        std::filesystem::equivalent(options_.output, options_.testOutput, none))
      userError("{}: is both --output and --test-output", options_.output);
    for (const std::string &written : {options_.output, options_.testOutput})
      if (!written.empty())
        refuseOverwriting(written, {options_.source, options_.test, options_.vocabulary, options_.featureIndex,
                                    options_.sampleIndex});
    allowedRejects(options_.mostRejects, 0);
  }

  Vocabularies fixedVocabularies() const {
    Vocabularies fixed;
    if (!options_.featureIndex.empty()) {
      fixed.columns.names = NameIndex(readFeatureIndex(options_.featureIndex));
      fixed.columns.closed = true;
    }
    if (!options_.sampleIndex.empty())
      fixed.rows = {NameIndex(readFeatureIndex(options_.sampleIndex)), true, {}};
    if (options_.vocabulary.empty())
      return fixed;
    DataFile file = DataFile::open(options_.vocabulary);
    std::string name = !options_.name.empty() && file.has(options_.name) ? options_.name : "input";
    if (std::vector<std::string> names = file.names(); !file.has(name) && names.size() == 1)
      name = names[0];
    auto known = file.load(name);
    if (!known->columnNames)
      userError("{}: {}: has no column_names to import with", options_.vocabulary, name);
    fixed.columns = {NameIndex(*known->columnNames), true, {}};
    if (options_.alignRows && !known->rowNames)
      userError("{}: {}: has no row_names to align rows with", options_.vocabulary, name);
    if (options_.alignRows)
      fixed.rows = {NameIndex(*known->rowNames), true, {}};
    if (name == "input" && file.has("output") && !file.same("input", "output"))
      if (auto labels = file.load("output"); labels->columnNames)
        fixed.labels = {NameIndex(*labels->columnNames), true, {}};
    return fixed;
  }

  static Vocabularies vocabulariesOf(const Part &part) {
    Vocabularies fixed;
    fixed.columns = {NameIndex(*part.data.columnNames), true, {}};
    if (part.data.rowNames)
      fixed.rows = {NameIndex(*part.data.rowNames), true, {}};
    if (part.labels)
      fixed.labels = {NameIndex(*part.labels->columnNames), true, {}};
    return fixed;
  }

  Part read(const std::string &path, Vocabularies fixed) {
    TextSource source(path);
    std::vector<std::string> head = source.head(kHeadLines);
    if (head.empty())
      userError("{}: is empty", path);
    bool first = result_.sources.empty();
    if (first) {
      result_.detected = options_.format == "auto";
      format_ = result_.detected ? detectFormat(head, path) : formatNamed(options_.format);
      result_.format = nameOf(format_);
    }
    bool asked = options_.values || (!options_.columns.value.empty() && !options_.minimum);
    Entries entries;
    entries.rows = std::move(fixed.rows);
    entries.columns = std::move(fixed.columns);
    entries.labels = std::move(fixed.labels);
    entries.minimum = options_.minimum;
    entries.keepValues = asked || format_ == TextFormat::LibSvm;
    parse(source, head, entries);
    refuseIfUseless(path, entries);
    // libsvm: a set of ones alone is binary, and the second source follows the first.
    bool analog = format_ == TextFormat::LibSvm ? asked || !entries.onlyOnes : asked;
    analog_ = first ? analog : analog_;
    ImportResult::Source report{path, 0, entries.rejected, entries.firstRejects, {}};
    noteValues(entries);
    noteDropped(entries);
    Part part;
    if (entries.hasLabels())
      part.labels = entries.takeLabels();
    Tidied tidied;
    report.notes = entries.notes;
    part.data = entries.takeDataSet(analog_, options_.duplicates, tidied);
    report.merged = tidied.merged;
    result_.sources.push_back(std::move(report));
    return part;
  }

  void parse(TextSource &source, const std::vector<std::string> &head, Entries &entries) const {
    bool csv = format_ == TextFormat::Csv;
    if (!csv && !(options_.columns.user + options_.columns.item + options_.columns.value).empty())
      userError("--user, --item and --value name columns of csv; {} is {}", source.path(), nameOf(format_));
    if (format_ == TextFormat::Lines && (options_.values || options_.minimum))
      userError("{}: lines of items carry no values for --values or --min-value", source.path());
    switch (format_) {
    case TextFormat::Lines:
      return parseLines(source, entries, options_.progress);
    case TextFormat::Dsstne:
      return parseDsstne(source, entries, options_.progress);
    case TextFormat::LibSvm:
      return parseLibSvm(source, entries, options_.progress);
    case TextFormat::Csv:
      break;
    }
    CsvLayout layout = csvLayout(head, options_.columns, source.path());
    if (layout.value < 0 && (options_.values || options_.minimum))
      userError("{}: no column looks like the value; name it with --value (columns: {})", source.path(),
                fmt::join(layout.names, ", "));
    entries.notes.push_back(fmt::format("columns: user = {}, item = {}, value = {}; {} header line",
                                        layout.names[layout.user], layout.names[layout.item],
                                        layout.value < 0 ? "none" : layout.names[layout.value],
                                        layout.header ? "with a" : "no"));
    parseCsv(source, layout, entries, options_.progress);
  }

  void refuseIfUseless(const std::string &path, const Entries &entries) const {
    int64_t all = entries.accepted + entries.rejected + entries.belowMinimum;
    if (double(entries.rejected) > allowedRejects(options_.mostRejects, all))
      userError("{}: {} of {} records cannot be read as {}:\n  {}{}\n--max-rejects allows some to be left out ({} now)",
                path, entries.rejected, all, nameOf(format_), fmt::join(entries.firstRejects, "\n  "),
                entries.rejected > int64_t(entries.firstRejects.size()) ? "\n  ..." : "", options_.mostRejects);
    if (entries.columns.names.size() == 0 || (entries.namedRows && entries.rows.names.size() == 0))
      userError("{}: has no entries to import", path);
  }

  /// Says what became of the values: nothing is dropped in silence.
  void noteValues(Entries &entries) const {
    if (entries.sawValues) {
      bool times = entries.lowest >= kEarliestTimestamp;
      std::string range = fmt::format("values from {:.10g} to {:.10g}", entries.lowest, entries.highest);
      std::string what = times ? range + " look like timestamps" : range;
      if (analog_)
        entries.notes.push_back(what + ": kept, analog");
      else if (entries.onlyOnes)
        entries.notes.push_back("every value is 1: binary");
      else
        entries.notes.push_back(what + ": left out, binary (--values keeps them)");
    }
    if (options_.minimum)
      entries.notes.push_back(
          fmt::format("{} entries below --min-value {:g} left out", entries.belowMinimum, *options_.minimum));
    if (analog_ && entries.withoutValue)
      entries.notes.push_back(fmt::format("{} entries without a value count as 0", entries.withoutValue));
  }

  void noteDropped(Entries &entries) const {
    if (entries.ofUnknownRows || entries.rows.unknown.size())
      entries.notes.push_back(
          fmt::format("{} entries of {} unknown rows dropped", entries.ofUnknownRows, entries.rows.unknown.size()));
    if (entries.ofUnknownColumns)
      entries.notes.push_back(fmt::format("{} entries of {} unknown columns dropped", entries.ofUnknownColumns,
                                          entries.columns.unknown.size()));
    if (entries.labels.unknown.size())
      entries.notes.push_back(fmt::format("{} unknown labels dropped", entries.labels.unknown.size()));
    if (entries.replacedRows)
      entries.notes.push_back(
          fmt::format("{} lines replaced an earlier line of the same sample", entries.replacedRows));
  }

  void write(DataFileWriter &writer, const std::string &path, const Part &part) {
    const DataSet &data = part.data;
    ImportResult::File file{path, {}, data.rows, 0, data.columns, data.entries(), data.loader == Loader::CsrAnalog, 0};
    for (int64_t row = 0; row < data.rows; ++row)
      file.emptyRows += data.indptr[row] == data.indptr[row + 1];
    const DataSet *labels = part.labels && options_.name.empty() ? &*part.labels : nullptr;
    file.labels = labels ? labels->columns : 0;
    file.names = writeDataSets(writer, data, labels, options_.name);
    result_.files.push_back(std::move(file));
  }

  const ImportOptions &options_;
  ImportResult result_;
  TextFormat format_ = TextFormat::Lines;
  bool analog_ = false;
};
} // namespace

std::vector<std::string> writeDataSets(DataFileWriter &writer, const DataSet &data, const DataSet *labels,
                                       const std::string &name) {
  if (!name.empty()) {
    writer.write(name, data);
    return {name};
  }
  writer.write("input", data);
  if (labels)
    writer.write("output", *labels);
  else
    writer.link("input", "output");
  return {"input", "output"};
}

ImportResult importText(const ImportOptions &options) { return Importing(options).run(); }
} // namespace sn::rt
