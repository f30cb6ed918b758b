// Between plan structures and attributes: the plan dialect carries the fields of runtime/plan/Plan.h as dictionaries.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/plan/Plan.h"

namespace sn {
mlir::Attribute jsonToAttribute(mlir::MLIRContext *context, const nlohmann::json &json);
nlohmann::json attributeToJson(mlir::Attribute attribute);

/// The plan of a module that kernel-to-plan has lowered.
plan::Plan exportPlan(mlir::ModuleOp module);
/// The module of slot functions, the input of the targets.
mlir::ModuleOp slotModule(mlir::ModuleOp module);
inline constexpr llvm::StringLiteral kSlotModule = "slots";
} // namespace sn
