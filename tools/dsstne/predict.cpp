// predict: recommendations for text samples from a trained network, with DSSTNE's flags (reference 4.5).
#include "runtime/checkpoint/DsstneNetwork.h"
#include "runtime/data/AtomicFile.h"
#include "runtime/data/IndexFile.h"
#include "runtime/exec/Recommender.h"
#include "runtime/exec/Session.h"
#include "tools/convert/DsstneJson.h"
#include "tools/dsstne/Filter.h"
#include "tools/dsstne/Flags.h"
#include "tools/dsstne/Text.h"
#include "tools/snrt/Ending.h"
#include "tools/snrt/Options.h"
#include "tools/snrt/Workspace.h"
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <regex>

namespace {
using namespace sn;
using dsstne::Flags;

Flags parsed(int argc, char **argv) {
  return {"predict",
          "Lists the best features of each sample by a trained network.",
          {{"d", "name", "Data set name, without _input: the network reads the data set <name>_input", true},
           {"n", "file", "Trained network", true},
           {"r", "path", "Text samples: a file or a folder", true},
           {"i", "file", "Feature index of the input", true},
           {"o", "file", "Feature index of the output", true},
           {"f", "path",
            "Filter, a text file or a folder: sample<TAB>feature,factor:... multiplies scores; a factor of "
            "0, none, or above 10 removes the feature",
            false},
           {"s", "file", "File to write; an old one is replaced", true},
           {"l", "layer", "Layer to rank (default: Output, or the only one)", false},
           {"k", "number", "Recommendations for each sample (default: 100)", false},
           {"p", "format", "How scores are printed, as printf has it (default: 4.3f)", false},
           {"b", "number", "Samples at a time (default: 1024)", false},
           {"t", "indicator|analog", "What the input's values become: dropped (default), or kept", false}},
          argc,
          argv};
}

/// "%4.3f" from "4.3f", and nothing that printf could take for anything but one number.
std::string scoreFormat(const std::string &text) {
  static const std::regex kNumber("[-+ #0]*[0-9]{0,3}([.][0-9]{0,3})?[fFeEgGaA]");
  if (!std::regex_match(text, kNumber))
    userError("-p {}: a printf format of one number without the % is expected, as in 4.3f", text);
  return "%" + text;
}

struct Scored {
  int32_t column;
  float score;
};

class Prediction {
public:
  explicit Prediction(const Flags &flags);
  void run();

private:
  std::shared_ptr<const rt::DataSet> readInput();
  rt::Binding bound();
  std::string weightsPath();
  /// Writes the network that the weights carry, compiles it, and gives the plan's path.
  std::string compiled();
  bool listed(int32_t column) const { return column >= 0 && column < outputs.size() && !outputs[column].empty(); }
  std::vector<Scored> best(int64_t row, int64_t places);
  void write(std::FILE *file, int64_t row, const std::vector<Scored> &list) const;

  const Flags &flags;
  std::string format;
  int64_t k;
  snrt::Workspace workspace;
  rt::Names inputs, outputs;
  std::shared_ptr<const rt::DataSet> input;
  dsstne::Filter filter;
  rt::CheckpointReader weights;
  rt::Session session;
  rt::Settings settings;
  rt::Binding data;
  rt::Model model;
  rt::Recommender recommender;
};

rt::Overrides overridesOf(const Flags &flags) {
  rt::Overrides overrides;
  overrides.batch = flags.integer("b", 1).value_or(1024);
  return overrides;
}

Prediction::Prediction(const Flags &flags)
    : flags(flags), format(scoreFormat(flags.text("p", "4.3f"))), k(flags.integer("k", 1).value_or(100)),
      workspace(flags.text("s")), inputs(rt::readFeatureIndex(flags.text("i"))),
      outputs(rt::readFeatureIndex(flags.text("o"))), input(readInput()), weights(weightsPath()),
      session(compiled(), {}), settings(rt::settle(session.plan(), overridesOf(flags))), data(bound()),
      model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &data, &weights.header()),
            session.workers()),
      recommender((model.load(weights, false), model), settings, data,
                  snrt::rankedLayer(session.plan(), flags.text("l"))) {
  rt::refuseOverwriting(flags.text("s"), {flags.text("n"), flags.text("r"), flags.text("i"), flags.text("o")});
  if (!flags.has("f"))
    return;
  filter = dsstne::readFilter(flags.text("f"), *input->rowNames, outputs);
  if (filter.unknownFeatures > 0)
    fmt::print("the filter has {} features that are not in {}: they are ignored\n", filter.unknownFeatures,
               flags.text("o"));
  recommender.leaveOut(&filter.removed);
}

std::shared_ptr<const rt::DataSet> Prediction::readInput() {
  const std::string type = flags.text("t", "indicator");
  if (type != "indicator" && type != "analog")
    userError("-t {}: indicator or analog is expected", type);
  rt::Entries entries;
  entries.columns = {rt::NameIndex(inputs), true, {}};
  entries.keepValues = type == "analog";
  dsstne::readSamples(dsstne::filesOf(flags.text("r")), entries);
  if (entries.rows.names.size() == 0)
    userError("'{}': there are no samples", flags.text("r"));
  if (entries.ofUnknownColumns > 0)
    fmt::print("{} entries of {} features that are not in {} are left out\n", entries.ofUnknownColumns,
               entries.columns.unknown.size(), flags.text("i"));
  rt::Tidied tidied;
  auto set = std::make_shared<rt::DataSet>(entries.takeDataSet(type == "analog", rt::Duplicates::Last, tidied));
  set->name = flags.text("d") + "_input";
  return set;
}

/// A weights file of ours, or one made of DSSTNE's.
std::string Prediction::weightsPath() {
  const std::string path = flags.text("n");
  if (!rt::isDsstneNetwork(path))
    return path;
  convert::importNetwork(path, workspace("network.weights.h5"), true);
  return workspace("network.weights.h5");
}

std::string Prediction::compiled() {
  workspace.write("network.json", weights.header().network);
  snrt::compileNetwork(workspace("network.json"), workspace("network.plan"));
  return workspace("network.plan");
}

rt::Binding Prediction::bound() {
  rt::Binding binding{flags.text("r"), {}, input->rows};
  for (const std::string &name : rt::dataSetsOf(session.entry("predict"))) {
    if (name != input->name)
      userError("-d {}: the network '{}' reads the data set '{}', not '{}'", flags.text("d"), flags.text("n"), name,
                input->name);
    binding.sets[name] = input;
  }
  return binding;
}

void Prediction::run() {
  rt::AtomicFile target(flags.text("s"), true);
  std::FILE *file = std::fopen(target.temporary().c_str(), "w");
  if (!file)
    userError("'{}': the recommendations cannot be written: {}", flags.text("s"), std::strerror(errno));
  // Units that no name stands for are passed over, so the lists are that much longer (T-49).
  int64_t nameless = recommender.columns();
  for (int32_t column = 0; column < recommender.columns(); ++column)
    nameless -= listed(column);
  const int64_t width = recommender.columns(), places = std::min(width, std::min(width, k) + nameless);
  const int64_t block = std::min(recommender.block(), input->rows);
  std::vector<int32_t> columns(static_cast<size_t>(block * places));
  std::vector<float> scores(columns.size());
  for (int64_t first = 0; first < input->rows; first += block) {
    const int64_t count = std::min(block, input->rows - first);
    recommender.source()(first, count, places, columns.data(), scores.data());
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = first + i;
      if (flags.has("f") && !filter.factors[static_cast<size_t>(row)].empty()) {
        write(file, row, best(row, width));
        continue;
      }
      std::vector<Scored> list;
      for (int64_t place = 0; place < places; ++place)
        if (listed(columns[i * places + place]))
          list.push_back({columns[i * places + place], scores[i * places + place]});
      write(file, row, list);
    }
  }
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) != 0 || failed)
    userError("'{}': the recommendations cannot be written: {}", flags.text("s"), std::strerror(errno));
  target.commit();
  fmt::print("{}: {} samples\n", flags.text("s"), input->rows);
}

/// With factors any feature may come to the top, so all of them are looked at.
std::vector<Scored> Prediction::best(int64_t row, int64_t places) {
  std::vector<int32_t> columns(static_cast<size_t>(places));
  std::vector<float> scores(columns.size());
  recommender.source()(row, 1, places, columns.data(), scores.data());
  const std::map<int32_t, float> &factors = filter.factors[static_cast<size_t>(row)];
  std::vector<Scored> list;
  for (size_t i = 0; i < columns.size(); ++i)
    if (listed(columns[i])) {
      auto factor = factors.find(columns[i]);
      list.push_back({columns[i], factor == factors.end() ? scores[i] : scores[i] * factor->second});
    }
  std::sort(list.begin(), list.end(), [](const Scored &a, const Scored &b) {
    return a.score != b.score ? a.score > b.score : a.column < b.column;
  });
  return list;
}

void Prediction::write(std::FILE *file, int64_t row, const std::vector<Scored> &list) const {
  std::string line = std::string((*input->rowNames)[row]) + "\t";
  for (size_t i = 0; i < list.size() && i < static_cast<size_t>(k); ++i) {
    char score[2048]; // longer than any format above makes it
    std::snprintf(score, sizeof score, format.c_str(), static_cast<double>(list[i].score));
    line += fmt::format("{},{}:", outputs[list[i].column], score);
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), file);
}
} // namespace

int main(int argc, char **argv) {
  return snrt::ending("predict", false, [&] {
    const Flags flags = parsed(argc, argv);
    Prediction(flags).run();
  });
}
