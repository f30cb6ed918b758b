// Sums over the batch and what is formed of them: vectors of one value per unit, their maps and assignments.
#include "compiler/Conversion/NetToKernel.h"

using namespace mlir;

namespace sn {
static bool allColumns(TypeRange types) {
  return llvm::all_of(types, [](Type type) { return cast<net::ValueType>(type).isColumn(); });
}

/// The sum goes into updates, or through `after`'s formula, if there is one, into a vector.
void EntryLowering::reduceColumns(net::ColumnSumOp sum, ArrayRef<net::UpdateOp> updates, net::MapOp after) {
  Operation *position = after ? after.getOperation() : sum.getOperation();
  if (!updates.empty())
    position = net::UpdateOp(updates.back());
  KernelBuilder kernel(sum.getContext(), position->getLoc());
  auto before = sum.getInput().getDefiningOp<net::MapOp>();
  bool folds = before && before->hasOneUse() && before.getNumResults() == 1 && !epilogueOf(before);
  kernel.slot("value", folds ? kernel.bindAll(before.getInputs()) : kernel.bindAll(sum.getInput()),
              {kernel.arg("delta")}, false, [&](OpBuilder &b, ValueRange values) {
                return folds ? copyFormula(b, before.getFormula(), values) : SmallVector<Value>(values);
              });
  if (folds)
    kernel.setText("remark", "what is summed is formed on the way: it is not stored");
  if (updates.empty()) {
    SmallVector<kernel::ArgAttr> args{kernel.arg("accumulator")}, places;
    if (after) {
      args.clear();
      for (Value input : after.getInputs())
        args.push_back(input == sum.getResult() ? kernel.arg("accumulator") : kernel.bind(input));
    }
    for (Type type : after ? TypeRange(after.getResultTypes()) : TypeRange(sum->getResultTypes()))
      places.push_back(kernel.arg("column", kernel.result(type)));
    kernel.slot("finish", args, places, false, [&](OpBuilder &b, ValueRange values) {
      return after ? copyFormula(b, after.getFormula(), values) : SmallVector<Value>(values);
    });
  } else {
    SmallVector<StringRef> biases;
    for (net::UpdateOp update : updates)
      biases.push_back(update.getParameter());
    kernel.setTexts("biases", biases);
    kernel.set("update", UnitAttr::get(sum.getContext()));
  }
  Operation *op = kernel.create("column_reduce", position);
  if (after)
    replaceAndErase(after, op->getResults());
  else if (updates.empty())
    sum.replaceAllUsesWith(op->getResult(0));
  for (net::UpdateOp update : updates)
    update.erase();
  sum.erase();
  if (folds)
    before.erase();
}

/// Batch sums: of deltas into bias updates, of outputs into vectors.
void EntryLowering::lowerColumnSum(net::ColumnSumOp sum) {
  SmallVector<net::UpdateOp> updates;
  bool alone = true; // the updates have this gradient and no other
  SmallPtrSet<Operation *, 4> readers;
  for (Operation *user : sum->getUsers())
    if (auto update = dyn_cast<net::UpdateOp>(user)) {
      updates.push_back(update);
      alone &= update.getGradients().size() == 1;
    } else {
      readers.insert(user);
    }
  llvm::sort(updates, [](net::UpdateOp a, net::UpdateOp b) { return a->isBeforeInBlock(b); });
  if (!updates.empty() && readers.empty() && alone)
    return reduceColumns(sum, updates, {});
  auto after = updates.empty() && readers.size() == 1 ? dyn_cast<net::MapOp>(*readers.begin()) : net::MapOp();
  reduceColumns(sum, {}, after && allColumns(after.getResultTypes()) ? after : net::MapOp());
}

void EntryLowering::lowerVectorMap(net::MapOp map) {
  KernelBuilder kernel(map.getContext(), map.getLoc());
  SmallVector<kernel::ArgAttr> args = kernel.bindAll(map.getInputs()), places;
  for (Type type : map.getResultTypes())
    places.push_back(kernel.arg("column", kernel.result(type)));
  kernel.slot("body", args, places, false,
              [&](OpBuilder &b, ValueRange values) { return copyFormula(b, map.getFormula(), values); });
  replaceAndErase(map, kernel.create("map", map)->getResults());
}

/// A map over examples alone: its value is the sum over a row of one column.
void EntryLowering::lowerRowMap(net::MapOp map) {
  for (auto [index, result] : llvm::enumerate(map.getResults())) {
    KernelBuilder kernel(map.getContext(), map.getLoc());
    kernel.result(result.getType());
    kernel.slot("reduce0", kernel.bindAll(map.getInputs()), {kernel.arg("delta")}, false,
                [&, place = index](OpBuilder &b, ValueRange values) {
                  return SmallVector<Value>{copyFormula(b, map.getFormula(), values)[place]};
                });
    kernel.setTexts("reductions", {"sum"});
    kernel.set("columns", Builder(map.getContext()).getI64IntegerAttr(1));
    result.replaceAllUsesWith(kernel.create("row_reduce", map)->getResult(0));
  }
  map.erase();
}

/// The new value of a parameter that no optimizer updates, formed at the end of the step.
void EntryLowering::lowerAssign(net::AssignOp assign) {
  assign->moveBefore(assign->getBlock(), assign->getBlock()->end());
  auto map = assign.getValue().getDefiningOp<net::MapOp>();
  bool folds = map && map->hasOneUse() && map.getNumResults() == 1;
  KernelBuilder kernel(assign.getContext(), assign.getLoc());
  kernel.slot("body", kernel.bindAll(folds ? ValueRange(map.getInputs()) : ValueRange(assign.getValue())),
              {kernel.arg("column", -1, assign.getParameter())}, false, [&](OpBuilder &b, ValueRange values) {
                return folds ? copyFormula(b, map.getFormula(), values) : SmallVector<Value>(values);
              });
  kernel.set("columns", net::typeOf(assign.getValue()).getDims()[0]);
  kernel.create("map", assign);
  assign.erase();
  if (folds)
    map.erase();
}
} // namespace sn
