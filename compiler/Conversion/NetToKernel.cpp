// net-to-kernel: which operations become one kernel. The wide schemas first (WideSchemas.cpp), then contractions with
// their epilogues, row and column reductions, updates, and what is left as maps. Knows shapes and uses, no record and
// no layer.
#include "compiler/Conversion/NetToKernel.h"
#include "compiler/Transforms/FormulaAd.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sn {
#define GEN_PASS_DEF_NETTOKERNEL
#include "compiler/Transforms/Passes.h.inc"

void replaceAndErase(Operation *op, ValueRange values) {
  op->replaceAllUsesWith(values);
  op->erase();
}

SmallVector<Value> EntryLowering::copyFormula(OpBuilder &builder, Region &formula, ValueRange args) {
  return cloneFormula(builder, formula.front(), args);
}

/// Adds the sources of a forward or source-gradient contraction.
static void addSources(KernelBuilder &kernel, net::ContractOp contract) {
  for (auto [lhs, rhs] : llvm::zip(contract.getLhs(), contract.getRhs()))
    kernel.source(lhs, rhs, contract.getTransposeB());
}

static StringRef contractionSchema(net::ContractOp contract) {
  return dataChain(contract.getLhs()[0]) ? "csr_gather" : "gemm";
}

/// A map whose last contraction operand has no other user becomes that contraction's epilogue.
bool EntryLowering::lowerEpilogue(net::MapOp map) {
  net::ContractOp contract;
  for (Value input : map.getInputs())
    if (auto op = input.getDefiningOp<net::ContractOp>();
        op && !op.getTransposeA() && op->hasOneUse() && (!contract || contract->isBeforeInBlock(op)))
      contract = op;
  if (!contract)
    return false;
  KernelBuilder kernel(map.getContext(), map.getLoc());
  addSources(kernel, contract);
  SmallVector<kernel::ArgAttr> args, places;
  for (Value input : map.getInputs())
    args.push_back(input == contract.getResult() ? kernel.arg("accumulator") : kernel.bind(input));
  for (Type type : map.getResultTypes())
    places.push_back(kernel.arg("element", kernel.result(type)));
  kernel.slot("epilogue", args, places, false,
              [&](OpBuilder &b, ValueRange values) { return copyFormula(b, map.getFormula(), values); });
  kernel.setText("remark", "contraction and what follows it in one kernel: the pre-activation is not stored");
  Operation *op = kernel.create(contractionSchema(contract), map);
  replaceAndErase(map, op->getResults());
  contract.erase();
  return true;
}

void EntryLowering::lowerContract(net::ContractOp contract) {
  KernelBuilder kernel(contract.getContext(), contract.getLoc());
  addSources(kernel, contract);
  kernel::ArgAttr place = kernel.arg("element", kernel.result(contract.getType()));
  kernel.slot("epilogue", {kernel.arg("accumulator")}, {place}, false,
              [](OpBuilder &, ValueRange values) { return SmallVector<Value>(values); });
  replaceAndErase(contract, kernel.create(contractionSchema(contract), contract)->getResults());
}

/// A weight gradient and its update.
LogicalResult EntryLowering::lowerWeightUpdate(net::ContractOp contract) {
  auto update = contract->hasOneUse() ? dyn_cast<net::UpdateOp>(*contract->user_begin()) : net::UpdateOp();
  if (!update || contract.getLhs().size() != 1)
    return contract.emitError("a weight gradient must have one contribution and one update");
  Value x = contract.getLhs()[0];
  OpBuilder builder(contract);
  Value weights = builder.create<net::ReadOp>(contract.getLoc(), contract.getType(), update.getParameter());
  KernelBuilder kernel(contract.getContext(), update.getLoc());
  kernel.source(x, weights);
  kernel.appendInput(contract.getRhs()[0]);
  kernel.set("update", builder.getUnitAttr());
  bool data = bool(dataChain(x));
  kernel.setText("remark", data ? "gradient summed per stored feature and applied row by row: never stored"
                                : "gradient and update tile by tile: the gradient is not stored");
  kernel.create(data ? "csc_update" : "gemm_update", update);
  update.erase();
  contract.erase();
  return success();
}

/// Batch sums: of deltas into bias updates, of outputs into vectors.
void EntryLowering::lowerColumnSum(net::ColumnSumOp sum) {
  SmallVector<net::UpdateOp> updates;
  bool read = false;
  for (Operation *user : sum->getUsers())
    if (auto update = dyn_cast<net::UpdateOp>(user))
      updates.push_back(update);
    else
      read = true;
  llvm::sort(updates, [](net::UpdateOp a, net::UpdateOp b) { return a->isBeforeInBlock(b); });
  auto build = [&](Operation *position, bool finish) {
    KernelBuilder kernel(sum.getContext(), position->getLoc());
    kernel.slot("value", {kernel.bind(sum.getInput())}, {kernel.arg("delta")}, false,
                [](OpBuilder &, ValueRange values) { return SmallVector<Value>(values); });
    if (finish) {
      kernel::ArgAttr place = kernel.arg("column", kernel.result(sum.getType()));
      kernel.slot("finish", {kernel.arg("accumulator")}, {place}, false,
                  [](OpBuilder &, ValueRange values) { return SmallVector<Value>(values); });
    } else {
      SmallVector<StringRef> biases;
      for (net::UpdateOp update : updates)
        biases.push_back(update.getParameter());
      kernel.setTexts("biases", biases);
      kernel.set("update", UnitAttr::get(sum.getContext()));
    }
    return kernel.create("column_reduce", position);
  };
  if (!updates.empty()) {
    build(updates.back(), false);
    for (net::UpdateOp update : updates)
      update.erase();
  }
  if (read)
    sum.replaceAllUsesWith(build(sum, true)->getResult(0));
  sum.erase();
}

/// Row reductions that feed each other (a soft-max's maximum and sum) and the map that uses them, if that is the first
/// reader.
void EntryLowering::lowerRowReduce(net::RowReduceOp first) {
  llvm::SetVector<Operation *> group;
  group.insert(first);
  auto known = [&](Value v) {
    return group.contains(v.getDefiningOp()) || llvm::is_contained(first.getInputs(), v) || !parameterOf(v).empty();
  };
  for (Operation *op = first->getNextNode(); op; op = op->getNextNode())
    if (auto next = dyn_cast<net::RowReduceOp>(op); next && llvm::all_of(next.getInputs(), known))
      group.insert(next);
  Operation *last = group.back();
  net::MapOp body;
  for (Operation *op = last->getNextNode(); op && !body; op = op->getNextNode())
    if (llvm::any_of(op->getOperands(), [&](Value v) { return group.contains(v.getDefiningOp()); })) {
      body = dyn_cast<net::MapOp>(op);
      if (!body)
        break;
    }
  Operation *position = body ? body.getOperation() : last->getNextNode();
  KernelBuilder kernel(first.getContext(), first.getLoc());
  SmallVector<StringRef> kinds;
  auto bindMember = [&](Value value) {
    for (auto [index, member] : llvm::enumerate(group))
      if (value == member->getResult(0))
        return kernel.arg("reduction", static_cast<int64_t>(index));
    return kernel.bind(value);
  };
  auto bindMembers = [&](ValueRange values) { return llvm::map_to_vector(values, bindMember); };
  for (auto [index, member] : llvm::enumerate(group)) {
    auto reduce = cast<net::RowReduceOp>(member);
    kinds.push_back(reduce.getKind());
    kernel.result(reduce.getType());
    kernel.slot("reduce" + std::to_string(index), bindMembers(reduce.getInputs()), {kernel.arg("delta")}, false,
                [&](OpBuilder &b, ValueRange values) { return copyFormula(b, reduce.getFormula(), values); });
  }
  if (body) {
    SmallVector<kernel::ArgAttr> args = bindMembers(body.getInputs()), places;
    for (Type type : body.getResultTypes())
      places.push_back(kernel.arg("element", kernel.result(type)));
    kernel.slot("body", args, places, false,
                [&](OpBuilder &b, ValueRange values) { return copyFormula(b, body.getFormula(), values); });
  }
  kernel.setTexts("reductions", kinds);
  Operation *op = kernel.create("row_reduce", position);
  for (auto [index, member] : llvm::enumerate(group))
    member->getResult(0).replaceAllUsesWith(op->getResult(index));
  if (body)
    replaceAndErase(body, op->getResults().drop_front(group.size()));
  for (Operation *member : llvm::reverse(group))
    member->erase();
}

void EntryLowering::lowerMap(net::MapOp map) {
  KernelBuilder kernel(map.getContext(), map.getLoc());
  SmallVector<kernel::ArgAttr> args = kernel.bindAll(map.getInputs()), places;
  for (Type type : map.getResultTypes())
    places.push_back(kernel.arg("element", kernel.result(type)));
  kernel.slot("body", args, places, false,
              [&](OpBuilder &b, ValueRange values) { return copyFormula(b, map.getFormula(), values); });
  replaceAndErase(map, kernel.create("map", map)->getResults());
}

template <typename Op> static SmallVector<Op> collect(net::EntryOp entry) {
  auto range = entry.getBody().getOps<Op>();
  return SmallVector<Op>(range.begin(), range.end());
}

LogicalResult EntryLowering::run() {
  for (net::LossOp loss : collect<net::LossOp>(entry))
    lowerLoss(loss);
  for (net::RankOp rank : collect<net::RankOp>(entry))
    lowerRank(rank);
  for (net::RowReduceOp reduce; (reduce = firstOf<net::RowReduceOp>());)
    lowerRowReduce(reduce);
  for (net::MapOp map : collect<net::MapOp>(entry))
    if (!lowerEpilogue(map))
      lowerMap(map);
  for (net::ContractOp contract : collect<net::ContractOp>(entry)) {
    if (!contract.getTransposeA())
      lowerContract(contract);
    else if (failed(lowerWeightUpdate(contract)))
      return failure();
  }
  for (net::ColumnSumOp sum : collect<net::ColumnSumOp>(entry))
    lowerColumnSum(sum);
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(entry.getBody().front())))
    if (isa<net::DataOp, net::CorruptOp, net::MaskOp, net::ReadOp, net::ScalarOp, net::TargetScalarOp>(op) &&
        op.use_empty())
      op.erase();
  return success();
}

namespace {
struct ToKernel : impl::NetToKernelBase<ToKernel> {
  using NetToKernelBase::NetToKernelBase;
  void runOnOperation() override {
    if (failed(EntryLowering(getOperation(), schedule).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace sn
