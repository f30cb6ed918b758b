// What a layer computes: sources, skips, batch normalization, activation, dropout and penalty, in this order (reference
// 1.5). Every record's formula is inlined as a region; nothing after the importer can tell which record it came from.
#include "compiler/Conversion/Importer.h"
#include <cmath>

using namespace mlir;
using sn::frontend::LayerKind;

namespace sn {
/// Added to a variance: the smallest that DSSTNE's library allows (reference 1.19).
static constexpr double kEpsilon = 1e-5;

static Value sum(OpBuilder &builder, Location loc, ArrayRef<Value> args) {
  Value sum = args[0];
  for (Value arg : args.drop_front())
    sum = builder.create<arith::AddFOp>(loc, sum, arg);
  return sum;
}

static bool usesBatchStatistics(const frontend::Layer &layer, Mode mode) {
  return layer.batchNormalization && (mode == Mode::Train || mode == Mode::Trial);
}

Value Importer::inputLayer(int index, Mode mode) {
  const frontend::Layer &layer = network.layers[index];
  Location loc = at(layer);
  Value data = builder.create<net::DataOp>(loc, batchOf(extent(index)), layer.dataSet);
  auto corrupt = [&](double p, const char *why) {
    if ((mode == Mode::Train || mode == Mode::Trial) && p > 0)
      data = builder.create<net::CorruptOp>(loc, data.getType(), data, APFloat(p), stream(why + (" " + layer.name)));
  };
  corrupt(layer.sparse ? network.denoisingP : 0, "denoising");
  corrupt(layer.pDropout, "dropout");
  return data;
}

SmallVector<Value> Importer::biases(int index) {
  const frontend::Layer &layer = network.layers[index];
  return llvm::map_to_vector(layer.sources, [&](int source) {
    return read(at(layer), pairName(source, index, "bias"), type({extent(index)}));
  });
}

StringAttr Importer::precision(const frontend::Layer &layer) {
  const plan::Precision chosen = layer.precision.value_or(network.precision);
  return chosen == plan::Precision::Fp32 ? StringAttr() : builder.getStringAttr(plan::nameOf(chosen));
}

/// Data sources one by one, the others in one contraction for each way of reading the matrix. Without the biases where
/// the mean of the batch is subtracted, and they with it: their gradient is zero then and not rounding errors, which
/// some optimizers would scale up.
Value Importer::preActivation(int index, Mode mode) {
  const frontend::Layer &layer = network.layers[index];
  Location loc = at(layer);
  net::ValueType result = batchOf(extent(index));
  SmallVector<Value> terms, dense[2], matrices[2];
  for (size_t source = 0; source < layer.sources.size(); ++source) {
    int from = layer.sources[source];
    const frontend::Sharing *shared = sharing(index, source);
    int ownerFrom = shared ? shared->ownerFrom : from, ownerTo = shared ? shared->ownerTo : index;
    bool transposed = shared && shared->transposed;
    Value matrix = read(loc, pairName(ownerFrom, ownerTo, "weights"), type({extent(ownerFrom), extent(ownerTo)}));
    Value x = outputs.at(from);
    if (network.layers[from].kind == LayerKind::Input) {
      terms.push_back(builder.create<net::ContractOp>(loc, result, ValueRange{x}, ValueRange{matrix}, false, transposed,
                                                      precision(layer)));
    } else {
      dense[transposed].push_back(x);
      matrices[transposed].push_back(matrix);
    }
  }
  for (bool transposed : {false, true})
    if (!dense[transposed].empty())
      terms.push_back(builder.create<net::ContractOp>(loc, result, dense[transposed], matrices[transposed], false,
                                                      transposed, precision(layer)));
  SmallVector<Value> inputs(terms);
  if (!usesBatchStatistics(layer, mode))
    llvm::append_range(inputs, biases(index));
  for (int skip : layer.skips)
    inputs.push_back(outputs.at(skip));
  return map(loc, result, inputs, [&](ArrayRef<Value> args) { return sum(builder, loc, args); });
}

/// Unit j compares source 0 with source j + 1: sums of products for each pair, its value for each example, and a matrix
/// of these.
Value Importer::compared(int index) {
  const frontend::Layer &layer = network.layers[index];
  const vocab::Pooling &record = *layer.pooling.record;
  Location loc = at(layer, record.name);
  SmallVector<Value> units;
  for (size_t pair = 1; pair < layer.sources.size(); ++pair) {
    SmallVector<Value> sums;
    for (const vocab::Formula &formula : record.products)
      sums.push_back(rowSum(loc, {outputs.at(layer.sources[0]), outputs.at(layer.sources[pair])},
                            [&](ArrayRef<Value> args) { return inlineFormula(builder, loc, formula, args, {})[0]; }));
    units.push_back(map(loc, rowType(), sums,
                        [&](ArrayRef<Value> args) { return inlineFormula(builder, loc, record.value, args, {})[0]; }));
  }
  if (units.size() > 1)
    units.push_back(builder.create<net::IotaOp>(loc, type({extent(index)})));
  return map(loc, batchOf(extent(index)), units, [&](ArrayRef<Value> args) {
    if (args.size() == 1)
      return args[0];
    Value value = args[args.size() - 2];
    for (size_t unit = args.size() - 2; unit-- > 0;) {
      Value limit = buildConstant(builder, loc, static_cast<double>(unit) + 0.5);
      Value mine = buildScalar(builder, loc, "lt", {args.back(), limit}); // or an earlier one's, which comes after
      value = buildScalar(builder, loc, "select", {mine, args[unit], value});
    }
    return value;
  });
}

Value Importer::pooled(int index) {
  const frontend::Layer &layer = network.layers[index];
  const vocab::Pooling &record = *layer.pooling.record;
  Location loc = at(layer, record.name);
  net::ValueType result = batchOf(extent(index));
  Value z;
  if (record.fold) {
    SmallVector<Value> inputs;
    for (int source : layer.sources)
      inputs.push_back(outputs.at(source));
    z = map(loc, result, inputs, [&](ArrayRef<Value> args) {
      Value folded = args[0];
      for (Value next : args.drop_front())
        folded = inlineFormula(builder, loc, record.fold, {folded, next}, {})[0];
      return folded;
    });
  } else {
    z = compared(index);
  }
  if (layer.skips.empty())
    return z;
  SmallVector<Value> inputs{z};
  for (int skip : layer.skips)
    inputs.push_back(outputs.at(skip));
  return map(loc, result, inputs, [&](ArrayRef<Value> args) { return sum(builder, loc, args); });
}

Value Importer::inverseDeviation(int index, Value variance) {
  Location loc = at(network.layers[index]);
  return map(loc, net::typeOf(variance), {variance}, [&](ArrayRef<Value> args) {
    Value deviation = buildScalar(builder, loc, "sqrt",
                                  {buildScalar(builder, loc, "add", {args[0], buildConstant(builder, loc, kEpsilon)})});
    return buildScalar(builder, loc, "div", {buildConstant(builder, loc, 1), deviation});
  });
}

Value Importer::scaledAndShifted(int index, Value z, Value mean, Value inverse) {
  Location loc = at(network.layers[index]);
  net::ValueType vector = net::typeOf(mean);
  Value scale = read(loc, layerName(index, "scale"), vector), shift = read(loc, layerName(index, "shift"), vector);
  return map(loc, net::typeOf(z), {z, mean, inverse, scale, shift}, [&](ArrayRef<Value> a) {
    Value normal = buildScalar(builder, loc, "mul", {buildScalar(builder, loc, "sub", {a[0], a[1]}), a[2]});
    return buildScalar(builder, loc, "add", {buildScalar(builder, loc, "mul", {a[3], normal}), a[4]});
  });
}

/// With the statistics of the batch, which in training also move the running ones: the mean of the first ten steps,
/// then a tenth of the way each step (T-32).
Value Importer::batchNormalized(int index, Value z, Mode mode) {
  Location loc = at(network.layers[index]);
  net::ValueType vector = type({extent(index)});
  auto columnSum = [&](Value matrix) -> Value { return builder.create<net::ColumnSumOp>(loc, vector, matrix); };
  auto times = [&](ArrayRef<Value> a) { return buildScalar(builder, loc, "mul", {a[0], a[1]}); };
  using plan::Expr;
  Expr batch(std::string("B")), one(1.0);
  Value share = scalar(loc, Expr("div", {one, batch}));
  Value mean = map(loc, vector, {columnSum(z), share}, times);
  Value squares = columnSum(map(loc, net::typeOf(z), {z, mean}, [&](ArrayRef<Value> a) {
    Value distance = buildScalar(builder, loc, "sub", {a[0], a[1]});
    return buildScalar(builder, loc, "mul", {distance, distance});
  }));
  Value y = scaledAndShifted(index, z, mean, inverseDeviation(index, map(loc, vector, {squares, share}, times)));
  if (mode == Mode::Train) {
    Value rate = scalar(loc, Expr("max", {Expr(0.1), Expr("div", {one, Expr(std::string("Step"))})}));
    Value unbiased = scalar(loc, Expr("div", {one, Expr("max", {one, Expr("sub", {batch, one})})}));
    SmallVector<Value> terms{mean};
    llvm::append_range(terms, biases(index));
    Value whole = map(loc, vector, terms, [&](ArrayRef<Value> args) { return sum(builder, loc, args); });
    moveTowards(index, "running_mean", whole, rate);
    moveTowards(index, "running_variance", map(loc, vector, {squares, unbiased}, times), rate);
  }
  return y;
}

void Importer::moveTowards(int index, StringRef what, Value value, Value rate) {
  Location loc = at(network.layers[index]);
  std::string name = layerName(index, what);
  Value old = read(loc, name, net::typeOf(value));
  Value next = map(loc, net::typeOf(value), {old, value, rate}, [&](ArrayRef<Value> a) {
    Value distance = buildScalar(builder, loc, "sub", {a[1], a[0]});
    return buildScalar(builder, loc, "add", {a[0], buildScalar(builder, loc, "mul", {a[2], distance})});
  });
  builder.create<net::AssignOp>(loc, name, next);
}

/// Batch normalization, and the bound on the delta behind it (reference 1.5, 1.21).
Value Importer::normalized(int index, Value z, Mode mode) {
  const frontend::Layer &layer = network.layers[index];
  Location loc = at(layer);
  if (usesBatchStatistics(layer, mode)) {
    z = batchNormalized(index, z, mode);
  } else if (layer.batchNormalization) {
    net::ValueType vector = type({extent(index)});
    Value mean = read(loc, layerName(index, "running_mean"), vector);
    Value variance = read(loc, layerName(index, "running_variance"), vector);
    z = scaledAndShifted(index, z, mean, inverseDeviation(index, variance));
  }
  if (layer.deltaNorm > 0 && mode == Mode::Train)
    z = builder.create<net::DeltaNormOp>(loc, z.getType(), z, APFloat(layer.deltaNorm));
  return z;
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
  if (!layer.activation.record) // a pooling layer's output is what it pools
    return z;
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

/// y times the mask; with alpha dropout A (1 - p) (mask (y - d) + d), which is A y + C or A d + C (Records.h).
Value Importer::dropped(Location loc, const frontend::Layer &layer, Value y, Value mask) {
  auto op = [&](StringRef name, ArrayRef<Value> args) { return buildScalar(builder, loc, name, args); };
  if (!layer.activation.record || !layer.activation.record->dropped)
    return op("mul", {y, mask});
  double p = layer.pDropout, q = 1 - p, d = 0;
  layer.activation.record->dropped.value(nullptr, layer.activation.params.data(), &d);
  double scale = q / std::sqrt(q + d * d * p * q);
  Value low = buildConstant(builder, loc, d), factor = buildConstant(builder, loc, scale);
  return op("mul", {factor, op("add", {op("mul", {mask, op("sub", {y, low})}), low})});
}

Value Importer::regularised(int index, Value y, Mode mode) {
  const frontend::Layer &layer = network.layers[index];
  Location loc = at(layer);
  if (mode != Mode::Train && mode != Mode::Trial)
    return y;
  if (layer.pDropout > 0) {
    Value mask =
        builder.create<net::MaskOp>(loc, y.getType(), APFloat(layer.pDropout), stream("dropout " + layer.name));
    y = map(loc, net::typeOf(y), {y, mask}, [&](ArrayRef<Value> a) { return dropped(loc, layer, a[0], a[1]); });
  }
  if (mode == Mode::Train && layer.kind == frontend::LayerKind::Hidden && layer.sparse && layer.sparsenessBeta > 0) {
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

void Importer::layer(int index, Mode mode) {
  const frontend::Layer &spec = network.layers[index];
  if (spec.kind == LayerKind::Input) {
    outputs[index] = inputLayer(index, mode);
    return;
  }
  Value z = spec.type == frontend::LayerType::Pooling ? pooled(index) : preActivation(index, mode);
  z = preActivations[index] = normalized(index, z, mode);
  outputs[index] = regularised(index, activate(index, z), mode);
}
} // namespace sn
