#include "compiler/Conversion/KernelBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sn {
kernel::ArgAttr KernelBuilder::arg(StringRef role, int64_t index, StringRef ref, double p) {
  return kernel::ArgAttr::get(builder.getContext(), role, index, ref,
                              p == 0 ? FloatAttr() : builder.getF64FloatAttr(p));
}

int KernelBuilder::appendInput(Value value) {
  auto found = llvm::find(inputs, value);
  if (found != inputs.end())
    return static_cast<int>(found - inputs.begin());
  inputs.push_back(value);
  return static_cast<int>(inputs.size()) - 1;
}

kernel::ArgAttr KernelBuilder::bind(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto mask = dyn_cast<net::MaskOp>(op))
    return arg("mask", static_cast<int64_t>(mask.getStream()), "", mask.getP().convertToDouble());
  if (auto read = dyn_cast<net::ReadOp>(op))
    return arg("column", -1, read.getParameter());
  if (isa<net::IotaOp>(op))
    return arg("index");
  if (auto scalar = dyn_cast<net::ScalarOp>(op))
    return arg("hyper", -1, scalar.getExpression());
  if (auto target = dyn_cast<net::TargetScalarOp>(op))
    return arg(("target." + target.getWhat()).str());
  net::ValueType type = net::typeOf(value);
  return arg(type.isMatrix() ? "element" : type.isRow() ? "row" : "column", appendInput(value));
}

SmallVector<kernel::ArgAttr> KernelBuilder::bindAll(ValueRange values) {
  SmallVector<kernel::ArgAttr> args;
  for (Value value : values)
    args.push_back(bind(value));
  return args;
}

void KernelBuilder::source(Value x, StringRef weights, SourceUse use) {
  SmallVector<NamedAttribute> fields;
  auto add = [&](StringRef name, Attribute value) { fields.push_back(builder.getNamedAttr(name, value)); };
  if (DataChain chain = x ? dataChain(x) : DataChain()) {
    add("data", chain.data.getDatasetAttr());
    SmallVector<Attribute> corruption;
    for (net::CorruptOp op : chain.corruptions)
      corruption.push_back(arg("mask", static_cast<int64_t>(op.getStream()), "", op.getP().convertToDouble()));
    add("corruption", builder.getArrayAttr(corruption));
  } else if (x) {
    add("operand", builder.getI64IntegerAttr(static_cast<int64_t>(sourceValues.size())));
    sourceValues.push_back(x);
  }
  if (!weights.empty())
    add("weights", builder.getStringAttr(weights));
  if (use.transposed)
    add("transposed", builder.getUnitAttr());
  if (use.gradient >= 0)
    add("gradient", builder.getI64IntegerAttr(use.gradient));
  if (use.weightGradient)
    add("weight_gradient", builder.getUnitAttr());
  if (use.scale != 1)
    add("scale", builder.getF64FloatAttr(use.scale));
  sources.push_back(builder.getDictionaryAttr(fields));
}

int KernelBuilder::result(Type type) {
  results.push_back(type);
  return static_cast<int>(results.size()) - 1;
}

void KernelBuilder::slot(StringRef name, ArrayRef<kernel::ArgAttr> args, ArrayRef<kernel::ArgAttr> places, bool sum,
                         Body body) {
  auto region = std::make_unique<Region>();
  Block *block = builder.createBlock(region.get());
  for (size_t i = 0; i < args.size(); ++i)
    block->addArgument(builder.getF32Type(), loc);
  SmallVector<Value> values = body(builder, block->getArguments());
  builder.create<net::YieldOp>(loc, values);
  regions.push_back(std::move(region));
  slotNames.push_back(builder.getStringAttr(name));
  bindings.push_back(builder.getArrayAttr(SmallVector<Attribute>(args)));
  outputs.push_back(builder.getArrayAttr(SmallVector<Attribute>(places)));
  if (sum)
    sums.push_back(builder.getStringAttr(name));
}

Operation *KernelBuilder::create(StringRef name, Operation *position) {
  builder.setInsertionPoint(position);
  return build(name);
}

Operation *KernelBuilder::append(StringRef name, Block &block) {
  builder.setInsertionPointToEnd(&block);
  return build(name);
}

Operation *KernelBuilder::build(StringRef name) {
  OperationState state(loc, "kernel." + name.str());
  state.addOperands(sourceValues);
  state.addOperands(inputs);
  state.addTypes(results);
  set("operandSegmentSizes",
      builder.getDenseI32ArrayAttr({static_cast<int>(sourceValues.size()), static_cast<int>(inputs.size())}));
  set("sources", builder.getArrayAttr(sources));
  set("slotNames", builder.getArrayAttr(slotNames));
  set("bindings", builder.getArrayAttr(bindings));
  set("outputs", builder.getArrayAttr(outputs));
  set("sums", builder.getArrayAttr(sums));
  if (!attributes.get("layers"))
    setTexts("layers", layerOf(loc));
  state.addAttributes(attributes);
  for (auto &region : regions)
    state.addRegion(std::move(region));
  return builder.create(state);
}

DataChain dataChain(Value value) {
  DataChain chain;
  while (auto corrupt = value.getDefiningOp<net::CorruptOp>()) {
    chain.corruptions.push_back(corrupt);
    value = corrupt.getData();
  }
  chain.data = value.getDefiningOp<net::DataOp>();
  return chain;
}

StringRef parameterOf(Value value) {
  auto read = value.getDefiningOp<net::ReadOp>();
  return read ? read.getParameter() : StringRef();
}

StringRef layerOf(Location loc) {
  auto name = dyn_cast<NameLoc>(loc);
  return name ? name.getName().getValue() : StringRef();
}

StringRef recordOf(Location loc) {
  auto name = dyn_cast<NameLoc>(loc);
  return name ? layerOf(name.getChildLoc()) : StringRef();
}
} // namespace sn
