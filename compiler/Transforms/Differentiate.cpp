// net-differentiate: reverse mode over an entry. Every adjoint below is the transpose of one operation's
// linearisation. Assumes straight-line code, one loss seed of weight 1 per net.loss, and that only contractions, maps,
// row reductions and column sums carry gradients. A matrix that is used several times collects its contributions; they
// are added by its one update.
#include "compiler/Transforms/FormulaAd.h"
#include "compiler/Transforms/Formulas.h"
#include "compiler/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sn {
#define GEN_PASS_DEF_NETDIFFERENTIATE
#include "compiler/Transforms/Passes.h.inc"

namespace {
class Reverse {
public:
  explicit Reverse(net::EntryOp entry) : entry(entry), builder(entry.getContext()) {}
  void run();

private:
  using Build = llvm::function_ref<Value(OpBuilder &, ValueRange)>;
  void findActive();
  bool isActive(Value value) const { return active.contains(value); }
  void accumulate(Value value, Value gradient);
  /// A map over `inputs`; null from `build` means zero: nothing is created.
  Value createMap(Location loc, Type type, ArrayRef<Value> inputs, Build build);
  void visit(Operation *op);
  void loss(net::LossOp op);
  void deriveDelta(net::LossOp op);
  net::LossOp absorb(net::LossOp op);
  void map(net::MapOp op);
  void contract(net::ContractOp op);
  void rowReduce(net::RowReduceOp op);
  void columnSum(net::ColumnSumOp op);
  void penalty(net::PenaltyOp op);
  void deltaNorm(net::DeltaNormOp op);
  void updates();
  /// Adds a derivative of matrix shape to `value`'s gradient, summed to its shape.
  void accumulateReduced(Location loc, Value value, Value gradient);
  Value rowSum(Location loc, Value matrix, Type type, Build build);

  net::EntryOp entry;
  OpBuilder builder;
  DenseSet<Value> active;         // depends on a trained parameter, through operations that carry gradients
  DenseMap<Value, Value> adjoint; // dL/dvalue
  llvm::MapVector<StringAttr, SmallVector<Value>>
      contributions; // to dL/d of each parameter, in the order they were found
};

void Reverse::findActive() {
  auto module = entry->getParentOfType<ModuleOp>();
  for (Operation &op : *entry.getBody().begin()) {
    auto read = dyn_cast<net::ReadOp>(op);
    auto parameter = read ? module.lookupSymbol<net::ParameterOp>(read.getParameter()) : net::ParameterOp();
    bool reads = read && !(parameter && parameter.getFixed());
    if (auto reduce = dyn_cast<net::RowReduceOp>(op); reduce && reduce.getDetached())
      continue;
    if (reads || llvm::any_of(op.getOperands(), [&](Value operand) { return isActive(operand); }))
      active.insert(op.result_begin(), op.result_end());
  }
}

Value Reverse::createMap(Location loc, Type type, ArrayRef<Value> inputs, Build build) {
  auto op = builder.create<net::MapOp>(loc, TypeRange{type}, ValueRange(inputs));
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&op.getFormula());
  for (size_t i = 0; i < inputs.size(); ++i)
    block->addArgument(builder.getF32Type(), loc);
  Value value = build(builder, block->getArguments());
  if (!value) {
    op.erase();
    return {};
  }
  builder.create<net::YieldOp>(loc, ValueRange{value});
  return op.getResult(0);
}

void Reverse::accumulate(Value value, Value gradient) {
  if (auto read = value.getDefiningOp<net::ReadOp>(); read && net::typeOf(value).isMatrix()) {
    contributions[read.getParameterAttr().getAttr()].push_back(gradient);
    return;
  }
  Value &slot = adjoint[value];
  if (!slot) {
    slot = gradient;
    return;
  }
  slot = createMap(gradient.getLoc(), slot.getType(), {slot, gradient}, [](OpBuilder &b, ValueRange args) -> Value {
    return b.create<arith::AddFOp>(args[0].getLoc(), args[0], args[1]);
  });
}

Value Reverse::rowSum(Location loc, Value matrix, Type type, Build build) {
  auto op = builder.create<net::RowReduceOp>(loc, type, "sum", ValueRange{matrix}, false);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&op.getFormula());
  Value value = build(builder, block->addArgument(builder.getF32Type(), loc));
  builder.create<net::YieldOp>(loc, ValueRange{value});
  return op.getResult();
}

void Reverse::accumulateReduced(Location loc, Value value, Value gradient) {
  net::ValueType type = net::typeOf(value);
  if (net::typeOf(gradient) != type) {
    assert(net::typeOf(gradient).isMatrix() && "only matrices are summed to a vector");
    if (type.isColumn())
      gradient = builder.create<net::ColumnSumOp>(loc, type, gradient);
    else if (type.isRow())
      gradient = rowSum(loc, gradient, type, [](OpBuilder &, ValueRange args) { return args[0]; });
    else
      assert(false && "nothing trained is broadcast otherwise");
  }
  accumulate(value, gradient);
}

void Reverse::deriveDelta(net::LossOp op) {
  OpBuilder::InsertionGuard guard(builder);
  Block &value = op.getValue().front();
  Block *block = builder.createBlock(&op.getDelta());
  for (BlockArgument argument : value.getArguments())
    block->addArgument(argument.getType(), argument.getLoc());
  Value derivative = cloneDerivative(builder, value, block->getArguments(), 0, 0);
  builder.create<net::YieldOp>(op.getLoc(),
                               ValueRange{derivative ? derivative : buildConstant(builder, op.getLoc(), 0)});
}

/// loss(f(x)) becomes one loss of x, its delta multiplied by f', if operand 0 is a map of one active operand of the
/// same shape: then the delta is that of the pre-activation and a wide schema can form it in its tile. Null if operand
/// 0 is something else.
net::LossOp Reverse::absorb(net::LossOp op) {
  auto inner = op.getInputs()[0].getDefiningOp<net::MapOp>();
  if (!inner || inner.getNumResults() != 1 ||
      llvm::count_if(inner.getInputs(), [&](Value v) { return isActive(v); }) != 1)
    return {};
  unsigned active = llvm::find_if(inner.getInputs(), [&](Value v) { return isActive(v); }) - inner.getInputs().begin();
  SmallVector<Value> inputs{inner.getInputs()[active]};
  if (inputs[0].getType() != op.getInputs()[0].getType())
    return {};
  SmallVector<unsigned> position(inner.getInputs().size(), 0); // of the map's operands among the new ones
  for (auto [index, input] : llvm::enumerate(inner.getInputs()))
    if (index != active) {
      position[index] = inputs.size();
      inputs.push_back(input);
    }
  unsigned own = inputs.size();
  llvm::append_range(inputs, op.getInputs().drop_front());
  Location loc = op.getLoc();
  builder.setInsertionPoint(op);
  auto merged = builder.create<net::LossOp>(loc, op.getSum().getType(), inputs[0].getType(), inputs, op.getTarget(),
                                            op.getIndicator(), op.getBoostAttr(), op.getLayers());
  OpBuilder::InsertionGuard guard(builder);
  auto fill = [&](Region &to, Region &from, bool isDelta) {
    Block *block = builder.createBlock(&to);
    for (size_t i = 0; i < inputs.size() + 1; ++i)
      block->addArgument(builder.getF32Type(), loc);
    SmallVector<Value> innerArgs =
        llvm::map_to_vector(position, [&](unsigned index) -> Value { return block->getArgument(index); });
    Value y = cloneFormula(builder, inner.getFormula().front(), innerArgs)[0];
    SmallVector<Value> args{y};
    llvm::append_range(args, block->getArguments().drop_front(own));
    Value result = cloneFormula(builder, from.front(), args)[0];
    if (isDelta && !inner.getFromOutput().empty())
      result = cloneFormula(builder, inner.getFromOutput().front(), {y, result})[0];
    else if (isDelta) {
      Value slope = cloneDerivative(builder, inner.getFormula().front(), innerArgs, 0, active);
      result = buildScalar(builder, loc, "mul", {slope ? slope : buildConstant(builder, loc, 0), result});
    }
    builder.create<net::YieldOp>(loc, ValueRange{result});
  };
  fill(merged.getValue(), op.getValue(), false);
  fill(merged.getDelta(), op.getDelta(), true);
  op.getSum().replaceAllUsesWith(merged.getSum());
  op.erase();
  return merged;
}

/// The delta is the derivative with respect to operand 0; where it is not stated it is derived, through the activation.
/// Other operands carry no gradient of their own (statistics of a soft-max are accounted for in its stated delta).
void Reverse::loss(net::LossOp op) {
  Value input = op.getInputs()[0];
  if (!isActive(input))
    return;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  auto withDelta = builder.create<net::LossOp>(op.getLoc(), op.getSum().getType(), input.getType(), op.getInputs(),
                                               op.getTarget(), op.getIndicator(), op.getBoostAttr(), op.getLayers());
  withDelta.getValue().takeBody(op.getValue());
  bool stated = !op.getDelta().empty();
  if (stated)
    withDelta.getDelta().takeBody(op.getDelta());
  else
    deriveDelta(withDelta);
  op.getSum().replaceAllUsesWith(withDelta.getSum());
  op.erase();
  for (net::LossOp merged; !stated && (merged = absorb(withDelta));)
    withDelta = merged;
  builder.setInsertionPointToEnd(&entry.getBody().front());
  accumulate(withDelta.getInputs()[0], withDelta.getDeltaResult());
}

void Reverse::map(net::MapOp op) {
  Location loc = op.getLoc();
  for (auto [resultIndex, result] : llvm::enumerate(op.getResults())) {
    Value gradient = adjoint.lookup(result);
    if (!gradient)
      continue;
    if (!op.getFromOutput().empty()) {
      accumulate(op.getInputs()[0],
                 createMap(loc, result.getType(), {result, gradient}, [&](OpBuilder &b, ValueRange args) {
                   return cloneFormula(b, op.getFromOutput().front(), args)[0];
                 }));
      continue;
    }
    SmallVector<Value> inputs(op.getInputs());
    inputs.push_back(gradient);
    for (auto [index, input] : llvm::enumerate(op.getInputs())) {
      if (!isActive(input))
        continue;
      bool passes = false; // derivative one: the gradient itself
      Value contribution = createMap(loc, result.getType(), inputs, [&](OpBuilder &b, ValueRange args) -> Value {
        Value slope = cloneDerivative(b, op.getFormula().front(), args.drop_back(), resultIndex, index);
        passes = slope && isConstantOne(slope);
        if (!slope || passes)
          return {};
        return b.create<arith::MulFOp>(loc, slope, args.back());
      });
      if (passes)
        contribution = gradient;
      if (contribution)
        accumulateReduced(loc, input, contribution);
    }
  }
}

/// Both products with the gradient are as precise as the one they come from.
void Reverse::contract(net::ContractOp op) {
  Value gradient = adjoint.lookup(op.getResult());
  if (!gradient)
    return;
  assert(!op.getTransposeA() && "forward contractions do not sum over the batch");
  bool transposed = op.getTransposeB();
  for (auto [lhs, rhs] : llvm::zip(op.getLhs(), op.getRhs())) {
    if (isActive(lhs))
      accumulate(lhs, builder.create<net::ContractOp>(op.getLoc(), lhs.getType(), ValueRange{gradient}, ValueRange{rhs},
                                                      false, !transposed, op.getPrecisionAttr()));
    Value left = transposed ? gradient : lhs, right = transposed ? lhs : gradient;
    if (isActive(rhs))
      accumulate(rhs, builder.create<net::ContractOp>(op.getLoc(), rhs.getType(), ValueRange{left}, ValueRange{right},
                                                      true, false, op.getPrecisionAttr()));
  }
}

/// Every example gets the derivative of its unit's sum.
void Reverse::columnSum(net::ColumnSumOp op) {
  Value gradient = adjoint.lookup(op.getResult());
  if (!gradient || !isActive(op.getInput()))
    return;
  accumulate(op.getInput(), createMap(op.getLoc(), op.getInput().getType(), {gradient},
                                      [](OpBuilder &, ValueRange args) { return args[0]; }));
}

void Reverse::rowReduce(net::RowReduceOp op) {
  Value gradient = adjoint.lookup(op.getResult());
  if (!gradient || op.getDetached())
    return;
  assert(op.getKind() == "sum" && "gradients flow through sums; maxima are detached");
  SmallVector<Value> inputs(op.getInputs());
  inputs.push_back(gradient);
  Type matrix;
  for (Value input : op.getInputs())
    if (net::typeOf(input).isMatrix())
      matrix = input.getType();
  for (auto [index, input] : llvm::enumerate(op.getInputs())) {
    if (!isActive(input))
      continue;
    Value contribution = createMap(op.getLoc(), matrix, inputs, [&](OpBuilder &b, ValueRange args) -> Value {
      Value slope = cloneDerivative(b, op.getFormula().front(), args.drop_back(), 0, index);
      return slope ? Value(b.create<arith::MulFOp>(op.getLoc(), slope, args.back())) : slope;
    });
    if (contribution)
      accumulateReduced(op.getLoc(), input, contribution);
  }
}

/// The penalty adds its formula of the unit's batch sum to the gradient of every example; the value itself passes
/// through.
void Reverse::penalty(net::PenaltyOp op) {
  Location loc = op.getLoc();
  net::ValueType type = net::typeOf(op.getInput());
  Value gradient = adjoint.lookup(op.getResult());
  if (gradient) {
    MLIRContext *context = op.getContext();
    Value sum = builder.create<net::ColumnSumOp>(loc, net::valueType(context, {net::unitsOf(type)}), op.getInput());
    Value inverse = builder.create<net::ScalarOp>(loc, net::valueType(context, {}), R"(["div",1.0,"B"])");
    gradient = createMap(loc, type, {gradient, sum, inverse}, [&](OpBuilder &b, ValueRange args) -> Value {
      Value slope = cloneFormula(b, op.getFormula().front(), args.drop_front())[0];
      return b.create<arith::AddFOp>(loc, args[0], slope);
    });
    accumulate(op.getInput(), gradient);
  }
  op.getResult().replaceAllUsesWith(op.getInput());
  op.erase();
}

/// Rows of the gradient that are longer than the limit are scaled down to it; the value itself passes through.
void Reverse::deltaNorm(net::DeltaNormOp op) {
  Location loc = op.getLoc();
  if (Value gradient = adjoint.lookup(op.getResult())) {
    Type row = net::valueType(op.getContext(), {builder.getStringAttr(net::kBatch)});
    Value square = rowSum(loc, gradient, row, [&](OpBuilder &b, ValueRange args) -> Value {
      return b.create<arith::MulFOp>(loc, args[0], args[0]);
    });
    double limit = op.getLimit().convertToDouble();
    Value scaled = createMap(loc, gradient.getType(), {gradient, square}, [&](OpBuilder &b, ValueRange args) {
      Value bound = buildConstant(b, loc, limit), norm = buildScalar(b, loc, "sqrt", {args[1]});
      Value factor = buildScalar(b, loc, "div", {bound, buildScalar(b, loc, "max", {norm, bound})});
      return buildScalar(b, loc, "mul", {args[0], factor});
    });
    accumulate(op.getInput(), scaled);
  }
  op.getResult().replaceAllUsesWith(op.getInput());
  op.erase();
}

void Reverse::visit(Operation *op) {
  TypeSwitch<Operation *>(op)
      .Case<net::LossOp>([&](auto typed) { loss(typed); })
      .Case<net::MapOp>([&](auto typed) { map(typed); })
      .Case<net::ContractOp>([&](auto typed) { contract(typed); })
      .Case<net::RowReduceOp>([&](auto typed) { rowReduce(typed); })
      .Case<net::ColumnSumOp>([&](auto typed) { columnSum(typed); })
      .Case<net::PenaltyOp>([&](auto typed) { penalty(typed); })
      .Case<net::DeltaNormOp>([&](auto typed) { deltaNorm(typed); });
}

/// One for each trained parameter that is read, in the module's order, located where its first reader stands. The
/// gradient of one that the loss does not depend on is zero.
void Reverse::updates() {
  std::map<std::string, net::ReadOp> reads;
  for (net::ReadOp read : entry.getBody().getOps<net::ReadOp>()) {
    if (isActive(read) && !read->use_empty())
      reads.try_emplace(read.getParameter().str(), read);
    if (Value gradient = adjoint.lookup(read)) // of a vector
      contributions[read.getParameterAttr().getAttr()].push_back(gradient);
  }
  for (net::ParameterOp parameter : entry->getParentOfType<ModuleOp>().getOps<net::ParameterOp>()) {
    auto found = reads.find(parameter.getSymName().str());
    if (found == reads.end())
      continue;
    net::ReadOp read = found->second;
    SmallVector<Value> gradients = contributions.lookup(parameter.getSymNameAttr());
    if (gradients.empty() && net::typeOf(read).isColumn())
      gradients.push_back(createMap(read.getLoc(), read.getType(), {read},
                                    [&](OpBuilder &b, ValueRange) { return buildConstant(b, read.getLoc(), 0); }));
    if (!gradients.empty())
      builder.create<net::UpdateOp>(read.getLoc(), parameter.getSymName(), gradients);
  }
}

void Reverse::run() {
  findActive();
  builder.setInsertionPointToEnd(&entry.getBody().front());
  SmallVector<Operation *> forward;
  for (Operation &op : entry.getBody().front())
    forward.push_back(&op);
  for (Operation *op : llvm::reverse(forward))
    visit(op);
  updates();
}

struct Differentiate : impl::NetDifferentiateBase<Differentiate> {
  void runOnOperation() override {
    if (getOperation().getSymName() == "train")
      Reverse(getOperation()).run();
  }
};
} // namespace
} // namespace sn
