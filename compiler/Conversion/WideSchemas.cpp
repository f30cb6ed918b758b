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

/// The products among a consumer's operands, by which a wide schema could be keyed.
static SmallVector<net::ContractOp> productsAmong(ValueRange inputs) {
  SmallVector<net::ContractOp> products;
  for (Value input : inputs)
    if (auto contract = input.getDefiningOp<net::ContractOp>())
      products.push_back(contract);
  return products;
}

/// Other matrices (a skip source, expanded data) are element operands.
std::optional<WideContraction> EntryLowering::matchContraction(Operation *consumer, ValueRange inputs) {
  WideContraction wide;
  auto refuse = [&](const char *why) {
    refusal = why;
    return std::nullopt;
  };
  SmallVector<net::ContractOp> products = productsAmong(inputs);
  if (products.empty())
    return refuse("the layer has no product of its own, or it is read by others as well");
  if (products.size() > 1)
    return refuse("the layer adds products that are formed apart: a wide input's beside others, or transposed ones");
  wide.contract = products[0];
  if (wide.contract.getTransposeA())
    return std::nullopt;
  SmallVector<Operation *> readers{consumer};
  for (Value input : inputs)
    if (auto reduce = input.getDefiningOp<net::RowReduceOp>()) {
      wide.statistics.push_back(reduce);
      readers.push_back(reduce);
    }
  for (Value x : wide.contract.getLhs())
    if (dataChain(x))
      return refuse("the layer's source is a wide input");
  for (Operation *user : wide.contract->getUsers())
    if (!llvm::is_contained(readers, user))
      return refuse("its pre-activation has another reader");
  if (wide.statistics.empty())
    return wide;
  bool isSoftmax = wide.statistics.size() == 2 && wide.statistics[0].getKind() == "max" &&
                   wide.statistics[1].getKind() == "sum" &&
                   llvm::is_contained(wide.statistics[0].getInputs(), wide.contract.getResult()) &&
                   isSumOfExp(wide.statistics[0], wide.statistics[1]);
  for (net::RowReduceOp reduce : wide.statistics)
    for (Operation *user : reduce->getUsers())
      isSoftmax &= llvm::is_contained(readers, user);
  if (!isSoftmax)
    return refuse("it needs row statistics other than a soft-max's");
  return wide;
}

/// A product with the delta: to a source that has none yet, or a weight gradient.
bool EntryLowering::matchProduct(net::ContractOp product, net::ContractOp contract, WideBackprop &backprop) {
  if (product.getLhs().size() != 1)
    return false;
  if (product.getPrecision() != contract.getPrecision()) // of another user of the matrix: one step, one precision
    return false;
  bool transposed = contract.getTransposeB();
  for (auto [s, source] : llvm::enumerate(contract.getLhs())) {
    StringRef weights = parameterOf(contract.getRhs()[s]);
    if (!product.getTransposeA()) {
      if (product.getTransposeB() != transposed && !backprop.toSource[s] &&
          parameterOf(product.getRhs()[0]) == weights) {
        backprop.toSource[s] = product;
        return true;
      }
      continue;
    }
    // x^T delta, or delta^T x of a transposed matrix
    Value x = transposed ? product.getRhs()[0] : product.getLhs()[0];
    if (x != source || backprop.gradients[s])
      continue;
    auto update = product->hasOneUse() ? dyn_cast<net::UpdateOp>(*product->user_begin()) : net::UpdateOp();
    if (!update || update.getParameter() != weights)
      continue;
    backprop.gradients[s] = product;
    backprop.weightUpdates[s] = update;
    return true;
  }
  return false;
}

/// delta -> sum of squares -> scaled delta, and nothing else reads the first two.
DeltaBound EntryLowering::matchBound(net::LossOp loss) {
  DeltaBound bound;
  Value delta = loss.getDeltaResult();
  for (Operation *user : delta.getUsers())
    if (auto reduce = dyn_cast<net::RowReduceOp>(user))
      bound.squares = reduce;
    else if (auto map = dyn_cast<net::MapOp>(user))
      bound.scaled = map;
    else
      return {};
  if (!bound.squares || !bound.scaled || bound.scaled.getNumResults() != 1 || bound.squares.getKind() != "sum" ||
      bound.squares->getNumOperands() != 1 || !bound.squares->hasOneUse() || llvm::range_size(delta.getUsers()) != 2)
    return {};
  Block &formula = bound.squares.getFormula().front();
  auto square = formula.getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>();
  bool squares = square && square.getLhs() == formula.getArgument(0) && square.getRhs() == formula.getArgument(0);
  bool reads =
      llvm::all_of(bound.scaled.getInputs(), [&](Value v) { return v == delta || v == bound.squares.getResult(); });
  return squares && reads ? bound : DeltaBound();
}

std::optional<WideBackprop> EntryLowering::matchBackprop(Value delta, net::ContractOp contract) {
  WideBackprop backprop;
  size_t sources = contract.getLhs().size();
  backprop.toSource.resize(sources);
  backprop.gradients.resize(sources);
  backprop.weightUpdates.resize(sources);
  refusal = "its delta is needed as a whole: by a bound on its norm, a skip source or another layer";
  SmallPtrSet<Operation *, 8> users(delta.user_begin(), delta.user_end());
  for (Operation &op : entry.getBody().front()) { // in the block's order
    if (!users.contains(&op))
      continue;
    if (auto sum = dyn_cast<net::ColumnSumOp>(op)) {
      backprop.biasSum = sum;
      for (Operation *reader : sum->getUsers()) {
        auto update = dyn_cast<net::UpdateOp>(reader);
        if (!update || update.getGradients().size() != 1)
          return std::nullopt;
        backprop.biasUpdates.push_back(update);
      }
      continue;
    }
    auto product = dyn_cast<net::ContractOp>(op);
    if (!product || !matchProduct(product, contract, backprop))
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
    if (!gradientUse(update.getParameter()).gathered) // a gradient buffer changes nothing that is read
      parameters.push_back(update.getParameter());
  size_t matrices = parameters.size();
  for (net::UpdateOp update : backprop.biasUpdates)
    parameters.push_back(update.getParameter());
  bool single = llvm::all_of(parameters, [&](StringRef parameter) { return readOnlyBy(parameter, inside); });
  if (single && forced != "recompute") {
    why = "single: the kernel holds the only gradient and the last read of " + llvm::join(parameters, ", ") +
          (matrices == backprop.weightUpdates.size() ? "" : "; gradients of shared matrices go to buffers") +
          "; the batch x outputs delta is never stored";
    return "single";
  }
  why = forced == "recompute" ? "recompute: as asked for" : "recompute: a parameter is read again later in the step";
  return "recompute";
}

/// Only a divisor shows the sign of a zero, by which formulas tell a stored 0, -0.0, from what is not stored
/// (Records.h, Loss::value).
static bool tellsStoredZeros(net::LossOp loss) {
  auto divides = [](Region &region) {
    if (region.empty())
      return false;
    Value t = region.front().getArguments().back();
    return llvm::any_of(t.getUsers(), [&](Operation *user) {
      auto division = dyn_cast<arith::DivFOp>(user);
      return division && division.getRhs() == t;
    });
  };
  return divides(loss.getValue()) || divides(loss.getDelta());
}
static Value storedTarget(OpBuilder &b, net::LossOp loss, Value t) {
  Location loc = loss.getLoc();
  Value isZero = b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, t, buildConstant(b, loc, 0));
  return b.create<arith::SelectOp>(loc, isZero, buildConstant(b, loc, -0.0), t);
}

namespace {
/// What distinguishes the four target slots.
struct TargetForm {
  std::optional<double> fixed; // the target, if not an argument
  bool stored = false;         // of a stored entry: a zero among them is -0.0 where the formula tells it
  bool replaces = false;       // the sum gains l(t) - l(0)
  /// Factors of the delta: of a binary and of an analog target. Where they differ, the argument before t tells which.
  double binary = 1, analog = 1;
  bool chooses() const { return binary != analog; }
};
} // namespace

/// `args`: the loss's inputs; the sum of squares of the row's delta if `scaled`; whether the target is binary if the
/// form asks; the target.
static SmallVector<Value> targetBody(net::LossOp loss, bool delta, net::MapOp scaled, const TargetForm &form,
                                     OpBuilder &b, ValueRange args,
                                     llvm::function_ref<SmallVector<Value>(Region &, ValueRange)> copy) {
  Location loc = loss.getLoc();
  unsigned inputs = loss.getInputs().size();
  SmallVector<Value> a(args.take_front(inputs)), zero(a), results;
  a.push_back(form.fixed                              ? buildConstant(b, loc, *form.fixed)
              : form.stored && tellsStoredZeros(loss) ? storedTarget(b, loss, args.back())
                                                      : args.back());
  if (delta) {
    Value value = copy(loss.getDelta(), a)[0];
    Value factor;
    if (form.chooses())
      factor = buildScalar(b, loc, "select",
                           {buildScalar(b, loc, "gt", {args[inputs + (scaled ? 1 : 0)], buildConstant(b, loc, 0.5)}),
                            buildConstant(b, loc, form.binary), buildConstant(b, loc, form.analog)});
    else if (form.binary != 1)
      factor = buildConstant(b, loc, form.binary);
    if (factor)
      value = buildScalar(b, loc, "mul", {factor, value});
    if (scaled)
      value = copy(scaled.getFormula(), llvm::map_to_vector(ValueRange(scaled.getInputs()), [&](Value input) {
                     return input == loss.getDeltaResult() ? value : args[inputs];
                   }))[0];
    results.push_back(value);
  }
  Value value = copy(loss.getValue(), a)[0];
  if (form.replaces) {
    zero.push_back(buildConstant(b, loc, 0));
    value = b.create<arith::SubFOp>(loc, value, copy(loss.getValue(), zero)[0]);
  }
  results.push_back(value);
  return results;
}

/// background (t = 0), stored (replaces it: the sum gains l(t) - l(0)), stored_only (zeros ignored) and dense.
void EntryLowering::targetSlots(KernelBuilder &kernel, net::LossOp loss, ArrayRef<kernel::ArgAttr> inputs,
                                kernel::ArgAttr delta, net::MapOp scaled, kernel::ArgAttr norm) {
  SmallVector<kernel::ArgAttr> places;
  if (delta)
    places.push_back(delta);
  double zero = 1, binary = 1, analog = 1;
  if (std::optional<ArrayRef<double>> boost = loss.getBoost(); boost && delta)
    zero = (*boost)[0], binary = (*boost)[1], analog = (*boost)[2];
  auto slot = [&](StringRef name, const TargetForm &form, bool target) {
    SmallVector<kernel::ArgAttr> args(inputs);
    if (scaled)
      args.push_back(norm);
    if (form.chooses())
      args.push_back(kernel.arg("target.binary"));
    if (target)
      args.push_back(kernel.arg("target"));
    kernel.slot(name, args, places, true, [&](OpBuilder &b, ValueRange values) {
      return targetBody(loss, bool(delta), scaled, form, b, values,
                        [&](Region &formula, ValueRange operands) { return copyFormula(b, formula, operands); });
    });
  };
  std::optional<double> stored = loss.getIndicator() ? std::optional<double>(1) : std::nullopt;
  slot("background", {0.0, false, false, zero, zero}, false);
  slot("stored", {stored, true, true, binary, analog}, true);
  slot("stored_only", {stored, true, false, binary, analog}, true);
  slot("dense", {}, true);
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

/// A sweep of its own for the norms of the rows of delta.
Value EntryLowering::normSweep(net::LossOp loss, WideContraction &wide) {
  KernelBuilder sweep(loss.getContext(), loss.getLoc());
  for (auto [lhs, rhs] : llvm::zip(wide.contract.getLhs(), wide.contract.getRhs()))
    sweep.source(lhs, parameterOf(rhs), {wide.contract.getTransposeB()});
  sweep.setPrecision(wide.contract);
  targetSlots(sweep, loss, wideArgs(sweep, loss.getInputs(), wide), sweep.arg("delta"));
  sweep.result(net::valueType(loss.getContext(), {StringAttr::get(loss.getContext(), net::kBatch)}));
  sweep.setText("schedule", "norm");
  sweep.setText("remark",
                "the norms of the delta's rows tile by tile, before they are bounded: the delta is not stored");
  sweep.set("layers", loss.getLayers());
  return sweep.create("wide_output", loss)->getResult(0);
}

bool EntryLowering::lowerWideLoss(net::LossOp loss, StringRef report) {
  std::optional<WideContraction> wide = matchContraction(loss, loss.getInputs());
  if (forced == "unfused")
    refusal = "as asked for";
  if (!wide || forced == "unfused")
    return false;
  std::optional<WideBackprop> backprop;
  std::string why = "contraction and loss tile by tile: the outputs are not stored", schedule = "loss";
  DeltaBound bound;
  if (Value delta = loss.getDeltaResult()) {
    if (wide->statistics.empty()) // a soft-max's rows hold its own statistics
      bound = matchBound(loss);
    backprop = matchBackprop(bound.scaled ? bound.scaled.getResult(0) : delta, wide->contract);
    if (!backprop)
      return false;
    schedule = chooseSchedule(*wide, *backprop, loss, why);
  }
  Value norm = bound.scaled ? normSweep(loss, *wide) : Value();
  KernelBuilder kernel(loss.getContext(), loss.getLoc());
  bool updates = false; // a parameter; not if all gradients go to buffers
  for (auto [index, lhs, rhs] : llvm::enumerate(wide->contract.getLhs(), wide->contract.getRhs())) {
    SourceUse use{wide->contract.getTransposeB()};
    if (backprop && backprop->toSource[index])
      use.gradient = kernel.result(lhs.getType());
    if (backprop) {
      GradientUse gradient = gradientUse(parameterOf(rhs));
      use.weightGradient = gradient.gathered;
      use.scale = gradient.scale;
      updates |= !gradient.gathered;
    }
    kernel.source(lhs, parameterOf(rhs), use);
  }
  kernel.setPrecision(wide->contract);
  logitSlot(kernel, *wide);
  targetSlots(kernel, loss, wideArgs(kernel, loss.getInputs(), *wide),
              backprop ? kernel.arg("delta") : kernel::ArgAttr(), bound.scaled,
              norm ? kernel.bind(norm) : kernel::ArgAttr());
  kernel.setText("schedule", schedule);
  kernel.setText("remark", why);
  kernel.setText("report", report);
  kernel.set("layers", loss.getLayers());
  if (backprop) {
    SmallVector<StringRef> biases;
    for (net::UpdateOp update : backprop->biasUpdates)
      biases.push_back(update.getParameter());
    kernel.setTexts("biases", biases);
    if (updates || !biases.empty())
      kernel.set("update", UnitAttr::get(loss.getContext()));
  }
  Operation *op = kernel.create(wide->statistics.empty() ? "wide_output" : "wide_softmax", loss);
  if (backprop) {
    unsigned result = 0;
    for (net::ContractOp product : backprop->toSource)
      if (product)
        replaceAndErase(product, op->getResult(result++));
    for (auto [gradient, update] : llvm::zip(backprop->gradients, backprop->weightUpdates))
      takeContribution(gradient, update);
    for (net::UpdateOp update : backprop->biasUpdates)
      update.erase();
    if (backprop->biasSum)
      backprop->biasSum.erase();
  }
  if (bound.scaled) {
    bound.scaled.erase();
    bound.squares.erase();
  }
  loss.erase();
  eraseStatistics(*wide);
  return true;
}

/// The width of the layer. Where no operand has units (a pooling of one pair), there is one.
static Attribute unitsOf(net::LossOp loss) {
  if (loss.getDeltaResult())
    return net::unitsOf(net::typeOf(loss.getDeltaResult()));
  for (Value input : loss.getInputs())
    if (net::ValueType type = net::typeOf(input); type.isMatrix())
      return net::unitsOf(type);
  for (Value input : loss.getInputs())
    if (net::ValueType type = net::typeOf(input); type.isColumn())
      return type.getDims()[0];
  return Builder(loss.getContext()).getI64IntegerAttr(1);
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
  kernel.setText("remark", "unfused: " + refusal);
  kernel.set("layers", loss.getLayers());
  kernel.set("columns", unitsOf(loss));
  Operation *op = kernel.create("map", loss);
  if (loss.getDeltaResult())
    loss.getDeltaResult().replaceAllUsesWith(op->getResult(0));
  loss.erase();
}

/// The scores are a formula of what is there already (a pooling), or a buffer that others read too.
void EntryLowering::rankWithoutProduct(net::RankOp rank, net::MapOp scores) {
  KernelBuilder kernel(rank.getContext(), rank.getLoc());
  kernel.set("layers", rank.getLayers());
  kernel.set("columns", net::unitsOf(net::typeOf(rank.getScores())));
  bool folds = scores && !epilogueOf(scores);
  kernel.slot("score", folds ? kernel.bindAll(scores.getInputs()) : kernel.bindAll(rank.getScores()),
              {kernel.arg("delta")}, false, [&](OpBuilder &b, ValueRange values) {
                return folds ? copyFormula(b, scores.getFormula(), values) : SmallVector<Value>(values);
              });
  kernel.create("wide_topk", rank);
  rank.erase();
  if (folds)
    scores.erase();
}

/// scores = formula(contraction, ...) -> wide_topk; a soft-max's statistics come from a wide_softmax sweep of their
/// own.
void EntryLowering::lowerRank(net::RankOp rank) {
  auto map = rank.getScores().getDefiningOp<net::MapOp>();
  bool alone = map && map->hasOneUse() && map.getNumResults() == 1;
  std::optional<WideContraction> wide;
  if (alone)
    wide = matchContraction(map, map.getInputs());
  if (!wide)
    return rankWithoutProduct(rank, alone ? map : net::MapOp());
  KernelBuilder kernel(rank.getContext(), rank.getLoc());
  kernel.set("layers", rank.getLayers());
  auto addSources = [&](KernelBuilder &to) {
    for (auto [lhs, rhs] : llvm::zip(wide->contract.getLhs(), wide->contract.getRhs()))
      to.source(lhs, parameterOf(rhs), {wide->contract.getTransposeB()});
    to.setPrecision(wide->contract);
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
