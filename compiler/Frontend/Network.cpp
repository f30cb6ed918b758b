// The network object: reference section 1.2.
#include "compiler/Frontend/Network.h"
#include "compiler/Frontend/Readers.h"
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sn::frontend {
namespace {
class NetworkReader {
public:
  NetworkReader(const SourceText &source, const Value &root)
      : source(source), object(source, root, networkKeys(), "the network") {}

  Network read() {
    object.check();
    network.file = source.file;
    network.text = source.text;
    readVersion();
    network.name = object.string("Name", "");
    if (const Member *kind = object.find("Kind"))
      choose(source, networkKinds(), "network Kind", kind->value);
    network.shuffleIndices = object.boolean("ShuffleIndices", true);
    readDenoising();
    readLoss();
    readLayers();
    requireFittingActivations();
    const Member *training = object.find("Training");
    readTraining(source, training ? &training->value : nullptr, network);
    return std::move(network);
  }

private:
  const SourceText &source;
  Object object;
  Network network;

  void readVersion() const;
  void readDenoising();
  void readLoss();
  void readLayers();
  void requireFittingActivations() const;
};

// A number, or a string that holds one (T-01); otherwise without effect.
void NetworkReader::readVersion() const {
  const Member *member = object.find("Version");
  if (!member || member->value.form != kText)
    return;
  const std::string &text = member->value.text;
  Value number = member->value;
  number.form = kNumber;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.number);
  if (error != std::errc() || end != text.data() + text.size())
    fail(source, number.at, fmt::format("'Version' must be a number, not \"{}\"", text));
  checkValue(source, *vocab::find(networkKeys(), "Version"), number);
}

void NetworkReader::readDenoising() {
  const Member *member = object.find("Denoising");
  if (!member)
    return;
  Object denoising(source, member->value, denoisingKeys(), "'Denoising'");
  denoising.check();
  network.denoisingP = denoising.number("p", 0);
}

// The objects of all losses are checked; the chosen loss takes its own.
void NetworkReader::readLoss() {
  const Member *member = object.find("ErrorFunction");
  network.loss.at = member ? member->value.at : object.at();
  network.loss.record = member ? chooseRecord(source, vocab::losses(), "ErrorFunction", member->value)
                               : vocab::find(vocab::losses(), vocab::kDefaultLoss);
  network.loss.params = parameterValues(network.loss.record->params, nullptr);
  for (const vocab::Loss &loss : vocab::losses()) {
    const Member *holder = loss.object.empty() ? nullptr : object.find(loss.object);
    if (!holder)
      continue;
    std::vector<Key> keys = parameterKeys(loss.params, false);
    std::string what = fmt::format("'{}'", loss.object);
    Object params(source, holder->value, keys, what);
    params.check();
    if (&loss == network.loss.record)
      network.loss.params = parameterValues(loss.params, &params);
  }
}

void NetworkReader::readLayers() {
  const Member *member = object.find("Layers");
  if (!member)
    fail(source, object.at(), "the network has no 'Layers'");
  std::span<const Value> values(member->value.items);
  if (member->value.form == kObject) // one layer without brackets
    values = std::span(&member->value, 1);
  if (values.empty())
    fail(source, member->value.at, "'Layers' is empty");
  NetworkDefaults defaults{&object, readPenalty(object)};
  std::vector<LayerDraft> drafts;
  for (size_t i = 0; i < values.size(); ++i)
    drafts.push_back(readLayer(source, values[i], static_cast<int>(i), static_cast<int>(values.size()), defaults));
  connectLayers(source, std::move(drafts), network);
}

void NetworkReader::requireFittingActivations() const {
  const vocab::Loss &loss = *network.loss.record;
  if (!loss.unitInterval)
    return;
  for (const Layer &layer : network.layers)
    if (layer.kind == LayerKind::Output && layer.activation.record->row && layer.pDropout > 0)
      fail(source, layer.activation.at,
           fmt::format("{} and {} make one loss over the whole row, which 'pDropout' on this Output layer would break",
                       layer.activation.record->name, loss.name));
  std::vector<std::string_view> fitting;
  for (const vocab::Activation &activation : vocab::activations())
    if (activation.unitInterval)
      fitting.push_back(activation.name);
  bool chosen = object.find("ErrorFunction");
  for (const Layer &layer : network.layers)
    if (layer.kind == LayerKind::Output && !layer.activation.record->unitInterval)
      fail(source, layer.activation.at,
           fmt::format("the loss {} needs outputs between 0 and 1, which {} does not give; {} do", loss.name,
                       layer.activation.record->name, listed(fitting)),
           {{network.loss.at,
             chosen ? "the loss is chosen here" : fmt::format("no 'ErrorFunction' is given, so it is {}", loss.name)}});
}
} // namespace

Network readNetworkText(const std::string &text, const std::string &file) {
  SourceText source{file, text};
  Value root = parseJson(source);
  return NetworkReader(source, root).read();
}

Network readNetwork(const std::string &file) {
  if (!std::filesystem::exists(file))
    userError("{}: no such file", file);
  if (std::filesystem::is_directory(file))
    userError("{}: is a folder, not a network file", file);
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in)
    userError("{}: cannot be read", file);
  return readNetworkText(text, file);
}
} // namespace sn::frontend
