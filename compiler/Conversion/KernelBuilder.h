// Collects the parts of one kernel operation: sources, operands, results, slots.
#pragma once
#include "dialects/Kernel/Kernel.h"
#include "dialects/Net/Net.h"

namespace sn {
/// What becomes of a factor pair x * W besides the product.
struct SourceUse {
  bool transposed = false;     // x * W^T
  int gradient = -1;           // result that receives the gradient of x, or -1
  bool weightGradient = false; // W's descent gradient goes to its buffer; W is not updated
  double scale = 1;            // of W's descent gradient
};

class KernelBuilder {
public:
  using Body = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::ValueRange)>;

  KernelBuilder(mlir::MLIRContext *context, mlir::Location loc) : builder(context), loc(loc) {}

  kernel::ArgAttr arg(llvm::StringRef role, int64_t index = -1, llvm::StringRef ref = "", double p = 0);
  /// What `value` is to a slot: a mask, a parameter, a host expression, a target scalar, or an operand by its shape.
  kernel::ArgAttr bind(mlir::Value value);
  llvm::SmallVector<kernel::ArgAttr> bindAll(mlir::ValueRange values);
  /// A factor pair: x a buffer, a (corrupted) data set or nothing, W a parameter or "".
  void source(mlir::Value x, llvm::StringRef weights, SourceUse use = {});
  int result(mlir::Type type);
  /// `body` yields one value per output, then the sum's contribution if `sum`.
  void slot(llvm::StringRef name, llvm::ArrayRef<kernel::ArgAttr> args, llvm::ArrayRef<kernel::ArgAttr> outputs,
            bool sum, Body body);
  void set(llvm::StringRef name, mlir::Attribute value) { attributes.set(name, value); }
  /// Of the kernel's products: that of a contraction; all that it takes over have the same.
  void setPrecision(net::ContractOp contract) {
    if (mlir::StringAttr precision = contract.getPrecisionAttr())
      set("precision", precision);
  }
  void setText(llvm::StringRef name, llvm::StringRef text) { set(name, builder.getStringAttr(text)); }
  void setTexts(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> texts) {
    set(name, builder.getStrArrayAttr(texts));
  }
  /// Creates the operation of schema `name` before `position`.
  mlir::Operation *create(llvm::StringRef name, mlir::Operation *position);
  /// The same at the end of a block.
  mlir::Operation *append(llvm::StringRef name, mlir::Block &block);
  int appendInput(mlir::Value value);

private:
  mlir::Operation *build(llvm::StringRef name);

  mlir::OpBuilder builder;
  mlir::Location loc;
  llvm::SmallVector<mlir::Value> sourceValues, inputs;
  llvm::SmallVector<mlir::Attribute> sources, slotNames, bindings, outputs, sums;
  llvm::SmallVector<mlir::Type> results;
  llvm::SmallVector<std::unique_ptr<mlir::Region>> regions;
  mlir::NamedAttrList attributes;
};

/// The data set and corruptions behind a value, if it is one of net.data, net.corrupt.
struct DataChain {
  net::DataOp data;
  llvm::SmallVector<net::CorruptOp> corruptions;
  explicit operator bool() { return data != nullptr; }
};
DataChain dataChain(mlir::Value value);
/// The parameter that a value reads, or "".
llvm::StringRef parameterOf(mlir::Value value);
/// The layer an operation belongs to, from its location; "" if unknown.
llvm::StringRef layerOf(mlir::Location loc);
/// Names of the records that went into it, from its location, for people.
llvm::StringRef recordOf(mlir::Location loc);
} // namespace sn
