#include "tools/convert/Cdl.h"
#include "compiler/Frontend/Object.h"
#include <cerrno>
#include <cstring>
#include <fstream>

namespace sn::convert {
namespace {
using namespace frontend;
constexpr Range kCount{.low = 1, .high = 2147483647}, kFromZero{.low = 0, .high = 2147483647},
    kNotNegative{.low = 0, .high = 1e30}, kPositive{.low = 0, .high = 1e30, .openLow = true},
    kBelowOne{.low = 0, .high = 1, .openHigh = true}, kSeed{.low = 0, .high = 9007199254740992};

std::span<const Key> cdlKeys() {
  static const std::vector<Key> keys{
      {.name = "Version", .forms = kNumber | kText},
      {.name = "Network", .forms = kText},
      {.name = "Data", .forms = kText | kArray},
      {.name = "RandomSeed", .forms = kInteger, .range = kSeed},
      {.name = "Command", .forms = kText},
      {.name = "MiniBatch", .forms = kInteger, .range = kCount},
      {.name = "ShuffleIndices", .forms = kBoolean},
      {.name = "TrainingParameters", .forms = kObject},
      {.name = "PredictionParameters", .forms = kObject},
  };
  return keys;
}

std::span<const Key> trainingParameterKeys() {
  static const std::vector<Key> keys{
      {.name = "Epochs", .forms = kInteger, .range = kFromZero},
      {.name = "Optimizer", .forms = kText},
      {.name = "Alpha", .forms = kNumber, .range = kPositive, .byDefault = "0.1"},
      {.name = "AlphaInterval", .forms = kNumber, .range = kFromZero, .byDefault = "0"},
      {.name = "AlphaMultiplier", .forms = kNumber, .range = kPositive, .byDefault = "0.5"},
      {.name = "Mu", .forms = kNumber, .range = kBelowOne, .byDefault = "0.9"},
      {.name = "Mu1", .forms = kNumber, .range = kBelowOne},
      {.name = "Lambda", .forms = kNumber, .range = kNotNegative, .byDefault = "0.001"},
      {.name = "Lambda1", .forms = kNumber, .range = kNotNegative},
      {.name = "MiniBatch", .forms = kInteger, .range = kCount},
      {.name = "ShuffleIndices", .forms = kBoolean},
      {.name = "CheckpointInterval", .forms = kInteger, .range = kFromZero, .byDefault = "1"},
      {.name = "CheckpointName", .forms = kText, .byDefault = "check"},
      {.name = "Results", .forms = kText, .byDefault = "network.nc"},
  };
  return keys;
}

std::span<const Key> predictionParameterKeys() {
  static const std::vector<Key> keys{
      {.name = "K", .forms = kInteger, .range = kCount, .byDefault = "10"},
      {.name = "Layer", .forms = kText, .byDefault = "Output"},
      {.name = "MiniBatch", .forms = kInteger, .range = kCount},
  };
  return keys;
}

std::span<const Choice> commands() {
  static const std::vector<Choice> choices{{.name = "Train"}, {.name = "Predict"}, {.name = "Validate"}};
  return choices;
}

class CdlReader {
public:
  CdlReader(Diagnostics &report, const Value &root) : report(report), object(report, root, cdlKeys(), "a CDL file") {}
  Cdl read();

private:
  void require(Object &where, std::string_view key, std::string_view why) {
    if (!where.mentions(key))
      report.error(Rule::Value, where.at(), fmt::format("'{}' is missing: {}", key, why));
  }
  void readData();
  void readTraining(const Member &member);
  void readPrediction(const Member &member);
  /// Both levels have these keys; the inner one counts.
  void readCommon(Object &where);
  /// An object that belongs to another command.
  void warnIdle(std::string_view key, std::string_view command) {
    if (const Member *member = object.find(key))
      report.warning(Rule::NoEffect, member->at, fmt::format("'{}' has no effect on the command {}", key, command));
  }

  Diagnostics &report;
  Object object;
  Cdl cdl;
};

void CdlReader::readCommon(Object &where) {
  if (where.find("MiniBatch"))
    cdl.batch = static_cast<int64_t>(where.number("MiniBatch", 0));
  if (where.mentions("ShuffleIndices") && where.find("ShuffleIndices"))
    cdl.shuffle = where.boolean("ShuffleIndices", true);
}

void CdlReader::readData() {
  const Member *data = object.find("Data");
  if (!data)
    return;
  if (data->value.form == kText)
    cdl.data = {data->value.text};
  for (const Value &item : data->value.items)
    if (checkValue(report, {.name = "Data", .forms = kText}, item))
      cdl.data.push_back(item.text);
  if (data->value.form == kArray && data->value.items.empty())
    report.error(Rule::Value, data->value.at, "'Data' names no file");
}

void CdlReader::readTraining(const Member &member) {
  Object training(report, member.value, trainingParameterKeys(), "'TrainingParameters'");
  training.check();
  require(training, "Epochs", "how often to go over the data");
  cdl.epochs = static_cast<int64_t>(training.number("Epochs", 0));
  if (const Member *optimizer = training.find("Optimizer"))
    if (const vocab::Optimizer *record = chooseRecord(report, vocab::optimizers(), "Optimizer", optimizer->value))
      cdl.optimizer = std::string(record->name);
  for (const char *name : {"Alpha", "Lambda", "Lambda1", "Mu", "Mu1"})
    if (training.find(name))
      cdl.hyper[name] = training.number(name, 0);
  cdl.alphaInterval = static_cast<int64_t>(training.number("AlphaInterval", 0));
  cdl.alphaMultiplier = training.number("AlphaMultiplier", 0.5);
  cdl.checkpointInterval = static_cast<int64_t>(training.number("CheckpointInterval", 1));
  cdl.checkpointName = training.string("CheckpointName", "check");
  cdl.results = training.string("Results", "network.nc");
  readCommon(training);
}

void CdlReader::readPrediction(const Member &member) {
  static constexpr int64_t kMost = 1 << 20;
  Object prediction(report, member.value, predictionParameterKeys(), "'PredictionParameters'");
  prediction.check();
  cdl.k = std::min(kMost, static_cast<int64_t>(prediction.number("K", 10)));
  cdl.layer = prediction.string("Layer", "");
  if (prediction.find("MiniBatch"))
    cdl.batch = static_cast<int64_t>(prediction.number("MiniBatch", 0));
}

Cdl CdlReader::read() {
  object.check();
  require(object, "Network", "the file of the network");
  require(object, "Data", "the data file, or an array of them");
  require(object, "Command", "Train, Predict or Validate");
  cdl.network = object.string("Network", "");
  readData();
  if (object.find("RandomSeed"))
    cdl.seed = static_cast<uint64_t>(object.number("RandomSeed", 0));
  readCommon(object);
  const Member *command = object.find("Command");
  std::optional<int> chosen = command ? choose(report, commands(), "Command", command->value) : std::nullopt;
  if (!chosen)
    return cdl;
  cdl.command = static_cast<Cdl::Command>(*chosen);
  if (cdl.command == Cdl::Command::Train) {
    require(object, "TrainingParameters", "the command Train needs its Epochs");
    if (const Member *training = object.find("TrainingParameters"))
      readTraining(*training);
  } else {
    warnIdle("TrainingParameters", commands()[*chosen].name);
  }
  if (cdl.command != Cdl::Command::Predict)
    warnIdle("PredictionParameters", commands()[*chosen].name);
  else if (const Member *prediction = object.find("PredictionParameters"))
    readPrediction(*prediction);
  return cdl;
}

std::string textOf(const std::string &path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file)
    userError("{}: cannot be read: {}", path, std::strerror(errno ? errno : EIO));
  return text;
}
} // namespace

Cdl readCdl(const std::string &path) {
  Cdl cdl = readCdlText(textOf(path), path);
  fmt::print(stderr, "{}", cdl.warnings);
  return cdl;
}

Cdl readCdlText(const std::string &text, const std::string &path) {
  const SourceText source{path, text, ""};
  const Value root = parseJson(source);
  Diagnostics report(source);
  Cdl cdl = CdlReader(report, root).read();
  if (report.errors() > 0)
    throw NetworkError(report.report());
  cdl.warnings = report.report().text();
  return cdl;
}
} // namespace sn::convert
