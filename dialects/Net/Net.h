// C++ declarations of the net dialect.
#pragma once
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Net/NetDialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Net/NetTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Net/Net.h.inc"

namespace sn::net {
/// The batch extent.
inline constexpr llvm::StringLiteral kBatch = "B";

ValueType valueType(mlir::MLIRContext *context, mlir::ArrayRef<mlir::Attribute> dims);
inline ValueType typeOf(mlir::Value value) { return mlir::cast<ValueType>(value.getType()); }
/// [B, N] for a matrix of one row per example.
mlir::Attribute unitsOf(ValueType type);
/// The entry named so, or null.
EntryOp findEntry(mlir::ModuleOp module, llvm::StringRef name);
} // namespace sn::net
