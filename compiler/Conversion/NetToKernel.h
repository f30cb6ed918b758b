// The lowering of one entry from net to kernel.
#pragma once
#include "compiler/Conversion/KernelBuilder.h"
#include "compiler/Transforms/Passes.h"
#include "llvm/ADT/StringMap.h"

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
  llvm::SmallVector<net::UpdateOp> weightUpdates, biasUpdates; // the former by source
};
/// A bound on the norm of the rows of a loss's delta: their sums of squares, and the delta scaled by them.
struct DeltaBound {
  net::RowReduceOp squares;
  net::MapOp scaled;
};
/// How a matrix gets its gradient: from several kernels through a buffer, or from one that updates it as well.
struct GradientUse {
  bool gathered = false;
  double scale = 1; // 1 / the number of layers that use the matrix
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
  template <typename Op> llvm::SmallVector<Op> collect() {
    auto range = entry.getBody().getOps<Op>();
    return llvm::SmallVector<Op>(range.begin(), range.end());
  }
  static llvm::SmallVector<mlir::Value> copyFormula(mlir::OpBuilder &builder, mlir::Region &formula,
                                                    mlir::ValueRange args);

  // WideSchemas.cpp
  std::optional<WideContraction> matchContraction(mlir::Operation *consumer, mlir::ValueRange inputs);
  bool matchProduct(net::ContractOp product, net::ContractOp contract, WideBackprop &backprop);
  std::optional<WideBackprop> matchBackprop(mlir::Value delta, net::ContractOp contract);
  static DeltaBound matchBound(net::LossOp loss);
  bool readOnlyBy(llvm::StringRef parameter, llvm::function_ref<bool(mlir::Operation *)> inside);
  std::string chooseSchedule(const WideContraction &wide, const WideBackprop &backprop, net::LossOp loss,
                             std::string &why);
  /// `scaled`: the formula that bounds the delta by the row scalar `norm`, if there is one.
  void targetSlots(KernelBuilder &kernel, net::LossOp loss, llvm::ArrayRef<kernel::ArgAttr> inputs,
                   kernel::ArgAttr delta, net::MapOp scaled = {}, kernel::ArgAttr norm = {});
  llvm::SmallVector<kernel::ArgAttr> wideArgs(KernelBuilder &kernel, mlir::ValueRange inputs, WideContraction &wide);
  void logitSlot(KernelBuilder &kernel, WideContraction &wide);
  void lowerLoss(net::LossOp loss);
  bool lowerWideLoss(net::LossOp loss, llvm::StringRef report);
  mlir::Value normSweep(net::LossOp loss, WideContraction &wide);
  void lowerRank(net::RankOp rank);
  void rankWithoutProduct(net::RankOp rank, net::MapOp scores);

  // Gradients.cpp
  void findGradients();
  GradientUse gradientUse(llvm::StringRef parameter) { return gradientUses.lookup(parameter); }
  /// The contribution reached its kernel: it leaves the update.
  void takeContribution(net::ContractOp product, net::UpdateOp update);
  mlir::LogicalResult lowerWeightUpdate(net::UpdateOp update);
  void lowerContribution(net::ContractOp product, mlir::Value lhs, mlir::Value rhs, net::UpdateOp update,
                         mlir::Operation *position, double times);
  void lowerVectorUpdate(net::UpdateOp update);
  void applyGathered();
  void limitNorms();

  // Vectors.cpp
  void lowerColumnSum(net::ColumnSumOp sum);
  void reduceColumns(net::ColumnSumOp sum, llvm::ArrayRef<net::UpdateOp> updates, net::MapOp after);
  void lowerVectorMap(net::MapOp map);
  void lowerRowMap(net::MapOp map);
  void lowerAssign(net::AssignOp assign);

  // SplitMaps.cpp
  mlir::LogicalResult splitMaps();

  // NetToKernel.cpp
  void expandData();
  bool lowerEpilogue(net::MapOp map);
  void lowerContract(net::ContractOp contract);
  void lowerRowReduce(net::RowReduceOp first);
  mlir::LogicalResult lowerMap(net::MapOp map);

  net::EntryOp entry;
  llvm::StringRef forced;
  std::string refusal;                       // why the loss at hand is not fused
  llvm::StringMap<GradientUse> gradientUses; // of the matrices this entry updates
  llvm::SmallVector<net::UpdateOp> gatheredUpdates;
  llvm::SmallVector<net::ParameterOp> limited; // matrices whose columns' norms are bounded after their update
};
void replaceAndErase(mlir::Operation *op, mlir::ValueRange values);
/// A contraction that `map` reads and no other operation does, so that the map can be its epilogue; null if none.
net::ContractOp epilogueOf(net::MapOp map);
} // namespace sn
