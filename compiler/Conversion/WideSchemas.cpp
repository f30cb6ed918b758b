// The wide schemas: output layers as one kernel (wide_output, wide_softmax) and rankings (wide_topk). The legality
// rules of design.md section 3.
#include "compiler/Conversion/NetToKernel.h"
#include "compiler/Transforms/FormulaAd.h"
#include "compiler/Transforms/Formulas.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;

namespace sn {
namespace {
bool isMatrixBuffer(Value value) {
  return net::typeOf(value).isMatrix() && !isa_and_nonnull<net::MaskOp>(value.getDefiningOp());
}

/// sum's formula is exp(logit - maximum), where max's formula is the logit: what the statistics sweep of wide_softmax
/// computes.
bool isSumOfExp(net::RowReduceOp max, net::RowReduceOp sum) {
  Block &formula = sum.getFormula().front();
  auto exp = formula.getTerminator()->getOperand(0).getDefiningOp<math::ExpOp>();
  auto difference = exp ? exp.getOperand().getDefiningOp<arith::SubFOp>() : arith::SubFOp();
  auto subtrahend = difference ? dyn_cast<BlockArgument>(difference.getRhs()) : BlockArgument();
  if (!subtrahend || sum.getInputs()[subtrahend.getArgNumber()] != max.getResult())
    return false;
  // The minuend, cloned as a formula over max's inputs, must be max's formula.
  OpBuilder builder(sum.getContext());
  Region expected;
  Block *block = builder.createBlock(&expected);
  for (Value input : sum.getInputs()) {
    auto found = llvm::find(max.getInputs(), input);
    if (found == max.getInputs().end() && input != max.getResult())
      return false;
  }
  for (size_t i = 0; i < max.getInputs().size(); ++i)
    block->addArgument(builder.getF32Type(), sum.getLoc());
  IRMapping mapping;
  for (auto [input, argument] : llvm::zip(sum.getInputs(), formula.getArguments()))
    if (input != max.getResult())
      mapping.map(argument, block->getArgument(llvm::find(max.getInputs(), input) - max.getInputs().begin()));
  for (Operation &op : formula.without_terminator())
    if (&op != exp && &op != difference)
      builder.clone(op, mapping);
  builder.create<net::YieldOp>(sum.getLoc(), ValueRange{mapping.lookupOrDefault(difference.getLhs())});
  return OperationEquivalence::isRegionEquivalentTo(&expected, &max.getFormula(),
                                                    OperationEquivalence::IgnoreLocations);
}
} // namespace

std::optional<WideContraction> EntryLowering::matchContraction(Operation *consumer, ValueRange inputs) {
  WideContraction wide;
  SmallVector<Operation *> readers{consumer};
  for (Value input : inputs) {
    if (net::typeOf(input).isRow()) {
      if (auto reduce = input.getDefiningOp<net::RowReduceOp>()) {
        wide.statistics.push_back(reduce);
        readers.push_back(reduce);
      }
      continue;
    }
    if (!isMatrixBuffer(input))
      continue;
    auto contract = input.getDefiningOp<net::ContractOp>();
    if (!contract || wide.contract)
      return std::nullopt; // another matrix takes part
    wide.contract = contract;
  }
  if (!wide.contract || wide.contract.getTransposeA() || wide.contract.getTransposeB())
    return std::nullopt;
  for (Value x : wide.contract.getLhs())
    if (dataChain(x))
      return std::nullopt; // a wide input straight into a wide output
  for (Operation *user : wide.contract->getUsers())
    if (!llvm::is_contained(readers, user))
      return std::nullopt;
  if (wide.statistics.empty())
    return wide;
  bool isSoftmax = wide.statistics.size() == 2 && wide.statistics[0].getKind() == "max" &&
                   wide.statistics[1].getKind() == "sum" && isSumOfExp(wide.statistics[0], wide.statistics[1]);
  for (net::RowReduceOp reduce : wide.statistics)
    for (Operation *user : reduce->getUsers())
      isSoftmax &= llvm::is_contained(readers, user);
  if (!isSoftmax)
    return std::nullopt;
  return wide;
}

std::optional<WideBackprop> EntryLowering::matchBackprop(net::LossOp loss, net::ContractOp contract) {
  WideBackprop backprop;
  size_t sources = contract.getLhs().size();
  backprop.toSource.resize(sources);
  backprop.gradients.resize(sources);
  backprop.weightUpdates.resize(sources);
  for (Operation *user : loss.getDeltaResult().getUsers()) {
    if (auto sum = dyn_cast<net::ColumnSumOp>(user)) {
      backprop.biasSum = sum;
      for (Operation *reader : sum->getUsers()) {
        auto update = dyn_cast<net::UpdateOp>(reader);
        if (!update)
          return std::nullopt;
        backprop.biasUpdates.push_back(update);
      }
      continue;
    }
    auto product = dyn_cast<net::ContractOp>(user);
    if (!product || product.getLhs().size() != 1)
      return std::nullopt;
    bool matched = false;
    for (size_t s = 0; s < sources; ++s) {
      if (product.getTransposeB() && parameterOf(product.getRhs()[0]) == parameterOf(contract.getRhs()[s])) {
        backprop.toSource[s] = product;
        matched = true;
      } else if (product.getTransposeA() && product.getLhs()[0] == contract.getLhs()[s] && !backprop.gradients[s]) {
        auto update = product->hasOneUse() ? dyn_cast<net::UpdateOp>(*product->user_begin()) : net::UpdateOp();
        if (!update || update.getParameter() != parameterOf(contract.getRhs()[s]))
          continue;
        backprop.gradients[s] = product;
        backprop.weightUpdates[s] = update;
        matched = true;
        break;
      }
    }
    if (!matched)
      return std::nullopt;
  }
  if (llvm::is_contained(backprop.gradients, net::ContractOp()))
    return std::nullopt;
  llvm::sort(backprop.biasUpdates, [](net::UpdateOp a, net::UpdateOp b) { return a->isBeforeInBlock(b); });
  return backprop;
}

bool EntryLowering::readOnlyBy(StringRef parameter, llvm::function_ref<bool(Operation *)> inside) {
  for (net::ReadOp read : entry.getBody().getOps<net::ReadOp>())
    if (read.getParameter() == parameter && !llvm::all_of(read->getUsers(), inside))
      return false;
  return true;
}

std::string EntryLowering::chooseSchedule(const WideContraction &wide, const WideBackprop &backprop, net::LossOp loss,
                                          std::string &why) {
  auto inside = [&](Operation *op) {
    return op == loss || op == wide.contract || llvm::is_contained(wide.statistics, op) ||
           llvm::is_contained(backprop.toSource, op);
  };
  SmallVector<StringRef> parameters;
  for (net::UpdateOp update : backprop.weightUpdates)
    parameters.push_back(update.getParameter());
  for (net::UpdateOp update : backprop.biasUpdates)
    parameters.push_back(update.getParameter());
  bool single = llvm::all_of(parameters, [&](StringRef parameter) { return readOnlyBy(parameter, inside); });
  if (single && forced != "recompute") {
    why = "single: the kernel holds the only gradient and the last read of " + llvm::join(parameters, ", ") +
          "; the batch x outputs delta is never stored";
    return "single";
  }
  why = forced == "recompute" ? "recompute: as asked for" : "recompute: a parameter is read again later in the step";
  return "recompute";
}

/// background (t = 0), stored (replaces it: the sum gains l(t) - l(0)), stored_only (zeros ignored) and dense.
void EntryLowering::targetSlots(KernelBuilder &kernel, net::LossOp loss, ArrayRef<kernel::ArgAttr> inputs,
                                kernel::ArgAttr delta) {
  SmallVector<kernel::ArgAttr> places;
  if (delta)
    places.push_back(delta);
  SmallVector<kernel::ArgAttr> withTarget(inputs);
  withTarget.push_back(kernel.arg("target"));
  enum class Sum { Value, Replace };
  auto body = [&](Sum sum, std::optional<double> fixed) {
    return [&loss, &delta, sum, fixed](OpBuilder &b, ValueRange args) {
      unsigned inputs = loss.getInputs().size();
      SmallVector<Value> a(args.take_front(inputs)), zero(a), results;
      a.push_back(fixed ? buildConstant(b, loss.getLoc(), *fixed) : args.back());
      if (delta)
        results.push_back(copyFormula(b, loss.getDelta(), a)[0]);
      Value value = copyFormula(b, loss.getValue(), a)[0];
      if (sum == Sum::Replace) {
        zero.push_back(buildConstant(b, loss.getLoc(), 0));
        value = b.create<arith::SubFOp>(loss.getLoc(), value, copyFormula(b, loss.getValue(), zero)[0]);
      }
      results.push_back(value);
      return results;
    };
  };
  std::optional<double> stored = loss.getIndicator() ? std::optional<double>(1) : std::nullopt;
  kernel.slot("background", inputs, places, true, body(Sum::Value, 0.0));
  kernel.slot("stored", withTarget, places, true, body(Sum::Replace, stored));
  kernel.slot("stored_only", withTarget, places, true, body(Sum::Value, stored));
  kernel.slot("dense", withTarget, places, true, body(Sum::Value, std::nullopt));
  kernel.set("target", loss.getTargetAttr());
}

SmallVector<kernel::ArgAttr> EntryLowering::wideArgs(KernelBuilder &kernel, ValueRange inputs, WideContraction &wide) {
  return llvm::map_to_vector(inputs, [&](Value input) {
    if (input == wide.contract.getResult())
      return kernel.arg("accumulator");
    auto found = llvm::find(wide.statistics, input.getDefiningOp());
    if (found != wide.statistics.end())
      return kernel.arg("reduction", found - wide.statistics.begin());
    return kernel.bind(input);
  });
}

void EntryLowering::logitSlot(KernelBuilder &kernel, WideContraction &wide) {
  if (wide.statistics.empty())
    return;
  net::RowReduceOp max = wide.statistics[0];
  kernel.slot("logit", wideArgs(kernel, max.getInputs(), wide), {kernel.arg("delta")}, false,
              [&](OpBuilder &b, ValueRange args) { return copyFormula(b, max.getFormula(), args); });
  kernel.setTexts("reductions", {"max", "sum"});
}

static void eraseStatistics(WideContraction &wide) {
  for (net::RowReduceOp reduce : llvm::reverse(wide.statistics))
    reduce.erase();
  wide.contract.erase();
}

bool EntryLowering::lowerWideLoss(net::LossOp loss, StringRef report) {
  std::optional<WideContraction> wide = matchContraction(loss, loss.getInputs());
  if (!wide || forced == "unfused")
    return false;
  std::optional<WideBackprop> backprop;
  std::string why = "contraction and loss tile by tile: the outputs are not stored", schedule = "loss";
  if (loss.getDeltaResult()) {
    backprop = matchBackprop(loss, wide->contract);
    if (!backprop)
      return false;
    schedule = chooseSchedule(*wide, *backprop, loss, why);
  }
  KernelBuilder kernel(loss.getContext(), loss.getLoc());
  for (auto [index, lhs, rhs] : llvm::enumerate(wide->contract.getLhs(), wide->contract.getRhs())) {
    bool needed = backprop && backprop->toSource[index];
    kernel.source(lhs, rhs, false, needed ? kernel.result(lhs.getType()) : -1);
  }
  logitSlot(kernel, *wide);
  targetSlots(kernel, loss, wideArgs(kernel, loss.getInputs(), *wide),
              backprop ? kernel.arg("delta") : kernel::ArgAttr());
  kernel.setText("schedule", schedule);
  kernel.setText("remark", why);
  kernel.setText("report", report);
  kernel.set("layers", loss.getLayers());
  if (backprop) {
    SmallVector<StringRef> biases;
    for (net::UpdateOp update : backprop->biasUpdates)
      biases.push_back(update.getParameter());
    kernel.setTexts("biases", biases);
    kernel.set("update", UnitAttr::get(loss.getContext()));
  }
  Operation *op = kernel.create(wide->statistics.empty() ? "wide_output" : "wide_softmax", loss);
  if (backprop) {
    unsigned result = 0;
    for (net::ContractOp product : backprop->toSource)
      if (product)
        replaceAndErase(product, op->getResult(result++));
    for (net::UpdateOp update : llvm::concat<net::UpdateOp>(backprop->weightUpdates, backprop->biasUpdates))
      update.erase();
    for (net::ContractOp gradient : backprop->gradients)
      gradient.erase();
    if (backprop->biasSum)
      backprop->biasSum.erase();
  }
  loss.erase();
  eraseStatistics(*wide);
  return true;
}

void EntryLowering::lowerLoss(net::LossOp loss) {
  std::string report;
  for (Operation *user : llvm::make_early_inc_range(loss.getSum().getUsers()))
    if (auto op = dyn_cast<net::ReportOp>(user)) {
      report = op.getName().str();
      op.erase();
    }
  if (lowerWideLoss(loss, report))
    return;
  KernelBuilder kernel(loss.getContext(), loss.getLoc());
  kernel::ArgAttr delta;
  SmallVector<kernel::ArgAttr> args = kernel.bindAll(loss.getInputs());
  if (loss.getDeltaResult())
    delta = kernel.arg("element", kernel.result(loss.getDeltaResult().getType()));
  targetSlots(kernel, loss, args, delta);
  kernel.setText("report", report);
  kernel.setText("remark", forced == "unfused"
                               ? "unfused: as asked for"
                               : "unfused: the layer has a source or a reader that the wide schemas do not cover");
  kernel.set("layers", loss.getLayers());
  Operation *op = kernel.create("map", loss);
  if (loss.getDeltaResult())
    loss.getDeltaResult().replaceAllUsesWith(op->getResult(0));
  loss.erase();
}

/// scores = formula(contraction, ...) -> wide_topk; a soft-max's statistics come from a wide_softmax sweep of their
/// own.
void EntryLowering::lowerRank(net::RankOp rank) {
  auto map = rank.getScores().getDefiningOp<net::MapOp>();
  bool alone = map && map->hasOneUse() && map.getNumResults() == 1;
  std::optional<WideContraction> wide;
  if (alone)
    wide = matchContraction(map, map.getInputs());
  KernelBuilder kernel(rank.getContext(), rank.getLoc());
  kernel.set("layers", rank.getLayers());
  if (!wide) {
    kernel.slot("score", {kernel.bind(rank.getScores())}, {kernel.arg("delta")}, false,
                [](OpBuilder &, ValueRange values) { return SmallVector<Value>(values); });
    kernel.create("wide_topk", rank);
    rank.erase();
    return;
  }
  auto addSources = [&](KernelBuilder &to) {
    for (auto [lhs, rhs] : llvm::zip(wide->contract.getLhs(), wide->contract.getRhs()))
      to.source(lhs, rhs);
  };
  if (!wide->statistics.empty()) {
    KernelBuilder sweep(rank.getContext(), rank.getLoc());
    addSources(sweep);
    logitSlot(sweep, *wide);
    for (net::RowReduceOp reduce : wide->statistics)
      sweep.result(reduce.getType());
    sweep.setText("schedule", "statistics");
    sweep.set("layers", rank.getLayers());
    Operation *op = sweep.create("wide_softmax", rank);
    for (auto [reduce, result] : llvm::zip(wide->statistics, op->getResults()))
      reduce.getResult().replaceAllUsesWith(result);
  }
  addSources(kernel);
  SmallVector<kernel::ArgAttr> args = llvm::map_to_vector(map.getInputs(), [&](Value input) {
    return input == wide->contract.getResult() ? kernel.arg("accumulator") : kernel.bind(input);
  });
  kernel.slot("score", args, {kernel.arg("delta")}, false,
              [&](OpBuilder &b, ValueRange values) { return copyFormula(b, map.getFormula(), values); });
  kernel.setText("remark", "contraction, scores and ranking tile by tile: the scores are not stored");
  kernel.create("wide_topk", rank);
  rank.erase();
  map.erase();
  eraseStatistics(*wide);
}
} // namespace sn
