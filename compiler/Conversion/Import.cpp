// Every record's formula is inlined here as a region; nothing after this file can tell which record it came from.
#include "compiler/Conversion/Import.h"
#include "compiler/Transforms/Formulas.h"
#include "dialects/Net/Net.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using sn::frontend::LayerKind;

namespace sn {
namespace {
enum class Mode { Train, Evaluate, Predict };

class Importer {
public:
  Importer(MLIRContext &context, const frontend::Network &network)
      : context(context), network(network), builder(&context) {}
  OwningOpRef<ModuleOp> run();

private:
  Location at(frontend::Position position) {
    return FileLineColLoc::get(&context, network.file, position.line, position.column);
  }
  /// Where a layer stands, under its name; the record that a formula comes from is added as an inner name, for people
  /// only.
  Location at(const frontend::Layer &layer, std::string_view record = {}) {
    Location place = at(layer.at);
    if (!record.empty())
      place = NameLoc::get(builder.getStringAttr(record), place);
    return NameLoc::get(builder.getStringAttr(layer.name), place);
  }
  Attribute extent(const frontend::Layer &layer) {
    if (layer.automatic)
      return builder.getStringAttr(layer.dataSet);
    return builder.getI64IntegerAttr(layer.units);
  }
  net::ValueType type(ArrayRef<Attribute> dims) { return net::valueType(&context, dims); }
  net::ValueType batchOf(Attribute units) { return type({builder.getStringAttr(net::kBatch), units}); }
  net::ValueType rowType() { return type({builder.getStringAttr(net::kBatch)}); }
  std::string pairName(int source, int layer, StringRef what) {
    return (network.layers[source].name + "->" + network.layers[layer].name + "/" + what).str();
  }
  /// The block of a fresh formula region of `arguments` f32 values; the builder is left inside it.
  Block *openFormula(Region &region, unsigned arguments, Location loc) {
    Block *block = builder.createBlock(&region);
    for (unsigned i = 0; i < arguments; ++i)
      block->addArgument(builder.getF32Type(), loc);
    return block;
  }
  Value map(Location loc, net::ValueType result, ArrayRef<Value> inputs,
            llvm::function_ref<Value(ArrayRef<Value>)> body);

  void parameters();
  void parameter(int source, int layer, bool bias);
  void optimizer(const vocab::Optimizer &record);
  void optimizerRegion(Region &region, const vocab::Optimizer &record, bool decays, Location loc);
  void entry(StringRef name, Mode mode);
  Value inputLayer(int index, Mode mode);
  Value preActivation(int index);
  Value activate(int index, Value z);
  Value regularised(int index, Value y, Mode mode);
  void loss(int index, Value z);
  SmallVector<Value> rowStatistics(const vocab::RowFormula &row, Value z, Location loc, ArrayRef<double> params);
  DictionaryAttr training();

  MLIRContext &context;
  const frontend::Network &network;
  OpBuilder builder;
  ModuleOp module;
  std::map<int, Value> outputs; // by layer, in the entry at hand
  std::map<std::string, uint32_t> streams;
  uint32_t stream(const std::string &purpose) {
    return streams.try_emplace(purpose, static_cast<uint32_t>(streams.size()) + 1).first->second;
  }
};

Value Importer::map(Location loc, net::ValueType result, ArrayRef<Value> inputs,
                    llvm::function_ref<Value(ArrayRef<Value>)> body) {
  auto op = builder.create<net::MapOp>(loc, TypeRange{result}, ValueRange(inputs));
  OpBuilder::InsertionGuard guard(builder);
  Block *block = openFormula(op.getFormula(), inputs.size(), loc);
  Value value = body(SmallVector<Value>(block->getArguments()));
  builder.create<net::YieldOp>(loc, ValueRange{value});
  return op.getResult(0);
}

void Importer::parameter(int source, int layer, bool bias) {
  const frontend::Layer &from = network.layers[source], &to = network.layers[layer];
  std::string name = pairName(source, layer, bias ? "bias" : "weights");
  SmallVector<Attribute> dims{extent(from), extent(to)};
  if (bias)
    dims.erase(dims.begin());
  std::string draw = "none";
  plan::Expr scale(0.0), shift(to.initBias);
  if (!bias) {
    const vocab::Initializer &record = *to.weightInit.record;
    plan::Expr args[] = {plan::Expr(std::string("nin")), plan::Expr(std::string("nout")), plan::Expr(to.initScale)};
    draw = record.draw;
    scale = formulaExpr(record.scale, args);
    shift = formulaExpr(record.shift, args);
  }
  builder.create<net::ParameterOp>(at(to), name, type(dims), !bias, false, FloatAttr(), IntegerAttr(), draw,
                                   exprText(scale), exprText(shift), stream("init " + name));
}

void Importer::parameters() {
  for (size_t layer = 0; layer < network.layers.size(); ++layer)
    for (int source : network.layers[layer].sources) {
      parameter(source, static_cast<int>(layer), false);
      parameter(source, static_cast<int>(layer), true);
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
  for (auto &[name, formula] : record.scalars) {
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
  auto op = builder.create<net::OptimizerOp>(loc, record.name, builder.getStrArrayAttr(states),
                                             builder.getStrArrayAttr(names), builder.getStrArrayAttr(valueRefs),
                                             builder.getDictionaryAttr(defaults), idle);
  optimizerRegion(op.getWeights(), record, true, loc);
  optimizerRegion(op.getBias(), record, false, loc);
}

Value Importer::inputLayer(int index, Mode mode) {
  const frontend::Layer &layer = network.layers[index];
  Location loc = at(layer);
  Value data = builder.create<net::DataOp>(loc, batchOf(extent(layer)), layer.dataSet);
  auto corrupt = [&](double p, const char *why) {
    if (mode == Mode::Train && p > 0)
      data = builder.create<net::CorruptOp>(loc, data.getType(), data, APFloat(p), stream(why + (" " + layer.name)));
  };
  corrupt(layer.sparse ? network.denoisingP : 0, "denoising");
  corrupt(layer.pDropout, "dropout");
  return data;
}

Value Importer::preActivation(int index) {
  const frontend::Layer &layer = network.layers[index];
  Location loc = at(layer);
  net::ValueType result = batchOf(extent(layer));
  SmallVector<Value> dense, denseWeights, terms, biases;
  auto read = [&](int source, StringRef what, ArrayRef<Attribute> dims) -> Value {
    return builder.create<net::ReadOp>(loc, type(dims), pairName(source, index, what));
  };
  for (int source : layer.sources) {
    Value weights = read(source, "weights", {extent(network.layers[source]), extent(layer)});
    biases.push_back(read(source, "bias", {extent(layer)}));
    Value x = outputs.at(source);
    if (network.layers[source].kind == LayerKind::Input) {
      terms.push_back(builder.create<net::ContractOp>(loc, result, ValueRange{x}, ValueRange{weights}, false, false));
    } else {
      dense.push_back(x);
      denseWeights.push_back(weights);
    }
  }
  if (!dense.empty())
    terms.push_back(builder.create<net::ContractOp>(loc, result, dense, denseWeights, false, false));
  SmallVector<Value> inputs(terms);
  llvm::append_range(inputs, biases);
  return map(loc, result, inputs, [&](ArrayRef<Value> args) {
    Value sum = args[0];
    for (Value arg : args.drop_front())
      sum = builder.create<arith::AddFOp>(loc, sum, arg);
    return sum;
  });
}

SmallVector<Value> Importer::rowStatistics(const vocab::RowFormula &row, Value z, Location loc,
                                           ArrayRef<double> params) {
  SmallVector<Value> statistics;
  for (auto &[kind, formula] : row.reductions) {
    SmallVector<Value> inputs{z};
    llvm::append_range(inputs, statistics);
    bool max = kind == vocab::Reduce::Max;
    auto op = builder.create<net::RowReduceOp>(loc, rowType(), max ? "max" : "sum", inputs, max);
    OpBuilder::InsertionGuard guard(builder);
    Block *block = openFormula(op.getFormula(), inputs.size(), loc);
    builder.create<net::YieldOp>(
        loc, inlineFormula(builder, loc, formula, SmallVector<Value>(block->getArguments()), params));
    statistics.push_back(op.getResult());
  }
  return statistics;
}

Value Importer::activate(int index, Value z) {
  const frontend::Layer &layer = network.layers[index];
  const vocab::Activation &record = *layer.activation.record;
  ArrayRef<double> params = layer.activation.params;
  Location loc = at(layer, record.name);
  auto result = net::typeOf(z);
  if (record.row) {
    SmallVector<Value> inputs{z};
    llvm::append_range(inputs, rowStatistics(*record.row, z, loc, params));
    return map(loc, result, inputs,
               [&](ArrayRef<Value> args) { return inlineFormula(builder, loc, record.row->value, args, params)[0]; });
  }
  Value y = map(loc, result, {z},
                [&](ArrayRef<Value> args) { return inlineFormula(builder, loc, record.forward, args, params)[0]; });
  if (record.gradFromOutput) {
    OpBuilder::InsertionGuard guard(builder);
    auto op = cast<net::MapOp>(y.getDefiningOp());
    Block *block = openFormula(op.getFromOutput(), 2, loc);
    Value slope = inlineFormula(builder, loc, record.gradFromOutput, {block->getArgument(0)}, params)[0];
    builder.create<net::YieldOp>(loc, ValueRange{builder.create<arith::MulFOp>(loc, slope, block->getArgument(1))});
  }
  return y;
}

Value Importer::regularised(int index, Value y, Mode mode) {
  const frontend::Layer &layer = network.layers[index];
  Location loc = at(layer);
  if (mode != Mode::Train)
    return y;
  if (layer.pDropout > 0) {
    Value mask =
        builder.create<net::MaskOp>(loc, y.getType(), APFloat(layer.pDropout), stream("dropout " + layer.name));
    y = map(loc, net::typeOf(y), {y, mask},
            [&](ArrayRef<Value> args) -> Value { return builder.create<arith::MulFOp>(loc, args[0], args[1]); });
  }
  if (layer.kind == LayerKind::Hidden && layer.sparse && layer.sparsenessBeta > 0) {
    auto op = builder.create<net::PenaltyOp>(loc, y.getType(), y);
    OpBuilder::InsertionGuard guard(builder);
    Block *block = openFormula(op.getFormula(), 2, loc); // sum over the batch, 1/B: reference section 1.16
    static const vocab::Formula slope = vocab::formula([](const auto *a, const auto *p) {
      using vocab::max_, vocab::min_;
      auto mean = max_(min_(a[0] * a[1], decltype(a[0] * a[1])(0.999999)), decltype(a[0] * a[1])(1e-6));
      return p[1] * ((1.0 - p[0]) / (1.0 - mean) - p[0] / mean);
    });
    double params[] = {layer.sparsenessP, layer.sparsenessBeta};
    builder.create<net::YieldOp>(loc,
                                 inlineFormula(builder, loc, slope, SmallVector<Value>(block->getArguments()), params));
    y = op.getResult();
  }
  return y;
}

void Importer::loss(int index, Value z) {
  const frontend::Layer &layer = network.layers[index];
  const vocab::Activation &activation = *layer.activation.record;
  const vocab::Loss &record = *network.loss.record;
  const vocab::Pair *pair = layer.pDropout > 0 ? nullptr : vocab::findPair(activation.name, record.name);
  Location loc = at(layer, record.name);
  auto scalar = [&](StringRef what) -> Value {
    return builder.create<net::TargetScalarOp>(loc, rowType(), layer.dataSet, what);
  };
  SmallVector<Value> inputs{pair ? z : outputs.at(index), scalar("weight")};
  if (pair && activation.row) {
    inputs.append({scalar("scale"), scalar("sum")});
    llvm::append_range(inputs, rowStatistics(*activation.row, z, loc, layer.activation.params));
  }
  bool indicator = record.indicator && !activation.row;
  auto op = builder.create<net::LossOp>(loc, type({}), Type(), inputs, layer.dataSet, indicator, DenseF64ArrayAttr(),
                                        builder.getStrArrayAttr({layer.name}));
  auto fill = [&](Region &region, const vocab::Formula &formula) {
    OpBuilder::InsertionGuard guard(builder);
    Block *block = openFormula(region, inputs.size() + 1, loc);
    SmallVector<Value> a(block->getArguments());
    Value t = a.back(), weight = a[1];
    SmallVector<Value> args{a[0], t};
    if (pair && activation.row) {
      ArrayRef<Value> statistics = ArrayRef<Value>(a).slice(4, inputs.size() - 4);
      SmallVector<Value> row{a[0]};
      llvm::append_range(row, statistics);
      Value y = inlineFormula(builder, loc, activation.row->value, row, layer.activation.params)[0];
      args = {a[0], y, t, a[2], a[3]};
      llvm::append_range(args, statistics);
    } else if (pair) {
      args = {a[0], inlineFormula(builder, loc, activation.forward, {a[0]}, layer.activation.params)[0], t};
    }
    Value result = inlineFormula(builder, loc, formula, args, network.loss.params)[0];
    builder.create<net::YieldOp>(loc, ValueRange{builder.create<arith::MulFOp>(loc, result, weight)});
  };
  fill(op.getValue(), pair ? pair->value : record.value);
  if (pair)
    fill(op.getDelta(), pair->delta);
  builder.create<net::ReportOp>(loc, "loss", op.getSum());
}

void Importer::entry(StringRef name, Mode mode) {
  OpBuilder::InsertionGuard guard(builder);
  auto op = builder.create<net::EntryOp>(builder.getUnknownLoc(), name);
  builder.createBlock(&op.getBody());
  outputs.clear();
  for (int index : network.order) {
    const frontend::Layer &layer = network.layers[index];
    if (layer.kind == LayerKind::Input) {
      outputs[index] = inputLayer(index, mode);
      continue;
    }
    Value z = preActivation(index);
    outputs[index] = regularised(index, activate(index, z), mode);
    if (layer.kind != LayerKind::Output)
      continue;
    if (mode == Mode::Predict)
      builder.create<net::RankOp>(at(layer), outputs[index], builder.getStrArrayAttr({layer.name}));
    else
      loss(index, z);
  }
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
  return builder.getDictionaryAttr(items);
}

OwningOpRef<ModuleOp> Importer::run() {
  context.loadDialect<net::NetDialect, arith::ArithDialect, math::MathDialect>();
  OwningOpRef<ModuleOp> owner = ModuleOp::create(FileLineColLoc::get(&context, network.file, 1, 1));
  module = *owner;
  builder.setInsertionPointToEnd(module.getBody());
  parameters();
  const vocab::Optimizer *own = network.optimizer.record;
  for (const vocab::Optimizer &record : vocab::optimizers()) {
    optimizer(record);
    own = own == &record ? nullptr : own;
  }
  if (own) // a record that no table holds
    optimizer(*own);
  entry("train", Mode::Train);
  entry("evaluate", Mode::Evaluate);
  entry("predict", Mode::Predict);
  module->setAttr("net.name", builder.getStringAttr(network.name));
  module->setAttr("net.training", training());
  return owner;
}
} // namespace

OwningOpRef<ModuleOp> importNetwork(MLIRContext &context, const frontend::Network &network) {
  return Importer(context, network).run();
}
} // namespace sn
