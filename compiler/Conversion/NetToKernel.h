// The lowering of one entry from net to kernel.
#pragma once
#include "compiler/Conversion/KernelBuilder.h"
#include "compiler/Transforms/Passes.h"

namespace sn {
/// A contraction that a wide schema can take over: dense sources only, read by its consumer and by the consumer's row
/// statistics alone.
struct WideContraction {
  net::ContractOp contract;
  llvm::SmallVector<net::RowReduceOp> statistics; // none, or a soft-max's maximum and sum
};
/// What follows from a loss's delta, all of which a wide schema computes itself.
struct WideBackprop {
  llvm::SmallVector<net::ContractOp> toSource; // by source, null if not needed
  llvm::SmallVector<net::ContractOp> gradients;
  net::ColumnSumOp biasSum;
  llvm::SmallVector<net::UpdateOp> weightUpdates, biasUpdates;
};

class EntryLowering {
public:
  EntryLowering(net::EntryOp entry, llvm::StringRef schedule) : entry(entry), forced(schedule) {}
  mlir::LogicalResult run();

private:
  template <typename Op> Op firstOf() {
    auto range = entry.getBody().getOps<Op>();
    return range.empty() ? Op() : *range.begin();
  }
  static llvm::SmallVector<mlir::Value> copyFormula(mlir::OpBuilder &builder, mlir::Region &formula,
                                                    mlir::ValueRange args);

  // WideSchemas.cpp
  std::optional<WideContraction> matchContraction(mlir::Operation *consumer, mlir::ValueRange inputs);
  std::optional<WideBackprop> matchBackprop(net::LossOp loss, net::ContractOp contract);
  bool readOnlyBy(llvm::StringRef parameter, llvm::function_ref<bool(mlir::Operation *)> inside);
  std::string chooseSchedule(const WideContraction &wide, const WideBackprop &backprop, net::LossOp loss,
                             std::string &why);
  void targetSlots(KernelBuilder &kernel, net::LossOp loss, llvm::ArrayRef<kernel::ArgAttr> inputs,
                   kernel::ArgAttr delta);
  llvm::SmallVector<kernel::ArgAttr> wideArgs(KernelBuilder &kernel, mlir::ValueRange inputs, WideContraction &wide);
  void logitSlot(KernelBuilder &kernel, WideContraction &wide);
  void lowerLoss(net::LossOp loss);
  bool lowerWideLoss(net::LossOp loss, llvm::StringRef report);
  void lowerRank(net::RankOp rank);

  // NetToKernel.cpp
  bool lowerEpilogue(net::MapOp map);
  void lowerContract(net::ContractOp contract);
  mlir::LogicalResult lowerWeightUpdate(net::ContractOp contract);
  void lowerColumnSum(net::ColumnSumOp sum);
  void lowerRowReduce(net::RowReduceOp first);
  void lowerMap(net::MapOp map);

  net::EntryOp entry;
  llvm::StringRef forced;
};
void replaceAndErase(mlir::Operation *op, mlir::ValueRange values);
} // namespace sn
