// The network's JSON text: readNetworkText gives a checked network or a located UserError, nothing else.
#include "compiler/Frontend/Network.h"
#include "test/fuzz/support/JsonMutator.h"
#include "test/fuzz/support/Target.h"
#include <algorithm>
#include <set>

namespace {
using namespace sn::frontend;
using sn::fuzz::demand;

bool fits(const Layer &a, const Layer &b) { return a.automatic == b.automatic && (a.automatic || a.units == b.units); }

void checkSharing(const Network &network, const Layer &layer) {
  auto at = [&](int index) -> const Layer & { return network.layers.at(size_t(index)); };
  std::set<int> sources;
  for (const Sharing &sharing : layer.shared) {
    const Layer &from = at(layer.sources.at(size_t(sharing.source))), &owner = at(sharing.ownerTo);
    const Layer &ownerFrom = at(sharing.ownerFrom);
    demand(sources.insert(sharing.source).second, "a matrix shared twice");
    auto place = std::find(owner.sources.begin(), owner.sources.end(), sharing.ownerFrom);
    demand(place != owner.sources.end() && owner.type == LayerType::FullyConnected, "an owner without weights");
    for (const Sharing &other : owner.shared)
      demand(other.source != int(place - owner.sources.begin()), "an owner that shares");
    demand(fits(from, sharing.transposed ? owner : ownerFrom) && fits(layer, sharing.transposed ? ownerFrom : owner),
           "a shared matrix of other extents");
  }
  demand(layer.weightNorm == 0 || layer.sources.size() > layer.shared.size(), "a norm of nothing");
}

void checkPooling(const Network &network, const Layer &layer) {
  demand(layer.pooling.record && layer.shared.empty() && layer.pDropout == 0 && layer.weightNorm == 0 &&
             layer.deltaNorm == 0 && !layer.batchNormalization && layer.sparsenessBeta == 0,
         "a pooling layer with more than its function");
  const Layer &first = network.layers[size_t(layer.sources[0])];
  for (int source : layer.sources)
    demand(fits(first, network.layers[size_t(source)]), "pooling of sources of several widths");
  if (layer.pooling.record->fold)
    demand(fits(first, layer), "a fold of another width");
  else
    demand(!layer.automatic && layer.units == int64_t(layer.sources.size()) - 1, "a comparison of another width");
}

void check(const Network &network) {
  int count = int(network.layers.size());
  demand(count >= 2, "a network of less than two layers");
  std::vector<int> order = network.order, position(network.layers.size());
  for (int i = 0; i < int(order.size()); ++i)
    position[size_t(order[size_t(i)])] = i;
  std::sort(order.begin(), order.end());
  demand(int(order.size()) == count && order.front() == 0 && order.back() == count - 1 &&
             std::adjacent_find(order.begin(), order.end()) == order.end(),
         "the order is no permutation of the layers");
  for (int i = 0; i < count; ++i) {
    const Layer &layer = network.layers[size_t(i)];
    demand(!layer.name.empty() && layer.at.line >= 1 && layer.at.column >= 1, "a layer without name or place");
    demand(layer.automatic || (layer.units >= 1 && layer.units < int64_t(1) << 31), "a layer without units");
    demand((layer.kind == LayerKind::Input) == layer.sources.empty(), "sources and kind do not fit");
    demand(layer.sources.size() == layer.sourcesAt.size(), "a source without a place");
    for (int source : layer.sources)
      demand(source >= 0 && source < count && position[size_t(source)] < position[size_t(i)],
             "a source that is not computed before");
    for (int skip : layer.skips)
      demand(skip >= 0 && skip < count && position[size_t(skip)] < position[size_t(i)] &&
                 fits(network.layers[size_t(skip)], layer),
             "a skip that is not computed before, or of another width");
    demand(layer.skips.size() == layer.skipsAt.size(), "a skip without a place");
    checkSharing(network, layer);
    if (layer.type == LayerType::Pooling)
      checkPooling(network, layer);
    else
      demand(!layer.automatic || layer.kind != LayerKind::Hidden, "a hidden layer as wide as a data set");
    demand(layer.kind == LayerKind::Input || layer.activation.record, "a layer without activation");
    demand(layer.weightNorm >= 0 && layer.deltaNorm >= 0, "a negative norm");
    demand(layer.pDropout >= 0 && layer.pDropout < 1, "a dropout of everything");
  }
  demand(network.loss.record && network.optimizer.record && network.schedule.record, "a record is missing");
  demand(network.batch >= 1 && network.epochs >= 0, "no batch or epochs");
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  try {
    Network network = readNetworkText(text, "net.json");
    check(network);
    demand(network.text == text && network.file == "net.json", "the network does not keep its text");
  } catch (const sn::UserError &error) {
    std::string_view said = error.what();
    sn::fuzz::say(said);
    demand(said.starts_with("net.json:") && said.find(": error: ") != said.npos,
           "a message without a place: " + std::string(said));
  }
  return 0;
}
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  return sn::fuzz::mutateJson(data, size, maxSize, seed);
}
extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t firstSize, const uint8_t *second,
                                            size_t secondSize, uint8_t *out, size_t maxSize, unsigned seed) {
  return sn::fuzz::crossJson(first, firstSize, second, secondSize, out, maxSize, seed);
}
