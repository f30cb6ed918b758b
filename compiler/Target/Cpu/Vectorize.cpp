#include "compiler/Target/Cpu/Vectorize.h"
#include "compiler/Target/Cpu/VectorMath.h"
#include "compiler/Target/Slots/Signature.h"
#include "compiler/Target/Slots/Simplify.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sn::target {
namespace {
/// Operations that mean the same on vectors as on scalars.
bool isElementwise(Operation *op) {
  return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp, arith::CmpFOp, arith::SelectOp,
             arith::MinimumFOp, arith::MaximumFOp, arith::MinNumFOp, arith::MaxNumFOp, arith::AndIOp, arith::OrIOp,
             arith::XOrIOp, math::AbsFOp, math::SqrtOp, math::FloorOp, math::CeilOp, math::CopySignOp>(op);
}

Type vectorOf(Type scalar) { return VectorType::get({kBlock}, scalar); }

/// The vector form of one scalar operation, or null if there is none.
Value buildVector(ImplicitLocOpBuilder &b, Operation *op, const IRMapping &vectors) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (!isa<FloatAttr, IntegerAttr>(constant.getValue()))
      return nullptr;
    auto type = cast<ShapedType>(vectorOf(constant.getType()));
    return b.create<arith::ConstantOp>(DenseElementsAttr::get(type, constant.getValue()));
  }
  SmallVector<Value> args;
  for (Value operand : op->getOperands())
    args.push_back(vectors.lookup(operand));
  if (isElementwise(op)) {
    OperationState state(op->getLoc(), op->getName(), args, vectorOf(op->getResult(0).getType()), op->getAttrs());
    return b.create(state)->getResult(0);
  }
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp exp) {
        return isNegatedMagnitude(exp.getOperand()) ? buildExpOfNegative(b, args[0]) : buildExp(b, args[0]);
      })
      .Case([&](math::LogOp) { return buildLog(b, args[0]); })
      .Case([&](math::Log1pOp log) {
        return isExpOfNegatedMagnitude(log.getOperand()) ? buildLog1pOfFraction(b, args[0]) : buildLog1p(b, args[0]);
      })
      .Case([&](math::TanhOp) { return buildTanh(b, args[0]); })
      .Case([&](math::PowFOp) { return buildPow(b, args[0], args[1]); })
      .Case([&](math::CosOp) { return buildCos(b, args[0]); })
      .Default(Value());
}

/// Writes the function of one slot:
///
///   passes over the spans' whole blocks of 16, then, if elements remain, once more over one block of copies on the
///   stack:
///     entry -> pass(spans, count, mask, sum, inTail) -> head(i, sum) -> body(block i) -> head
///     head -> done -> (inTail) copyOut -> finish
///                  -> (rest == 0) finish
///                  -> fill, copyIn -> pass(copies, 16, ...)
///
/// One body serves both, so an element's value does not depend on where it stands. `mask` clears the contributions of
/// lanes past the end.
class SlotWriter {
public:
  SlotWriter(func::FuncOp slot, Signature signature, ModuleOp out)
      : slot(slot), signature(signature), b(slot.getLoc(), OpBuilder::atBlockEnd(out.getBody())) {
    pointer = LLVM::LLVMPointerType::get(b.getContext());
    floats = floatVector(b.getContext());
    doubles = VectorType::get({kBlock}, b.getF64Type());
    masks = VectorType::get({kBlock}, b.getI32Type());
  }

  llvm::Error write() {
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                            {b.getI64Type(), pointer, pointer, pointer, pointer});
    function = b.create<LLVM::LLVMFuncOp>(slot.getName(), type);
    function.setNoUnwind(true);
    makeBlocks();
    writeEntry();
    if (llvm::Error error = writeLoop())
      return error;
    writeCopies();
    writeFinish();
    return llvm::Error::success();
  }

private:
  Value integer(int64_t v) { return b.create<LLVM::ConstantOp>(b.getI64Type(), b.getI64IntegerAttr(v)); }
  Value flag(bool v) { return b.create<LLVM::ConstantOp>(b.getI1Type(), b.getBoolAttr(v)); }
  Value splat(VectorType type, Attribute v) {
    return b.create<LLVM::ConstantOp>(type, DenseElementsAttr::get(type, v));
  }
  Value zero(VectorType type) { return splat(type, b.getZeroAttr(type.getElementType())); }
  Value element(Value span, Value index) {
    return b.create<LLVM::GEPOp>(pointer, b.getF32Type(), span, ArrayRef<LLVM::GEPArg>{index});
  }
  Value loadAt(Type type, Value base, int64_t index) {
    Value address = b.create<LLVM::GEPOp>(pointer, type, base, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    return b.create<LLVM::LoadOp>(type, address);
  }
  Value load(Type type, Value address) { return b.create<LLVM::LoadOp>(type, address, /*alignment=*/4); }
  void store(Value value, Value address) { b.create<LLVM::StoreOp>(value, address, /*alignment=*/4); }
  Block *block(TypeRange types) {
    Block *made = b.createBlock(&function.getBody(), function.getBody().end());
    for (Type type : types)
      made->addArgument(type, b.getLoc());
    return made;
  }

  void makeBlocks() {
    entry = function.addEntryBlock(b);
    SmallVector<Type> state(signature.inputs + signature.outputs, pointer);
    state.append({b.getI64Type(), masks, doubles, b.getI1Type()});
    pass = block(state);
    head = block({b.getI64Type(), doubles});
    body = block({});
    done = block({});
    more = block({});
    fill = block({});
    copyIn = block({b.getI64Type()});
    copyOut = block({b.getI64Type()});
    finish = block({});
  }

  void writeEntry() {
    b.setInsertionPointToStart(entry);
    Value n = entry->getArgument(0), one = integer(1);
    for (unsigned i = 0; i < signature.inputs; ++i)
      spans.push_back(loadAt(pointer, entry->getArgument(1), i));
    for (unsigned i = 0; i < signature.outputs; ++i)
      spans.push_back(loadAt(pointer, entry->getArgument(2), i));
    for (unsigned i = 0; i < signature.scalars; ++i)
      scalars.push_back(broadcast(loadAt(b.getF32Type(), entry->getArgument(3), i)));
    for (size_t i = 0; i < spans.size(); ++i)
      copies.push_back(b.create<LLVM::AllocaOp>(pointer, floats, one, /*alignment=*/64));
    rest = b.create<LLVM::AndOp>(n, integer(kBlock - 1));
    whole = b.create<LLVM::SubOp>(n, rest);
    SmallVector<Value> state(spans);
    state.append({whole, splat(masks, b.getI32IntegerAttr(-1)), zero(doubles), flag(false)});
    b.create<LLVM::BrOp>(state, pass);
  }

  Value broadcast(Value scalar) {
    Value vector = b.create<LLVM::InsertElementOp>(b.create<LLVM::UndefOp>(floats), scalar, integer(0));
    return b.create<LLVM::ShuffleVectorOp>(vector, vector, SmallVector<int32_t>(kBlock, 0));
  }

  llvm::Error writeLoop() {
    auto passState = pass->getArguments().drop_front(spans.size());
    Value count = passState[0], mask = passState[1], tail = passState[3];
    b.setInsertionPointToStart(pass);
    b.create<LLVM::BrOp>(ValueRange{integer(0), passState[2]}, head);

    Value i = head->getArgument(0), sum = head->getArgument(1);
    b.setInsertionPointToStart(head);
    b.create<LLVM::CondBrOp>(b.create<LLVM::ICmpOp>(LLVM::ICmpPredicate::slt, i, count), body, ValueRange(), done,
                             ValueRange());

    b.setInsertionPointToStart(body);
    SmallVector<Value> results;
    if (llvm::Error error = writeElements(i, results))
      return error;
    for (unsigned k = 0; k < signature.outputs; ++k)
      store(results[k], element(pass->getArgument(signature.inputs + k), i));
    if (signature.sum) {
      Value bits = b.create<LLVM::AndOp>(b.create<LLVM::BitcastOp>(masks, results.back()), mask);
      sum = b.create<LLVM::FAddOp>(sum, b.create<LLVM::FPExtOp>(doubles, b.create<LLVM::BitcastOp>(floats, bits)));
    }
    b.create<LLVM::BrOp>(ValueRange{b.create<LLVM::AddOp>(i, integer(kBlock)), sum}, head);

    b.setInsertionPointToStart(done);
    b.create<LLVM::CondBrOp>(tail, copyOut, ValueRange{integer(0)}, more, ValueRange());
    b.setInsertionPointToStart(more);
    Value nothing = b.create<LLVM::ICmpOp>(LLVM::ICmpPredicate::eq, rest, integer(0));
    b.create<LLVM::CondBrOp>(nothing, finish, ValueRange(), fill, ValueRange());
    return llvm::Error::success();
  }

  /// The slot's operations on block i. All inputs are read before anything is stored: an output may be an input's
  /// memory.
  llvm::Error writeElements(Value i, SmallVector<Value> &results) {
    IRMapping vectors;
    for (unsigned k = 0; k < signature.inputs; ++k)
      vectors.map(slot.getArgument(k), load(floats, element(pass->getArgument(k), i)));
    for (unsigned k = 0; k < signature.scalars; ++k)
      vectors.map(slot.getArgument(signature.inputs + k), scalars[k]);
    for (Operation &op : slot.front().without_terminator()) {
      Value vector = buildVector(b, &op, vectors);
      if (!vector)
        return malformed(slot, "the CPU target has no " + op.getName().getStringRef());
      vectors.map(op.getResult(0), vector);
    }
    for (Value result : slot.front().getTerminator()->getOperands())
      results.push_back(vectors.lookup(result));
    return llvm::Error::success();
  }

  void writeCopies() {
    unsigned inputs = signature.inputs;
    b.setInsertionPointToStart(fill);
    for (Value copy : ArrayRef(copies).take_front(inputs))
      b.create<LLVM::StoreOp>(zero(floats), copy, /*alignment=*/64);
    b.create<LLVM::BrOp>(ValueRange{integer(0)}, copyIn);

    SmallVector<Value> state(copies);
    writeCopyLoop(
        copyIn, ArrayRef(spans).take_front(inputs), ArrayRef(copies).take_front(inputs), whole, Value(), pass, [&] {
          SmallVector<int32_t> lanes(kBlock);
          std::iota(lanes.begin(), lanes.end(), 0);
          Value lane = b.create<LLVM::ConstantOp>(masks, DenseElementsAttr::get(masks, ArrayRef<int32_t>(lanes)));
          Value narrow = b.create<LLVM::TruncOp>(b.getI32Type(), rest);
          Value wide = b.create<LLVM::InsertElementOp>(b.create<LLVM::UndefOp>(masks), narrow, integer(0));
          wide = b.create<LLVM::ShuffleVectorOp>(wide, wide, SmallVector<int32_t>(kBlock, 0));
          Value mask = b.create<LLVM::SExtOp>(masks, b.create<LLVM::ICmpOp>(LLVM::ICmpPredicate::slt, lane, wide));
          state.append({integer(kBlock), mask, head->getArgument(1), flag(true)});
          return state;
        });
    writeCopyLoop(copyOut, ArrayRef(copies).drop_front(inputs), ArrayRef(spans).drop_front(inputs), Value(), whole,
                  finish, [] { return SmallVector<Value>(); });
  }

  /// for j in [0, rest): to[k][j + toOffset] = from[k][j + fromOffset]; then branches to `next`.
  void writeCopyLoop(Block *loop, ArrayRef<Value> from, ArrayRef<Value> to, Value fromOffset, Value toOffset,
                     Block *next, llvm::function_ref<SmallVector<Value>()> state) {
    b.setInsertionPointToStart(loop);
    Value j = loop->getArgument(0);
    auto at = [&](Value offset) { return offset ? b.create<LLVM::AddOp>(j, offset).getResult() : j; };
    Value source = at(fromOffset), destination = at(toOffset);
    for (auto [f, t] : llvm::zip_equal(from, to))
      store(load(b.getF32Type(), element(f, source)), element(t, destination));
    Value following = b.create<LLVM::AddOp>(j, integer(1));
    Value again = b.create<LLVM::ICmpOp>(LLVM::ICmpPredicate::slt, following, rest);
    SmallVector<Value> values = state();
    b.create<LLVM::CondBrOp>(again, loop, ValueRange{following}, next, values);
  }

  /// Adds the lanes in a fixed tree: 8 apart, 4 apart, 2, 1.
  void writeFinish() {
    b.setInsertionPointToStart(finish);
    if (signature.sum) {
      Value lanes = head->getArgument(1);
      for (int64_t distance = kBlock / 2; distance > 0; distance /= 2) {
        SmallVector<int32_t> low(distance), high(distance);
        std::iota(low.begin(), low.end(), 0);
        std::iota(high.begin(), high.end(), static_cast<int32_t>(distance));
        lanes = b.create<LLVM::FAddOp>(b.create<LLVM::ShuffleVectorOp>(lanes, lanes, low),
                                       b.create<LLVM::ShuffleVectorOp>(lanes, lanes, high));
      }
      Value address = entry->getArgument(4);
      Value before = b.create<LLVM::LoadOp>(b.getF64Type(), address);
      Value total = b.create<LLVM::ExtractElementOp>(lanes, integer(0));
      b.create<LLVM::StoreOp>(b.create<LLVM::FAddOp>(before, total), address);
    }
    b.create<LLVM::ReturnOp>(ValueRange());
  }

  func::FuncOp slot;
  Signature signature;
  ImplicitLocOpBuilder b;
  LLVM::LLVMFuncOp function;
  Type pointer;
  VectorType floats, doubles, masks;
  Block *entry, *pass, *head, *body, *done, *more, *fill, *copyIn, *copyOut, *finish;
  SmallVector<Value> spans, copies, scalars; // spans and copies: inputs, then outputs
  Value rest, whole;                         // n = whole + rest, rest < 16
};

llvm::Error lowerToLlvm(ModuleOp module) {
  MLIRContext *context = module.getContext();
  LLVMTypeConverter types(context);
  RewritePatternSet patterns(context);
  arith::populateArithToLLVMConversionPatterns(types, patterns);
  populateMathToLLVMConversionPatterns(types, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  if (failed(applyFullConversion(module, target, std::move(patterns))))
    return llvm::createStringError("the slots do not lower to the LLVM dialect");
  return llvm::Error::success();
}
} // namespace

llvm::Expected<OwningOpRef<ModuleOp>> vectorizeSlots(ModuleOp slots) {
  MLIRContext *context = slots.getContext();
  context->loadDialect<LLVM::LLVMDialect, arith::ArithDialect, math::MathDialect>();
  OwningOpRef<ModuleOp> simplified(slots.clone()), out(ModuleOp::create(slots.getLoc()));
  if (llvm::Error error = simplifySlots(*simplified))
    return std::move(error);
  for (Operation &op : *simplified->getBody()) {
    auto slot = dyn_cast<func::FuncOp>(op);
    if (!slot)
      return llvm::createStringError("a module of slots holds functions only");
    auto signature = signatureOf(slot);
    if (!signature)
      return signature.takeError();
    if (llvm::Error error = SlotWriter(slot, *signature, *out).write())
      return std::move(error);
  }
  if (llvm::Error error = lowerToLlvm(*out))
    return std::move(error);
  return out;
}
} // namespace sn::target
