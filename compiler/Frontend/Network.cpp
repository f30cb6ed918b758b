// The network object: reference section 1.2.
#include "compiler/Frontend/Network.h"
#include "compiler/Frontend/Readers.h"
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sn::frontend {
namespace {
constexpr size_t kMaxBytes = size_t{64} << 20; // of a network file

class NetworkReader {
public:
  NetworkReader(Diagnostics &report, const Value &root)
      : report(report), object(report, root, networkKeys(), "the network") {}

  Network read(const SourceText &source) {
    object.check();
    network.file = source.file;
    network.text = source.text;
    readVersion();
    network.name = object.string("Name", "");
    if (const Member *kind = object.find("Kind"))
      choose(report, networkKinds(), "network Kind", kind->value);
    network.precision = readPrecision(object).value_or(plan::Precision::Fp32);
    network.shuffleIndices = object.boolean("ShuffleIndices", true);
    readDenoising();
    readLoss();
    readBoost();
    readCompatibility();
    readLayers();
    checkLoss(report, object, drafts, network);
    const Member *training = object.find("Training");
    readTraining(report, training ? &training->value : nullptr, object.find("Decay"), network);
    if (report.errors() == 0)
      warn(report, object, penalty, drafts, network);
    return std::move(network);
  }

private:
  Diagnostics &report;
  Object object;
  Network network;
  std::vector<LayerDraft> drafts; // their layers are the network's
  Penalty penalty;

  void readVersion();
  void readDenoising();
  void readLoss();
  void readBoost();
  void readCompatibility();
  void readLayers();
};

// A number, or a string that holds one (T-01); otherwise without effect.
void NetworkReader::readVersion() {
  const Member *member = object.find("Version");
  if (!member || member->value.form != kText)
    return;
  const std::string &text = member->value.text;
  Value number = member->value;
  number.form = kNumber;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.number);
  if (error != std::errc() || end != text.data() + text.size())
    report.error(Rule::Version, number.at, fmt::format("'Version' must be a number, not {}", inQuotes(text)));
  else
    checkValue(report, *vocab::find(networkKeys(), "Version"), number);
}

void NetworkReader::readDenoising() {
  const Member *member = object.find("Denoising");
  if (!member)
    return;
  Object denoising(report, member->value, denoisingKeys(), "'Denoising'");
  denoising.check();
  network.denoisingP = denoising.number("p", 0);
}

// The objects of all losses are checked; the chosen loss takes its own. A loss that could not be told stays null.
void NetworkReader::readLoss() {
  const Member *member = object.find("ErrorFunction");
  network.loss.at = member ? member->value.at : object.at();
  if (member)
    network.loss.record = chooseRecord(report, vocab::losses(), "ErrorFunction", member->value);
  else if (!object.mentions("ErrorFunction"))
    network.loss.record = vocab::find(vocab::losses(), vocab::kDefaultLoss);
  if (network.loss.record)
    network.loss.params = parameterValues(network.loss.record->params, nullptr);
  std::vector<std::string_view> seen; // losses may share an object
  for (const vocab::Loss &loss : vocab::losses()) {
    const Member *holder = loss.object.empty() ? nullptr : object.find(loss.object);
    if (!holder || std::find(seen.begin(), seen.end(), loss.object) != seen.end())
      continue;
    seen.push_back(loss.object);
    std::vector<Key> keys = parameterKeys(loss.params, false);
    std::string what = fmt::format("'{}'", holder->key);
    Object params(report, holder->value, keys, what);
    params.check();
    if (network.loss.record && network.loss.record->object == loss.object)
      network.loss.params = parameterValues(network.loss.record->params, &params);
  }
}

void NetworkReader::readBoost() {
  if (const Member *member = object.find("DeltaBoost")) {
    Object boost(report, member->value, boostKeys(), "'DeltaBoost'");
    boost.check();
    network.boostOne = boost.number("one", 1);
    network.boostZero = boost.number("zero", 1);
  }
  if (const Member *member = object.find("MaxOut")) // without effect in DSSTNE, too
    Object(report, member->value, maxOutKeys(), "'MaxOut'").check();
}

void NetworkReader::readCompatibility() {
  if (const Member *member = object.find("Compatibility"))
    network.dsstne = choose(report, compatibilities(), "Compatibility", member->value) == 1;
  if (const Member *member = object.find("WeightsData")) {
    network.weightsData = member->value.text;
    if (network.weightsData.empty())
      report.error(Rule::WeightsData, member->value.at, fmt::format("'{}' must name a file", member->key));
  }
}

void NetworkReader::readLayers() {
  const Member *member = object.find("Layers");
  if (!member) {
    if (!object.mentions("Layers"))
      report.error(Rule::Kinds, object.at(), "the network has no 'Layers'");
    return;
  }
  std::span<const Value> values(member->value.items);
  if (member->value.form == kObject) // one layer without brackets
    values = std::span(&member->value, 1);
  if (values.empty())
    return report.error(Rule::Kinds, member->value.at, "'Layers' is empty");
  penalty = readPenalty(object);
  NetworkDefaults defaults{&object, penalty};
  for (size_t i = 0; i < values.size(); ++i)
    drafts.push_back(readLayer(report, values[i], static_cast<int>(i), static_cast<int>(values.size()), defaults));
  connectLayers(report, drafts, network);
}

[[noreturn]] void failWhole(const std::string &file, std::string message) {
  fail({file, ""}, Rule::File, kWholeFile, std::move(message));
}
} // namespace

Network readNetworkText(const std::string &text, const std::string &file, Report &warnings) {
  SourceText source{file, text};
  Diagnostics report(source);
  Value root = parseJson(source);
  Network network = NetworkReader(report, root).read(source);
  if (report.errors() > 0)
    throw NetworkError(report.report());
  warnings = report.report();
  return network;
}

Network readNetworkText(const std::string &text, const std::string &file) {
  Report warnings;
  return readNetworkText(text, file, warnings);
}

Network readNetwork(const std::string &file, Report &warnings) {
  std::error_code problem;
  std::filesystem::file_status status = std::filesystem::status(file, problem);
  if (status.type() == std::filesystem::file_type::not_found)
    failWhole(file, "no such file");
  if (problem)
    failWhole(file, "cannot be read: " + problem.message());
  if (std::filesystem::is_directory(status))
    failWhole(file, "is a folder, not a network file");
  std::ifstream in(file, std::ios::binary);
  std::string text, part(1 << 20, '\0');
  while (in && text.size() <= kMaxBytes) {
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    text.append(part, 0, static_cast<size_t>(in.gcount()));
  }
  if (in.bad() || !in.is_open())
    failWhole(file, fmt::format("cannot be read: {}", std::strerror(errno)));
  if (text.size() > kMaxBytes)
    failWhole(file, fmt::format("is larger than {} MiB: this is no network", kMaxBytes >> 20));
  return readNetworkText(text, file, warnings);
}

Network readNetwork(const std::string &file) {
  Report warnings;
  return readNetwork(file, warnings);
}
} // namespace sn::frontend
