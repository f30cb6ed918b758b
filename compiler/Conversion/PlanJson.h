// Between plan structures and attributes: the plan dialect carries the fields of runtime/plan/Plan.h as dictionaries.
#pragma once
#include "dialects/Net/Net.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/plan/Plan.h"

namespace sn {
mlir::Attribute jsonToAttribute(mlir::MLIRContext *context, const nlohmann::json &json);
nlohmann::json attributeToJson(mlir::Attribute attribute);

/// The plan of a module that kernel-to-plan has lowered.
plan::Plan exportPlan(mlir::ModuleOp module);
/// Set if the optimizer is proved to add a multiple of the gradient where weights do not decay.
std::optional<plan::PlainUpdate> plainUpdate(net::OptimizerOp op);
/// Sets Parameter::storage of every parameter: bf16 for matrices of which every product is, so that nothing would read
/// more than those bits, as long as each step reads weights of one storage alone; else fp32.
void chooseStorage(plan::Plan &plan);
/// The module of slot functions, the input of the targets.
mlir::ModuleOp slotModule(mlir::ModuleOp module);
inline constexpr llvm::StringLiteral kSlotModule = "slots";
} // namespace sn
