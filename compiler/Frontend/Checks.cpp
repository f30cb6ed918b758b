// What holds between the parts of a network: loss, Output layers and DeltaBoost; and what is legal, but surely not
// meant.
#include "compiler/Frontend/Readers.h"
#include <algorithm>

namespace sn::frontend {
namespace {
class Checker {
public:
  Checker(Diagnostics &report, Object &object, const std::vector<LayerDraft> &drafts, const Network &network)
      : report(report), object(object), drafts(drafts), network(network) {}

  void checkLoss();
  void warn(const Penalty &penalty);

private:
  Diagnostics &report;
  Object &object;
  const std::vector<LayerDraft> &drafts;
  const Network &network;

  Diagnostic lossNote() const {
    return {network.loss.at, object.find("ErrorFunction")
                                 ? "the loss is chosen here"
                                 : fmt::format("no 'ErrorFunction' is given, so it is {}", network.loss.record->name)};
  }
  bool any(bool (*holds)(const Layer &)) const {
    return std::any_of(network.layers.begin(), network.layers.end(), holds);
  }
  void requireFitting(const Layer &layer, const LayerDraft &draft);
  void requireBoosted();
  void warnOfPenalties(const Penalty &own);
  void warnOfLossObjects();
  void warnOfActivationParameters();
  void warnOfSharedDraws();
  void warnOfPrecision();
};

void Checker::requireFitting(const Layer &layer, const LayerDraft &draft) {
  const vocab::Loss &loss = *network.loss.record;
  const vocab::Activation &chosen = *layer.activation.record;
  if (chosen.row && !loss.rowWise)
    report.error(Rule::RowWise, layer.activation.at,
                 fmt::format("the loss {} is not defined behind {}, which works on whole rows", loss.name, chosen.name),
                 {lossNote()});
  if (!loss.unitInterval)
    return;
  if (chosen.row && loss.rowWise && layer.pDropout > 0)
    report.error(
        Rule::Dropout, layer.activation.at,
        fmt::format("{} and {} make one loss over the whole row, which 'pDropout' on this Output layer would break",
                    chosen.name, loss.name),
        {{draft.dropoutAt, "'pDropout' is set here"}, lossNote()});
  std::vector<std::string_view> fitting;
  for (const vocab::Activation &activation : vocab::activations())
    if (activation.unitInterval && (loss.rowWise || !activation.row))
      fitting.push_back(activation.name);
  if (!chosen.unitInterval)
    report.error(Rule::UnitInterval, layer.activation.at,
                 fmt::format("the loss {} needs outputs between 0 and 1, which {} does not give; {} {}", loss.name,
                             chosen.name, listed(fitting), fitting.size() == 1 ? "does" : "do"),
                 {lossNote()});
}

/// DeltaBoost multiplies deltas of some pairs of loss and activation only (T-68).
void Checker::requireBoosted() {
  bool one = false, zero = false, known = true, outputs = false;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Layer &layer = network.layers[i];
    known &= drafts[i].kindKnown && (layer.kind == LayerKind::Input || layer.activation.record);
    if (layer.kind != LayerKind::Output || !layer.activation.record)
      continue;
    outputs = true;
    vocab::Boost boost = layer.activation.record->row ? vocab::Boost::Never : network.loss.record->boost;
    one |= boost != vocab::Boost::Never;
    zero |=
        boost == vocab::Boost::Always || (boost == vocab::Boost::UnitInterval && layer.activation.record->unitInterval);
  }
  const Member *member = object.find("DeltaBoost");
  if (!known || !outputs || !member)
    return;
  for (auto [key, factor, used] : {std::tuple("one", network.boostOne, one), {"zero", network.boostZero, zero}})
    if (factor != 1 && !used)
      report.error(
          Rule::Boost, member->at,
          fmt::format("'{}' of 'DeltaBoost' has no effect: the loss {} does not use it behind the activations of "
                      "this network's Output layers",
                      key, network.loss.record->name),
          {lossNote()});
}

void Checker::checkLoss() {
  if (!network.loss.record)
    return;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Layer &layer = network.layers[i];
    if (layer.kind == LayerKind::Output && drafts[i].kindKnown && layer.activation.record)
      requireFitting(layer, drafts[i]);
  }
  requireBoosted();
}

void Checker::warnOfPenalties(const Penalty &own) {
  const Member *denoising = object.find("Denoising"), *penalty = object.find("SparsenessPenalty");
  if (denoising && network.denoisingP > 0 &&
      !any([](const Layer &layer) { return layer.kind == LayerKind::Input && layer.sparse; }))
    report.warning(Rule::NoEffect, denoising->at, "'Denoising' has no effect: no Input layer has \"Sparse\": true");
  if (penalty && own.beta > 0 &&
      !any([](const Layer &layer) { return layer.kind == LayerKind::Hidden && layer.sparse; }))
    report.warning(Rule::NoEffect, penalty->at,
                   "'SparsenessPenalty' has no effect: no Hidden layer has \"Sparse\": true");
}

void Checker::warnOfLossObjects() {
  std::vector<std::string_view> seen{network.loss.record->object};
  for (const vocab::Loss &loss : vocab::losses()) {
    const Member *member = loss.object.empty() ? nullptr : object.find(loss.object);
    if (!member || std::find(seen.begin(), seen.end(), loss.object) != seen.end())
      continue;
    seen.push_back(loss.object);
    report.warning(Rule::NoEffect, member->at,
                   fmt::format("'{}' has no effect: the loss is {}", member->key, network.loss.record->name),
                   {lossNote()});
  }
}

void Checker::warnOfActivationParameters() {
  std::vector<const Member *> seen;
  for (const vocab::Activation &activation : vocab::activations())
    for (const vocab::Param &param : activation.params) {
      const Member *member = object.find(param.key);
      if (!member || std::find(seen.begin(), seen.end(), member) != seen.end())
        continue;
      seen.push_back(member);
      bool used = std::any_of(network.layers.begin(), network.layers.end(), [&](const Layer &layer) {
        return layer.activation.record &&
               std::any_of(layer.activation.record->params.begin(), layer.activation.record->params.end(),
                           [&](const vocab::Param &own) { return own.key == param.key; });
      });
      if (!used)
        report.warning(Rule::NoEffect, member->at,
                       fmt::format("'{}' has no effect: no layer's activation has this parameter", member->key));
    }
}

void Checker::warnOfSharedDraws() {
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Layer &layer = network.layers[i];
    if (layer.sources.empty() || layer.shared.size() != layer.sources.size())
      continue;
    for (const Diagnostic &key : drafts[i].drawsGiven)
      report.warning(Rule::NoEffect, key.at,
                     fmt::format("'{}' has no effect: all weights of layer {} belong to others", key.message,
                                 inQuotes(layer.name)),
                     {{layer.shared[0].at, "they are shared here"}});
  }
}

/// Layers with products and without a precision of their own take the network's.
void Checker::warnOfPrecision() {
  const Member *member = object.find("Precision");
  if (member && !any([](const Layer &layer) {
        return layer.kind != LayerKind::Input && layer.type == LayerType::FullyConnected && !layer.precision;
      }))
    report.warning(Rule::NoEffect, member->at,
                   "'Precision' has no effect: every layer with products has a precision of its own");
}

void Checker::warn(const Penalty &penalty) {
  warnOfPenalties(penalty);
  warnOfPrecision();
  warnOfLossObjects();
  warnOfActivationParameters();
  warnOfSharedDraws();
  for (const LayerDraft &draft : drafts)
    for (const Diagnostic &caution : draft.cautions)
      report.warning(Rule::ActivationParameters, caution.at, caution.message);
  if (!any([](const Layer &layer) { return layer.kind == LayerKind::Output; }))
    report.warning(Rule::PredictionOnly, network.layers.back().at,
                   "the network has no Output layer: it can predict, but not be trained or evaluated",
                   {drafts.back().kindWhy});
}
} // namespace

void checkLoss(Diagnostics &report, Object &object, const std::vector<LayerDraft> &drafts, const Network &network) {
  Checker(report, object, drafts, network).checkLoss();
}

void warn(Diagnostics &report, Object &object, const Penalty &penalty, const std::vector<LayerDraft> &drafts,
          const Network &network) {
  Checker(report, object, drafts, network).warn(penalty);
}
} // namespace sn::frontend
