// net-to-kernel: which operations become one kernel. The wide schemas first (WideSchemas.cpp), then contractions with
// their epilogues, row and column reductions, updates, and what is left as maps. Knows shapes and uses, no record and
// no layer.
#include "compiler/Conversion/NetToKernel.h"
#include "compiler/Transforms/FormulaAd.h"
#include "llvm/ADT/MapVector.h"
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

/// Adds the sources of a forward or source-gradient contraction, and its precision.
static void addSources(KernelBuilder &kernel, net::ContractOp contract) {
  for (auto [lhs, rhs] : llvm::zip(contract.getLhs(), contract.getRhs()))
    kernel.source(lhs, parameterOf(rhs), {contract.getTransposeB()});
  kernel.setPrecision(contract);
}

static StringRef contractionSchema(net::ContractOp contract) {
  return dataChain(contract.getLhs()[0]) ? "csr_gather" : "gemm";
}

/// Data that something else than a contraction reads (a skip, a pooling) is written out once.
void EntryLowering::expandData() {
  llvm::MapVector<Value, SmallVector<OpOperand *>> readers;
  for (Operation &op : entry.getBody().front())
    for (Value result : op.getResults())
      if (dataChain(result))
        for (OpOperand &use : result.getUses())
          if (!isa<net::CorruptOp, net::ContractOp>(use.getOwner()))
            readers[result].push_back(&use);
  for (auto &[data, uses] : readers) {
    Operation *first = uses.front()->getOwner();
    for (OpOperand *use : uses)
      if (use->getOwner()->isBeforeInBlock(first))
        first = use->getOwner();
    KernelBuilder kernel(first->getContext(), dataChain(data).data.getLoc());
    kernel.source(data, "");
    kernel::ArgAttr place = kernel.arg("element", kernel.result(data.getType()));
    kernel.slot("epilogue", {kernel.arg("accumulator")}, {place}, false,
                [](OpBuilder &, ValueRange values) { return SmallVector<Value>(values); });
    kernel.setText("remark", "a reader takes the data unit by unit: the batch's rows are written out");
    Value expanded = kernel.create("expand", first)->getResult(0);
    for (OpOperand *use : uses)
      use->set(expanded);
  }
}

net::ContractOp epilogueOf(net::MapOp map) {
  net::ContractOp contract;
  for (Value input : map.getInputs())
    if (auto op = input.getDefiningOp<net::ContractOp>();
        op && !op.getTransposeA() && op->hasOneUse() && (!contract || contract->isBeforeInBlock(op)))
      contract = op;
  return contract;
}

/// A map whose last contraction operand has no other user becomes that contraction's epilogue.
bool EntryLowering::lowerEpilogue(net::MapOp map) {
  net::ContractOp contract = epilogueOf(map);
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

static Attribute unitsOfAny(ValueRange values) {
  for (Value value : values)
    if (net::typeOf(value).isMatrix())
      return net::unitsOf(net::typeOf(value));
  return {};
}

/// Of one row_reduce (docs/spec/plan.md).
constexpr size_t kMostReductions = 32;

/// The reductions that one pass over the rows can do: `first` and those behind it over some matrix that the group reads
/// already, as long as nothing else needs one of their results.
static llvm::SetVector<Operation *> reductionGroup(net::RowReduceOp first) {
  llvm::SetVector<Operation *> group;
  group.insert(first);
  SmallPtrSet<Value, 4> matrices;
  auto note = [&](net::RowReduceOp op) {
    for (Value input : op.getInputs())
      if (net::typeOf(input).isMatrix())
        matrices.insert(input);
  };
  note(first);
  auto inGroup = [&](Value value) { return group.contains(value.getDefiningOp()); };
  for (Operation *op = first->getNextNode(); op && group.size() < kMostReductions; op = op->getNextNode()) {
    auto next = dyn_cast<net::RowReduceOp>(op);
    bool joins = next && unitsOfAny(next.getInputs()) == unitsOfAny(first.getInputs()) &&
                 llvm::any_of(next.getInputs(), [&](Value v) { return matrices.contains(v) || inGroup(v); });
    if (!joins && llvm::any_of(op->getOperands(), inGroup))
      break;
    if (joins) {
      group.insert(op);
      note(next);
    }
  }
  return group;
}

/// Row reductions that share their operands (a soft-max's maximum and sum, a cosine's products) and the map that uses
/// them, if that is the first reader and as wide.
void EntryLowering::lowerRowReduce(net::RowReduceOp first) {
  llvm::SetVector<Operation *> group = reductionGroup(first);
  Operation *last = group.back();
  net::MapOp body;
  for (Operation *op = last->getNextNode(); op && !body; op = op->getNextNode())
    if (llvm::any_of(op->getOperands(), [&](Value v) { return group.contains(v.getDefiningOp()); })) {
      body = dyn_cast<net::MapOp>(op);
      if (body && unitsOfAny(body.getResults()) != unitsOfAny(first.getInputs()))
        body = {};
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

LogicalResult EntryLowering::lowerMap(net::MapOp map) {
  auto results = llvm::map_to_vector(map.getResults(), [](Value v) { return net::typeOf(v); });
  if (llvm::all_of(results, [](net::ValueType type) { return type.isColumn(); }))
    return lowerVectorMap(map), success();
  if (llvm::all_of(results, [](net::ValueType type) { return type.isRow(); }))
    return lowerRowMap(map), success();
  if (!llvm::all_of(results, [](net::ValueType type) { return type.isMatrix(); }))
    return map.emitError("gives values of different shapes");
  if (lowerEpilogue(map))
    return success();
  KernelBuilder kernel(map.getContext(), map.getLoc());
  SmallVector<kernel::ArgAttr> args = kernel.bindAll(map.getInputs()), places;
  for (Type type : map.getResultTypes())
    places.push_back(kernel.arg("element", kernel.result(type)));
  kernel.slot("body", args, places, false,
              [&](OpBuilder &b, ValueRange values) { return copyFormula(b, map.getFormula(), values); });
  replaceAndErase(map, kernel.create("map", map)->getResults());
  return success();
}

LogicalResult EntryLowering::run() {
  for (net::DeltaNormOp norm : collect<net::DeltaNormOp>()) // of an entry that is not differentiated
    replaceAndErase(norm, norm.getInput());
  if (failed(splitMaps()))
    return failure();
  findGradients();
  expandData();
  for (net::LossOp loss : collect<net::LossOp>())
    lowerLoss(loss);
  for (net::RankOp rank : collect<net::RankOp>())
    lowerRank(rank);
  for (net::RowReduceOp reduce; (reduce = firstOf<net::RowReduceOp>());)
    lowerRowReduce(reduce);
  for (net::AssignOp assign : collect<net::AssignOp>())
    lowerAssign(assign);
  for (net::ColumnSumOp sum : collect<net::ColumnSumOp>())
    lowerColumnSum(sum);
  for (net::MapOp map : collect<net::MapOp>())
    if (failed(lowerMap(map)))
      return failure();
  for (net::UpdateOp update : collect<net::UpdateOp>())
    if (!gradientUses.contains(update.getParameter()))
      lowerVectorUpdate(update);
    else if (!update.getGradients().empty() && failed(lowerWeightUpdate(update)))
      return failure();
  for (net::ContractOp contract : collect<net::ContractOp>())
    lowerContract(contract);
  applyGathered();
  limitNorms();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(entry.getBody().front())))
    if (isa<net::DataOp, net::CorruptOp, net::MaskOp, net::ReadOp, net::ScalarOp, net::TargetScalarOp, net::IotaOp>(
            op) &&
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
