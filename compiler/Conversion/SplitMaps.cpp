// Maps of more operands than a slot takes: the formula is cut in two, and what crosses the cut becomes buffers.
#include "compiler/Conversion/NetToKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sn {
namespace {
/// A slot takes 32 spans and 32 scalars (docs/spec/plan.md).
constexpr size_t kMostOperands = 32;

/// Formed again behind the cut rather than stored: constants, and comparisons of operands, which no buffer could hold.
bool isFormedAgain(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  return isa<arith::ConstantOp>(op) || (isa<arith::CmpFOp>(op) && llvm::all_of(op->getOperands(), [](Value operand) {
                                          return isa<BlockArgument>(operand) ||
                                                 isa<arith::ConstantOp>(operand.getDefiningOp());
                                        }));
}

/// The operations in front of `end` form one map, the others a second.
struct Cut {
  size_t end = 0;
  llvm::SetVector<Value> firstArgs, secondArgs; // arguments of the formula
  llvm::SetVector<Value> crossing;              // results of the first that the second reads
  llvm::SetVector<Operation *> again;           // operations of the first that the second repeats, in reverse order
  bool fits = true;
  size_t operands() const { return secondArgs.size() + crossing.size(); }
};

class Cutter {
public:
  explicit Cutter(net::MapOp map) : map(map), formula(map.getFormula().front()) {
    for (Operation &op : formula.without_terminator())
      ops.push_back(&op);
  }
  /// False if no cut makes the formula smaller.
  bool run();

private:
  Cut cutAt(size_t end);
  void reads(Value value, Cut &cut);
  net::MapOp build(ArrayRef<Value> inputs, TypeRange types,
                   llvm::function_ref<SmallVector<Value>(OpBuilder &, IRMapping &, Block &)> body);
  SmallVector<Value> operandsOf(const llvm::SetVector<Value> &arguments) {
    return llvm::map_to_vector(arguments, [&](Value argument) -> Value {
      return map.getInputs()[cast<BlockArgument>(argument).getArgNumber()];
    });
  }

  net::MapOp map;
  Block &formula;
  SmallVector<Operation *> ops;
};

/// What the second map needs for `value`.
void Cutter::reads(Value value, Cut &cut) {
  Operation *op = value.getDefiningOp();
  if (!op) {
    cut.secondArgs.insert(value);
  } else if (std::find(ops.begin(), ops.begin() + static_cast<std::ptrdiff_t>(cut.end), op) ==
             ops.begin() + static_cast<std::ptrdiff_t>(cut.end)) {
    return; // its own
  } else if (isFormedAgain(value)) {
    cut.again.insert(op);
    for (Value operand : op->getOperands())
      reads(operand, cut);
  } else {
    cut.crossing.insert(value);
    cut.fits &= value.getType().isF32();
  }
}

Cut Cutter::cutAt(size_t end) {
  Cut cut;
  cut.end = end;
  for (size_t i = 0; i < end; ++i)
    for (Value operand : ops[i]->getOperands())
      if (isa<BlockArgument>(operand))
        cut.firstArgs.insert(operand);
  for (size_t i = end; i < ops.size(); ++i)
    for (Value operand : ops[i]->getOperands())
      reads(operand, cut);
  for (Value result : formula.getTerminator()->getOperands())
    reads(result, cut);
  cut.fits &= cut.firstArgs.size() <= kMostOperands && cut.crossing.size() <= kMostOperands && !cut.crossing.empty();
  return cut;
}

net::MapOp Cutter::build(ArrayRef<Value> inputs, TypeRange types,
                         llvm::function_ref<SmallVector<Value>(OpBuilder &, IRMapping &, Block &)> body) {
  OpBuilder builder(map);
  auto made = builder.create<net::MapOp>(map.getLoc(), types, inputs);
  Block *block = builder.createBlock(&made.getFormula());
  for (size_t i = 0; i < inputs.size(); ++i)
    block->addArgument(builder.getF32Type(), map.getLoc());
  IRMapping mapping;
  SmallVector<Value> results = body(builder, mapping, *block);
  builder.create<net::YieldOp>(map.getLoc(), results);
  return made;
}

bool Cutter::run() {
  std::optional<Cut> best;
  for (size_t end = 1; end < ops.size(); ++end) {
    Cut cut = cutAt(end);
    if (cut.firstArgs.size() > kMostOperands)
      break;
    if (cut.fits && (!best || cut.operands() < best->operands()))
      best = std::move(cut);
  }
  if (!best || best->operands() >= map.getInputs().size())
    return false;
  SmallVector<Type> types(best->crossing.size(), map.getResult(0).getType());
  net::MapOp first = build(operandsOf(best->firstArgs), types, [&](OpBuilder &b, IRMapping &mapping, Block &block) {
    for (auto [from, to] : llvm::zip(best->firstArgs, block.getArguments()))
      mapping.map(from, to);
    for (size_t i = 0; i < best->end; ++i)
      b.clone(*ops[i], mapping);
    return llvm::map_to_vector(best->crossing, [&](Value value) { return mapping.lookup(value); });
  });
  SmallVector<Value> inputs = operandsOf(best->secondArgs);
  llvm::append_range(inputs, first.getResults());
  net::MapOp second = build(inputs, map.getResultTypes(), [&](OpBuilder &b, IRMapping &mapping, Block &block) {
    SmallVector<Value> sources(best->secondArgs.begin(), best->secondArgs.end());
    llvm::append_range(sources, best->crossing);
    for (auto [from, to] : llvm::zip(sources, block.getArguments()))
      mapping.map(from, to);
    for (size_t i = 0; i < ops.size(); ++i)
      if (i >= best->end || best->again.contains(ops[i]))
        b.clone(*ops[i], mapping);
    return llvm::map_to_vector(formula.getTerminator()->getOperands(),
                               [&](Value value) { return mapping.lookup(value); });
  });
  replaceAndErase(map, second.getResults());
  return true;
}
} // namespace

LogicalResult EntryLowering::splitMaps() {
  for (bool changed = true; changed;) {
    changed = false;
    for (net::MapOp map : collect<net::MapOp>())
      if (map.getInputs().size() > kMostOperands) {
        if (!Cutter(map).run())
          return map.emitError("has more operands than a slot takes, and no place to cut its formula");
        changed = true;
      }
  }
  return success();
}
} // namespace sn
