// snrt predict: the best columns of each row, by name.
#include "runtime/exec/Recommender.h"
#include "tools/snrt/Filter.h"
#include "tools/snrt/Options.h"
#include "tools/snrt/Output.h"
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <numeric>

namespace sn::snrt {
namespace {
struct PredictOptions {
  std::string plan, weights, data, out, exclude, filter, layer;
  std::vector<std::string> rows;
  int64_t k = 10;
  bool force = false;
  RunOptions run;
  rt::Overrides overrides;
};

/// Where the lines go: a file that appears whole, or stdout.
class Sink {
public:
  Sink(const std::string &path, bool force) {
    if (path == "-")
      return;
    file = std::make_unique<rt::AtomicFile>(path, force);
    stream = std::fopen(file->temporary().c_str(), "w");
    if (!stream)
      refuse();
  }
  ~Sink() {
    if (file && stream)
      std::fclose(stream);
  }
  void line(const std::string &text) {
    if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fputc('\n', stream) == EOF)
      refuse();
  }
  void commit() {
    if (!file)
      return; // main looks after stdout
    if (std::fclose(std::exchange(stream, nullptr)) != 0)
      refuse();
    file->commit();
  }

private:
  [[noreturn]] void refuse() const {
    std::string why = std::strerror(errno);
    userError("{}: the predictions cannot be written: {}", file ? file->path() : "stdout", why);
  }
  std::unique_ptr<rt::AtomicFile> file;
  std::FILE *stream = stdout;
};

class Prediction {
public:
  explicit Prediction(const PredictOptions &options)
      : options(checked(options)), trained(options.plan, options.weights, options.data, options.run, options.overrides,
                                           "predict", {{options.data, {options.exclude}}}),
        recommender(trained.model, trained.settings, trained.inputs,
                    rankedLayer(trained.session.plan(), options.layer)),
        dataset(rt::rankedDataSet(trained.session.plan(), recommender.step())), items(trained.columnNames(dataset)),
        first(*trained.inputs.sets.begin()->second) {}
  void run();

private:
  /// The output is looked at before the work begins.
  static const PredictOptions &checked(const PredictOptions &options) {
    if (options.out != "-") {
      refuseExisting(options.out, options.force);
      rt::refuseOverwriting(options.out, {options.plan, options.weights, options.data, options.filter});
    }
    return options;
  }
  std::vector<int64_t> chosenRows() const;
  void sayWhatIsLeftOut(const Filter &filter) const;
  void predict(const std::vector<int64_t> &rows, const Filter &filter, Sink &sink);
  std::string lineOf(int64_t row, const int32_t *columns, const float *scores, int64_t places,
                     const Filter &filter) const;
  std::string rowName(int64_t row) const {
    return first.rowNames ? std::string((*first.rowNames)[row]) : std::to_string(row);
  }
  std::string itemName(int32_t column) const {
    return items && column < items->size() ? std::string((*items)[column]) : std::to_string(column);
  }

  const PredictOptions &options;
  Trained trained;
  rt::Recommender recommender;
  std::string dataset;
  const rt::Names *items;   // null: columns go by number
  const rt::DataSet &first; // gives the row names
};

void Prediction::run() {
  Sink sink(options.out, options.force);
  std::vector<int64_t> rows = chosenRows();
  std::shared_ptr<const rt::DataSet> known;
  if (!options.exclude.empty())
    known = trained.load(options.exclude, "--exclude");
  Filter filter;
  if (!options.filter.empty())
    filter = readFilter(options.filter, first, items, recommender.columns());
  if (known && !filter.byRow.empty())
    known = trained.load(options.exclude, "--exclude", true); // to be merged
  std::optional<rt::DataSet> merged = leftOut(known.get(), filter, first.rows, recommender.columns());
  recommender.leaveOut(merged ? &*merged : known.get());
  sayWhatIsLeftOut(filter);
  predict(rows, filter, sink);
  sink.commit();
  if (options.run.profile && options.out != "-")
    printProfile("predict", recommender.run().profile(), rt::workOf(recommender.run(), trained.model, trained.settings),
                 options.run.json);
}

std::vector<int64_t> Prediction::chosenRows() const {
  std::vector<int64_t> rows;
  if (options.rows.empty()) {
    rows.resize(static_cast<size_t>(first.rows));
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
  }
  rt::NameIndex index;
  if (first.rowNames)
    index = rt::NameIndex(*first.rowNames);
  for (const std::string &name : options.rows) {
    int64_t row = first.rowNames ? index.find(name) : numberOf(name, first.rows);
    if (row < 0)
      userError("--rows {}: '{}' has no row of this {}", name, trained.inputs.path, first.rowNames ? "name" : "number");
    rows.push_back(row);
  }
  return rows;
}

void Prediction::sayWhatIsLeftOut(const Filter &filter) const {
  fmt::print(stderr, "snrt: {}\n",
             options.exclude.empty() ? "known items are not excluded; --exclude input leaves them out"
                                     : fmt::format("known items (data set '{}') are excluded", options.exclude));
  if (!options.filter.empty())
    fmt::print(stderr, "snrt: the filter drops {} items for all rows and {} for single ones{}\n",
               filter.everywhere.size(), filter.single,
               filter.unknown ? fmt::format("; {} of its {} names {} unknown, first {}", filter.unknown, filter.names,
                                            filter.unknown == 1 ? "is" : "are", filter.firstUnknown)
                              : "");
}

void Prediction::predict(const std::vector<int64_t> &rows, const Filter &filter, Sink &sink) {
  // Items dropped for all rows are dropped here: the lists are that much longer.
  int64_t places = std::min(recommender.columns(), std::min(recommender.columns(), options.k) +
                                                       static_cast<int64_t>(filter.everywhere.size()));
  int64_t block = recommender.block(), total = static_cast<int64_t>(rows.size());
  std::vector<int32_t> columns(static_cast<size_t>(block * places));
  std::vector<float> scores(columns.size());
  Progress progress("predict", total, "rows", options.run.json);
  for (int64_t done = 0; done < total; done += block) {
    int64_t count = std::min(block, total - done);
    const auto first = rows.begin() + done, last = first + count;
    recommender.lists({first, last}, places, columns.data(), scores.data(),
                      {last, last + std::min(block, total - done - count)});
    for (int64_t i = 0; i < count; ++i)
      sink.line(lineOf(rows[done + i], columns.data() + i * places, scores.data() + i * places, places, filter));
    progress.update(done + count);
  }
}

std::string Prediction::lineOf(int64_t row, const int32_t *columns, const float *scores, int64_t places,
                               const Filter &filter) const {
  nlohmann::json list = nlohmann::json::array();
  std::string text = rowName(row);
  int64_t kept = 0;
  for (int64_t place = 0; place < places && kept < options.k; ++place) {
    int32_t column = columns[place];
    if (column < 0 || std::binary_search(filter.everywhere.begin(), filter.everywhere.end(), column))
      continue;
    ++kept;
    if (options.run.json)
      list.push_back({{"item", itemName(column)}, {"score", scores[place]}});
    else
      text += fmt::format("\t{}\t{:.6g}", itemName(column), scores[place]);
  }
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace; // names need not be UTF-8
  return options.run.json ? nlohmann::json{{"name", rowName(row)}, {"items", list}}.dump(-1, ' ', false, kReplace)
                          : text;
}
} // namespace

void addPredictCommand(CLI::App &app) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App *command = app.add_subcommand("predict", "List the best columns of each row");
  command->add_option("plan", options->plan, "Plan file written by snc compile")->required();
  command->add_option("weights", options->weights, "Weights file written by snrt train")->required();
  command->add_option("data", options->data, "Data file with the inputs")->required();
  command
      ->add_option("-o", options->out,
                   "File to write, one line for each row: name TAB item TAB score TAB item TAB score ...; - is stdout")
      ->required();
  command->add_option("--top-k,-k", options->k, "Items listed for each row")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--exclude", options->exclude, "Leave out the entries of this data set, as in --exclude input");
  command->add_option("--filter", options->filter,
                      "File of item names to leave out, or of lines 'row TAB item TAB item ...'");
  command->add_option("--rows", options->rows, "Only these rows, by name or number")->delimiter(',');
  command->add_option("--layer,--output", options->layer,
                      "Layer to rank (default: the one named Output, or the only one)");
  command->add_flag("--force", options->force, "Overwrite the file");
  addBatchOption(*command, options->overrides);
  addRunOptions(*command, options->run);
  command->footer("Example: snrt predict ae.plan ae.weights.h5 data.h5 -o recs.tsv --top-k 10 --exclude input");
  command->callback([options] { Prediction(*options).run(); });
}
} // namespace sn::snrt
