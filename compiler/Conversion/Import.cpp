// Entries: which layers each computes, and what it ends in.
#include "compiler/Conversion/Importer.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <numeric>

using namespace mlir;
using sn::frontend::LayerKind;

namespace sn {
/// Layers that share a matrix, skip or pool are as wide as each other. Widths of data sets are known when data is
/// bound; where two data sets must agree, one gives the extent and the other is checked against it then.
void Importer::unifyExtents() {
  std::vector<int> leader(network.layers.size());
  std::iota(leader.begin(), leader.end(), 0);
  auto find = [&](int layer) {
    while (leader[layer] != layer)
      layer = leader[layer];
    return layer;
  };
  auto unite = [&](int a, int b) {
    a = find(a), b = find(b);
    leader[std::max(a, b)] = std::min(a, b);
  };
  std::map<std::string, int> named;
  for (int index = 0; index < static_cast<int>(network.layers.size()); ++index) {
    const frontend::Layer &layer = network.layers[index];
    if (layer.automatic)
      unite(index, named.try_emplace(layer.dataSet, index).first->second);
    for (int skip : layer.skips)
      unite(index, skip);
    bool pools = layer.type == frontend::LayerType::Pooling;
    for (int source : layer.sources)
      if (pools)
        unite(layer.sources[0], source);
    if (pools && layer.pooling.record->fold)
      unite(index, layer.sources[0]);
    for (const frontend::Sharing &shared : layer.shared) {
      unite(layer.sources[shared.source], shared.transposed ? shared.ownerTo : shared.ownerFrom);
      unite(index, shared.transposed ? shared.ownerFrom : shared.ownerTo);
    }
  }
  std::map<int, Attribute> known; // by leader: a number, or the first data set
  for (int index = 0; index < static_cast<int>(network.layers.size()); ++index) {
    const frontend::Layer &layer = network.layers[index];
    Attribute &extent = known[find(index)];
    if (!layer.automatic)
      extent = builder.getI64IntegerAttr(layer.units);
    else if (!extent)
      extent = builder.getStringAttr(layer.dataSet);
  }
  for (int index = 0; index < static_cast<int>(network.layers.size()); ++index)
    extents.push_back(known.at(find(index)));
}

const frontend::Sharing *Importer::sharing(int layer, size_t index) const {
  for (const frontend::Sharing &shared : network.layers[layer].shared)
    if (static_cast<size_t>(shared.source) == index)
      return &shared;
  return nullptr;
}

Block *Importer::openFormula(Region &region, unsigned arguments, Location loc) {
  Block *block = builder.createBlock(&region);
  for (unsigned i = 0; i < arguments; ++i)
    block->addArgument(builder.getF32Type(), loc);
  return block;
}

Value Importer::map(Location loc, net::ValueType result, ArrayRef<Value> inputs,
                    llvm::function_ref<Value(ArrayRef<Value>)> body) {
  auto op = builder.create<net::MapOp>(loc, TypeRange{result}, ValueRange(inputs));
  OpBuilder::InsertionGuard guard(builder);
  Block *block = openFormula(op.getFormula(), inputs.size(), loc);
  Value value = body(SmallVector<Value>(block->getArguments()));
  builder.create<net::YieldOp>(loc, ValueRange{value});
  return op.getResult(0);
}

Value Importer::rowSum(Location loc, ArrayRef<Value> inputs, Body body) {
  auto op = builder.create<net::RowReduceOp>(loc, rowType(), "sum", ValueRange(inputs), false);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = openFormula(op.getFormula(), inputs.size(), loc);
  Value value = body(SmallVector<Value>(block->getArguments()));
  builder.create<net::YieldOp>(loc, ValueRange{value});
  SmallVector<Value> used;
  for (unsigned i = 0, argument = 0; i < inputs.size(); ++i)
    if (block->getArgument(argument).use_empty())
      block->eraseArgument(argument);
    else
      used.push_back(inputs[i]), ++argument;
  op->setOperands(used);
  return op.getResult();
}

Value Importer::scalar(Location loc, const plan::Expr &expression) {
  return builder.create<net::ScalarOp>(loc, type({}), exprText(expression));
}

Value Importer::read(Location loc, const std::string &parameter, net::ValueType type) {
  Value &value = reads[parameter];
  if (!value)
    value = builder.create<net::ReadOp>(loc, type, parameter);
  return value;
}

/// `ends` and all that they are computed from.
std::set<int> Importer::needed(const std::set<int> &ends) const {
  std::set<int> found;
  std::vector<int> open(ends.begin(), ends.end());
  while (!open.empty()) {
    int index = open.back();
    open.pop_back();
    if (!found.insert(index).second)
      continue;
    const frontend::Layer &layer = network.layers[index];
    open.insert(open.end(), layer.sources.begin(), layer.sources.end());
    open.insert(open.end(), layer.skips.begin(), layer.skips.end());
  }
  return found;
}

/// The output layers; without any, the layers that feed nobody.
std::set<int> Importer::ends() const {
  std::set<int> outputLayers, last;
  for (int index : network.order) {
    const frontend::Layer &layer = network.layers[index];
    if (layer.kind == LayerKind::Output)
      outputLayers.insert(index);
    if (layer.kind != LayerKind::Input)
      last.insert(index);
  }
  for (const frontend::Layer &layer : network.layers) {
    for (int source : layer.sources)
      last.erase(source);
    for (int skip : layer.skips)
      last.erase(skip);
  }
  return outputLayers.empty() ? last : outputLayers;
}

void Importer::entry(StringRef name, Mode mode) {
  OpBuilder::InsertionGuard guard(builder);
  auto op = builder.create<net::EntryOp>(builder.getUnknownLoc(), name);
  builder.createBlock(&op.getBody());
  outputs.clear();
  preActivations.clear();
  reads.clear();
  const std::set<int> last = ends(), all = needed(last);
  for (int index : network.order) {
    if (!all.contains(index))
      continue;
    layer(index, mode);
    if (!last.contains(index))
      continue;
    const frontend::Layer &spec = network.layers[index];
    if (mode == Mode::Predict)
      builder.create<net::RankOp>(at(spec), outputs[index], builder.getStrArrayAttr({spec.name}));
    else
      loss(index);
  }
}

OwningOpRef<ModuleOp> Importer::run() {
  context.loadDialect<net::NetDialect, arith::ArithDialect, math::MathDialect>();
  OwningOpRef<ModuleOp> owner = ModuleOp::create(FileLineColLoc::get(&context, network.file, 1, 1));
  module = *owner;
  builder.setInsertionPointToEnd(module.getBody());
  unifyExtents();
  parameters();
  const vocab::Optimizer *own = network.optimizer.record;
  for (const vocab::Optimizer &record : vocab::optimizers()) {
    optimizer(record);
    own = own == &record ? nullptr : own;
  }
  if (own) // a record that no table holds
    optimizer(*own);
  bool hasTargets =
      llvm::any_of(network.layers, [](const frontend::Layer &layer) { return layer.kind == LayerKind::Output; });
  if (hasTargets) {
    entry("train", Mode::Train);
    if (network.dsstne)
      entry("trial", Mode::Trial);
    entry("evaluate", Mode::Evaluate);
  }
  entry("predict", Mode::Predict);
  module->setAttr("net.name", builder.getStringAttr(network.name));
  module->setAttr("net.training", training());
  return owner;
}

OwningOpRef<ModuleOp> importNetwork(MLIRContext &context, const frontend::Network &network) {
  return Importer(context, network).run();
}
} // namespace sn
