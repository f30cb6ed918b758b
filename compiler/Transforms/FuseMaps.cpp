// net-fuse-maps: pointwise formulas move into their consumers, so that a kernel's epilogue holds all of them.
// Assumes entries are straight-line code; a formula is duplicated only if it consists of additions and multiplications.
#include "compiler/Transforms/FormulaAd.h"
#include "compiler/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sn {
#define GEN_PASS_DEF_NETFUSEMAPS
#include "compiler/Transforms/Passes.h.inc"

namespace {
/// The regions of an operation whose leading arguments are its inputs.
SmallVector<Region *> formulasOf(Operation *op) {
  if (auto map = dyn_cast<net::MapOp>(op))
    return {&map.getFormula()};
  if (auto reduce = dyn_cast<net::RowReduceOp>(op))
    return {&reduce.getFormula()};
  if (auto loss = dyn_cast<net::LossOp>(op)) {
    if (loss.getDelta().empty())
      return {&loss.getValue()};
    return {&loss.getValue(), &loss.getDelta()};
  }
  return {};
}

bool isCheap(net::MapOp map) {
  return llvm::all_of(map.getFormula().front(), [](Operation &op) {
    return isa<arith::AddFOp, arith::MulFOp, arith::ConstantOp, net::YieldOp>(op);
  });
}

/// Rewrites one formula for new inputs: old input i becomes inputs[position[i]], or the producer's result where
/// position[i] < 0.
void rewriteFormula(Region &region, ArrayRef<int> position, ArrayRef<int> producerPosition, net::MapOp producer,
                    unsigned producerResult, unsigned newInputs) {
  Block &old = region.front();
  unsigned oldInputs = position.size(), extra = old.getNumArguments() - oldInputs;
  OpBuilder builder(region.getContext());
  Block *block = builder.createBlock(&region, region.end());
  for (unsigned i = 0; i < newInputs + extra; ++i)
    block->addArgument(builder.getF32Type(), old.getArgument(0).getLoc());
  SmallVector<Value> producerArgs;
  for (int index : producerPosition)
    producerArgs.push_back(block->getArgument(index));
  Value inlined = cloneFormula(builder, producer.getFormula().front(), producerArgs)[producerResult];
  SmallVector<Value> args;
  for (int index : position)
    args.push_back(index < 0 ? inlined : Value(block->getArgument(index)));
  for (unsigned i = 0; i < extra; ++i)
    args.push_back(block->getArgument(newInputs + i));
  SmallVector<Value> results = cloneFormula(builder, old, args);
  builder.create<net::YieldOp>(old.getTerminator()->getLoc(), results);
  old.erase();
}

/// Inlines `producer` into `consumer`.
void inlineInto(net::MapOp producer, Operation *consumer) {
  SmallVector<Value> inputs;
  auto place = [&](Value value) {
    auto found = llvm::find(inputs, value);
    if (found == inputs.end())
      inputs.push_back(value);
    return static_cast<int>(llvm::find(inputs, value) - inputs.begin());
  };
  SmallVector<int> position, producerPosition;
  unsigned result = 0;
  bool first = true;
  for (Value operand : consumer->getOperands()) {
    if (operand.getDefiningOp() != producer.getOperation()) {
      position.push_back(place(operand));
      continue;
    }
    position.push_back(-1);
    result = cast<OpResult>(operand).getResultNumber();
    if (std::exchange(first, false))
      for (Value input : producer.getInputs())
        producerPosition.push_back(place(input));
  }
  for (Region *region : formulasOf(consumer))
    rewriteFormula(*region, position, producerPosition, producer, result, inputs.size());
  if (auto map = dyn_cast<net::MapOp>(consumer))
    map.getFromOutput().getBlocks().clear();
  consumer->setOperands(inputs);
}

/// A slot takes 32 spans and 32 scalars (docs/spec/plan.md); some room is left for a target and the like.
constexpr size_t kMostInputs = 28;

bool fits(net::MapOp producer, Operation *consumer) {
  SmallPtrSet<Value, 32> inputs(producer.getInputs().begin(), producer.getInputs().end());
  inputs.insert(consumer->operand_begin(), consumer->operand_end());
  inputs.erase(producer.getResult(0));
  return inputs.size() <= kMostInputs;
}

/// What a formula's consumer is, it stays: a loss keeps a first operand of its delta's shape, a row reduction a matrix
/// to run over. A vector over the units is computed once and not again for every example, unless that costs nothing.
bool mayInline(net::MapOp producer, Operation *consumer) {
  if (!fits(producer, consumer))
    return false;
  Type type = producer.getResult(0).getType();
  auto isMatrix = [](Value value) { return net::typeOf(value).isMatrix(); };
  if (isa<net::LossOp>(consumer) && consumer->getOperand(0) == producer.getResult(0))
    return producer.getInputs()[0].getType() == type;
  if (isa<net::RowReduceOp>(consumer) && llvm::none_of(producer.getInputs(), isMatrix))
    return llvm::any_of(consumer->getOperands(),
                        [&](Value value) { return value != producer.getResult(0) && isMatrix(value); });
  if (net::typeOf(producer.getResult(0)).isColumn() && !isCheap(producer))
    return llvm::all_of(consumer->getResultTypes(), [&](Type result) { return result == type; });
  return true;
}

bool inlineProducers(net::EntryOp entry) {
  for (net::MapOp producer : llvm::make_early_inc_range(entry.getBody().getOps<net::MapOp>())) {
    if (producer.getNumResults() != 1 || producer.use_empty())
      continue;
    Value result = producer.getResult(0);
    llvm::SetVector<Operation *> users(result.user_begin(), result.user_end());
    bool all =
        llvm::all_of(users, [&](Operation *user) { return !formulasOf(user).empty() && mayInline(producer, user); });
    bool vector = !net::typeOf(result).isMatrix();
    if (!all || (users.size() > 1 && !vector && !isCheap(producer)))
      continue;
    for (Operation *user : users)
      inlineInto(producer, user);
    producer.erase();
    return true;
  }
  return false;
}

/// producer -> (consumer, later users): one map with both results, in the consumer's place.
bool mergeTwoResults(net::EntryOp entry) {
  for (net::MapOp producer : entry.getBody().getOps<net::MapOp>()) {
    net::MapOp consumer;
    for (Operation *user : producer->getUsers())
      if (auto map = dyn_cast<net::MapOp>(user); map && (!consumer || map->isBeforeInBlock(consumer)))
        consumer = map;
    if (!consumer ||
        llvm::any_of(consumer.getResultTypes(), [&](Type type) { return type != producer.getResult(0).getType(); }))
      continue;
    if (llvm::any_of(producer->getUsers(), [&](Operation *user) { return user->isBeforeInBlock(consumer); }))
      continue; // somebody needs the value earlier
    if (llvm::any_of(consumer.getInputs(), [&](Value input) {
          return net::typeOf(input) == net::typeOf(producer.getResult(0)) && input.getDefiningOp() != producer &&
                 !isa_and_nonnull<net::MaskOp>(input.getDefiningOp());
        }))
      continue; // reads another matrix: not an epilogue of the same contraction
    if (!fits(producer, consumer))
      continue;
    OpBuilder builder(consumer);
    SmallVector<Value> inputs(producer.getInputs());
    SmallVector<Type> types(producer.getResultTypes());
    llvm::append_range(types, consumer.getResultTypes());
    for (Value input : consumer.getInputs())
      if (input.getDefiningOp() != producer && !llvm::is_contained(inputs, input))
        inputs.push_back(input);
    auto merged = builder.create<net::MapOp>(producer.getLoc(), types, inputs);
    Block *block = builder.createBlock(&merged.getFormula());
    for (size_t i = 0; i < inputs.size(); ++i)
      block->addArgument(builder.getF32Type(), producer.getLoc());
    ValueRange args = block->getArguments();
    SmallVector<Value> results =
        cloneFormula(builder, producer.getFormula().front(), args.take_front(producer.getInputs().size()));
    SmallVector<Value> consumerArgs;
    for (Value input : consumer.getInputs())
      consumerArgs.push_back(input.getDefiningOp() == producer.getOperation()
                                 ? results[cast<OpResult>(input).getResultNumber()]
                                 : args[llvm::find(inputs, input) - inputs.begin()]);
    llvm::append_range(results, cloneFormula(builder, consumer.getFormula().front(), consumerArgs));
    builder.create<net::YieldOp>(producer.getLoc(), results);
    unsigned own = producer.getNumResults();
    producer.replaceAllUsesWith(merged.getResults().take_front(own));
    consumer.replaceAllUsesWith(merged.getResults().drop_front(own));
    consumer.erase();
    producer.erase();
    return true;
  }
  return false;
}

/// A map that yields an operand as it is.
bool dropIdentities(net::EntryOp entry) {
  for (net::MapOp map : entry.getBody().getOps<net::MapOp>()) {
    if (map.getNumResults() != 1)
      continue;
    auto argument = dyn_cast<BlockArgument>(map.getFormula().front().getTerminator()->getOperand(0));
    Value input = argument ? map.getInputs()[argument.getArgNumber()] : Value();
    if (!input || input.getType() != map.getResult(0).getType() || isa_and_nonnull<net::MaskOp>(input.getDefiningOp()))
      continue;
    map.getResult(0).replaceAllUsesWith(input);
    map.erase();
    return true;
  }
  return false;
}

/// Operands that a formula does not use, as derivatives leave them. A row reduction keeps a matrix to run over.
bool dropUnused(net::EntryOp entry) {
  bool changed = false;
  for (Operation &op : entry.getBody().front()) {
    if (!isa<net::MapOp, net::RowReduceOp>(op))
      continue;
    Block &formula = op.getRegion(0).front();
    for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(formula.without_terminator())))
      if (inner.use_empty())
        inner.erase();
    if (auto map = dyn_cast<net::MapOp>(op); map && !map.getFromOutput().empty())
      continue; // has one operand
    auto isMatrix = [](Value value) { return net::typeOf(value).isMatrix(); };
    for (unsigned i = op.getNumOperands(); i-- > 0;) {
      bool needed =
          isa<net::RowReduceOp>(op) && isMatrix(op.getOperand(i)) && llvm::count_if(op.getOperands(), isMatrix) == 1;
      if (needed || !formula.getArgument(i).use_empty())
        continue;
      formula.eraseArgument(i);
      op.eraseOperand(i);
      changed = true;
    }
  }
  return changed;
}

struct FuseMaps : impl::NetFuseMapsBase<FuseMaps> {
  void runOnOperation() override {
    while (dropUnused(getOperation()) || dropIdentities(getOperation()) || inlineProducers(getOperation()) ||
           mergeTwoResults(getOperation()))
      ;
  }
};
} // namespace
} // namespace sn
