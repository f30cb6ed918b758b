// Parameters in the order of the reference (section 1.8: layer by layer, source by source), update rules, and what the
// plan's training section is made of.
#include "compiler/Conversion/Importer.h"

using namespace mlir;

namespace sn {
/// The matrix, if this pair owns it, and the bias, which is never shared (reference 1.9).
void Importer::weights(int layer, size_t source) {
  const frontend::Layer &to = network.layers[layer];
  int from = to.sources[source];
  if (!sharing(layer, source)) {
    int64_t users = 1;
    for (size_t user = 0; user < network.layers.size(); ++user)
      for (const frontend::Sharing &shared : network.layers[user].shared)
        users += shared.ownerFrom == from && shared.ownerTo == layer;
    const vocab::Initializer &record = *to.weightInit.record;
    plan::Expr args[] = {plan::Expr(std::string("nin")), plan::Expr(std::string("nout")), plan::Expr(to.initScale)};
    plan::Expr scale = formulaExpr(record.scale, args);
    plan::Expr shift = formulaExpr(network.dsstne && record.dsstneShift ? record.dsstneShift : record.shift, args);
    std::string name = pairName(from, layer, "weights");
    builder.create<net::ParameterOp>(at(to), name, type({extent(from), extent(layer)}), true, false,
                                     to.weightNorm > 0 ? builder.getF64FloatAttr(to.weightNorm) : FloatAttr(),
                                     users > 1 ? builder.getI64IntegerAttr(users) : IntegerAttr(), record.draw,
                                     exprText(scale), exprText(shift), stream("init " + name));
  }
  constantVector(layer, (network.layers[from].name + "->" + to.name + "/bias"), to.initBias, false);
}

void Importer::constantVector(int layer, StringRef name, double value, bool fixed) {
  builder.create<net::ParameterOp>(at(network.layers[layer]), name, type({extent(layer)}), false, fixed, FloatAttr(),
                                   IntegerAttr(), "none", exprText(plan::Expr(0.0)), exprText(plan::Expr(value)),
                                   stream("init " + name.str()));
}

void Importer::parameters() {
  for (int layer = 0; layer < static_cast<int>(network.layers.size()); ++layer) {
    const frontend::Layer &to = network.layers[layer];
    for (size_t source = 0; to.type != frontend::LayerType::Pooling && source < to.sources.size(); ++source)
      weights(layer, source);
    if (!to.batchNormalization)
      continue;
    constantVector(layer, layerName(layer, "scale"), 1, false);
    constantVector(layer, layerName(layer, "shift"), 0, false);
    constantVector(layer, layerName(layer, "running_mean"), 0, true);
    constantVector(layer, layerName(layer, "running_variance"), 1, true);
  }
}

void Importer::optimizerRegion(Region &region, const vocab::Optimizer &record, bool decays, Location loc) {
  OpBuilder::InsertionGuard guard(builder);
  unsigned states = record.states.size(), scalars = record.scalars.size() + 2;
  Block *block = openFormula(region, 2 + states + scalars, loc);
  SmallVector<Value> all(block->getArguments());
  ArrayRef<Value> args = all;
  Value w = args[0], g = args[1];
  ArrayRef<Value> decay = args.slice(2 + states, 2), own = args.drop_front(2 + states + 2);
  Value penalty = buildConstant(builder, loc, 0);
  if (decays) {
    g = inlineFormulaWith(builder, loc, vocab::decayed(), {w, g}, decay)[0];
    penalty = inlineFormulaWith(builder, loc, vocab::regularization(), {w}, decay)[0];
  }
  SmallVector<Value> inputs{w, g};
  llvm::append_range(inputs, args.slice(2, states));
  auto results = inlineFormulaWith(builder, loc, record.update, inputs, own, 1 + states);
  results.push_back(penalty);
  builder.create<net::YieldOp>(loc, results);
}

void Importer::optimizer(const vocab::Optimizer &record) {
  Location loc = builder.getUnknownLoc();
  auto symbol = [](const char *name) { return plan::Expr(std::string(name)); };
  SmallVector<StringRef> states(record.states.begin(), record.states.end()), names{"Lambda", "Lambda1"};
  SmallVector<std::string> values{exprText(symbol("Lambda")), exprText(symbol("Lambda1"))};
  for (auto [name, formula] : record.scalars) {
    for (auto &[other, theirs] : record.dsstneScalars)
      if (network.dsstne && other == name)
        formula = theirs;
    plan::Expr args[] = {symbol("Alpha"), symbol("Mu"), symbol("Mu1"), symbol("Step")};
    names.push_back(name);
    values.push_back(exprText(formulaExpr(formula, args)));
  }
  SmallVector<StringRef> valueRefs(values.begin(), values.end());
  SmallVector<NamedAttribute> defaults;
  for (const vocab::Param &param : record.defaults)
    defaults.push_back(builder.getNamedAttr(param.name, builder.getF64FloatAttr(param.byDefault)));
  ArrayAttr idle;
  if (vocab::idleAtZeroGradient(record))
    idle = builder.getStrArrayAttr({"Lambda", "Lambda1"});
  ArrayAttr linear, matrix;
  if (std::optional<plan::Untouched> untouched = untouchedExprs(record)) {
    SmallVector<StringRef> zero(untouched->whenZero.begin(), untouched->whenZero.end());
    SmallVector<Attribute> elements;
    for (const plan::Expr &element : untouched->matrix)
      elements.push_back(builder.getStringAttr(exprText(element)));
    linear = builder.getStrArrayAttr(zero);
    matrix = builder.getArrayAttr(elements);
  }
  auto op = builder.create<net::OptimizerOp>(loc, record.name, builder.getStrArrayAttr(states),
                                             builder.getStrArrayAttr(names), builder.getStrArrayAttr(valueRefs),
                                             builder.getDictionaryAttr(defaults), idle, linear, matrix);
  optimizerRegion(op.getWeights(), record, true, loc);
  optimizerRegion(op.getBias(), record, false, loc);
}

DictionaryAttr Importer::training() {
  auto symbol = [](const char *name) { return plan::Expr(std::string(name)); };
  plan::Expr progress[] = {symbol("Alpha"), symbol("Step"), symbol("Epoch"), symbol("Steps"), symbol("Epochs")};
  std::string alpha = exprText(formulaExpr(network.schedule.record->rate, progress, network.schedule.params));
  SmallVector<NamedAttribute> hyper, items;
  for (auto &[name, value] : network.hyper)
    hyper.push_back(builder.getNamedAttr(name, builder.getF64FloatAttr(value)));
  auto add = [&](StringRef name, Attribute value) { items.push_back(builder.getNamedAttr(name, value)); };
  add("optimizer", builder.getStringAttr(network.optimizer.record->name));
  add("hyper", builder.getDictionaryAttr(hyper));
  SmallVector<StringRef> given;
  for (auto &[name, isGiven] : network.hyperGiven)
    if (isGiven)
      given.push_back(name);
  add("given", builder.getStrArrayAttr(given));
  add("alpha", builder.getStringAttr(alpha));
  add("batch", builder.getI64IntegerAttr(network.batch));
  add("epochs", builder.getI64IntegerAttr(network.epochs));
  add("seed", builder.getI64IntegerAttr(static_cast<int64_t>(network.seed)));
  add("shuffle", builder.getBoolAttr(network.shuffleIndices));
  add("shuffle_stream", builder.getI64IntegerAttr(stream("shuffle")));
  add("clear_state", builder.getBoolAttr(network.dsstne));
  add("brake", builder.getBoolAttr(bool(net::findEntry(module, "trial"))));
  add("weights", builder.getStringAttr(network.weightsData));
  return builder.getDictionaryAttr(items);
}
} // namespace sn
