// The loss of an output layer against its target, with the stated delta where the vocabulary has one.
#include "compiler/Conversion/Importer.h"

using namespace mlir;

namespace sn {
/// [zero, binary, analog] factors, or null: all are one.
DenseF64ArrayAttr Importer::boost(const vocab::Activation *activation) {
  vocab::Boost kind = network.loss.record->boost;
  if (kind == vocab::Boost::Never || (activation && activation->row))
    return {};
  bool all = kind == vocab::Boost::Always || (activation && activation->unitInterval);
  double zero = all ? network.boostZero : 1, binary = all ? network.boostOne : 1, analog = network.boostOne;
  if (zero == 1 && binary == 1 && analog == 1)
    return {};
  return builder.getDenseF64ArrayAttr({zero, binary, analog});
}

void Importer::loss(int index) {
  const frontend::Layer &layer = network.layers[index];
  const vocab::Activation *activation = layer.activation.record;
  Value z = preActivations.at(index);
  const vocab::Loss &record = *network.loss.record;
  const vocab::Pair *pair =
      !activation || layer.pDropout > 0 ? nullptr : vocab::findPair(activation->name, record.name);
  Location loc = at(layer, record.name);
  auto scalar = [&](StringRef what) -> Value {
    return builder.create<net::TargetScalarOp>(loc, rowType(), layer.dataSet, what);
  };
  SmallVector<Value> inputs{pair ? z : outputs.at(index), scalar("weight")};
  if (pair && activation->row) {
    inputs.append({scalar("scale"), scalar("sum")});
    llvm::append_range(inputs, rowStatistics(*activation->row, z, loc, layer.activation.params));
  }
  bool indicator = record.indicator && !(activation && activation->row);
  auto op = builder.create<net::LossOp>(loc, type({}), Type(), inputs, layer.dataSet, indicator, boost(activation),
                                        builder.getStrArrayAttr({layer.name}));
  auto fill = [&](Region &region, const vocab::Formula &formula) {
    OpBuilder::InsertionGuard guard(builder);
    Block *block = openFormula(region, inputs.size() + 1, loc);
    SmallVector<Value> a(block->getArguments());
    Value t = a.back(), weight = a[1];
    SmallVector<Value> args{a[0], t};
    if (pair && activation->row) {
      ArrayRef<Value> statistics = ArrayRef<Value>(a).slice(4, inputs.size() - 4);
      SmallVector<Value> row{a[0]};
      llvm::append_range(row, statistics);
      Value y = inlineFormula(builder, loc, activation->row->value, row, layer.activation.params)[0];
      args = {a[0], y, t, a[2], a[3]};
      llvm::append_range(args, statistics);
    } else if (pair) {
      args = {a[0], inlineFormula(builder, loc, activation->forward, {a[0]}, layer.activation.params)[0], t};
    }
    Value result = inlineFormula(builder, loc, formula, args, network.loss.params)[0];
    builder.create<net::YieldOp>(loc, ValueRange{builder.create<arith::MulFOp>(loc, result, weight)});
  };
  fill(op.getValue(), pair ? pair->value : record.value);
  if (pair)
    fill(op.getDelta(), pair->delta);
  builder.create<net::ReportOp>(loc, "loss", op.getSum());
}
} // namespace sn
