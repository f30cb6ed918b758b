// Network -> net dialect.
#pragma once
#include "compiler/Frontend/Network.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace sn {
/// The module of a checked network: its parameters, every update rule of the vocabulary, and the entries train (forward
/// only; `differentiate` adds backprop and updates), trial (the same without updates, where DSSTNE's divergence brake
/// is on), evaluate and predict; without output layers predict alone. An entry holds only layers that its results
/// depend on. Operations carry the layer's position in the JSON file. Module attributes: net.name, net.training
/// (dictionary).
mlir::OwningOpRef<mlir::ModuleOp> importNetwork(mlir::MLIRContext &context, const frontend::Network &network);
} // namespace sn
