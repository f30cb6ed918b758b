// Weight gradients and updates. A matrix with one contribution to its gradient is updated by the kernel that forms it;
// several contributions add up in a buffer, and one update follows (design.md section 3).
#include "compiler/Conversion/NetToKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sn {
static net::ParameterOp parameterNamed(net::EntryOp entry, StringRef name) {
  return entry->getParentOfType<ModuleOp>().lookupSymbol<net::ParameterOp>(name);
}
static bool isMatrix(net::ParameterOp parameter) { return cast<net::ValueType>(parameter.getType()).isMatrix(); }

/// Layers of one source with the same delta have the same gradient, formed once: each update gets a product of its own.
static void separate(net::UpdateOp update) {
  for (Value gradient : llvm::SetVector<Value>(update.getGradients().begin(), update.getGradients().end()))
    if (auto product = gradient.getDefiningOp<net::ContractOp>())
      if (llvm::any_of(product->getUsers(), [&](Operation *user) { return user != update; }))
        update->replaceUsesOfWith(gradient, OpBuilder(product).clone(*product)->getResult(0));
}

void EntryLowering::findGradients() {
  for (net::UpdateOp update : collect<net::UpdateOp>()) {
    net::ParameterOp parameter = parameterNamed(entry, update.getParameter());
    if (!isMatrix(parameter))
      continue;
    separate(update);
    size_t contributions = 0;
    for (Value gradient : update.getGradients())
      if (auto product = gradient.getDefiningOp<net::ContractOp>())
        contributions += product.getLhs().size();
    GradientUse use;
    use.gathered = contributions > 1;
    if (std::optional<uint64_t> share = parameter.getShare())
      use.scale = 1.0 / static_cast<double>(*share);
    gradientUses[update.getParameter()] = use;
    if (parameter.getNorm())
      limited.push_back(parameter);
  }
}

void EntryLowering::takeContribution(net::ContractOp product, net::UpdateOp update) {
  for (unsigned i = update.getGradients().size(); i-- > 0;)
    if (update.getGradients()[i] == product.getResult())
      update.getGradientsMutable().erase(i);
  product.erase();
  if (!update.getGradients().empty())
    return;
  if (gradientUse(update.getParameter()).gathered)
    gatheredUpdates.push_back(update);
  else
    update.erase();
}

/// lhs^T rhs, [in, out], by the schema of the side that is stored by example: data, or the left one.
void EntryLowering::lowerContribution(net::ContractOp product, Value lhs, Value rhs, net::UpdateOp update,
                                      Operation *position, double times) {
  GradientUse use = gradientUse(update.getParameter());
  bool transposed = !dataChain(lhs) && dataChain(rhs); // (rhs^T lhs)^T
  if (transposed)
    std::swap(lhs, rhs);
  bool data = bool(dataChain(lhs));
  KernelBuilder kernel(update.getContext(), update.getLoc());
  kernel.source(lhs, update.getParameter(), {transposed, -1, use.gathered, use.scale * times});
  kernel.setPrecision(product);
  kernel.appendInput(rhs);
  if (!use.gathered)
    kernel.set("update", UnitAttr::get(update.getContext()));
  kernel.setText("remark", use.gathered ? "one contribution of several to the gradient of " +
                                              update.getParameter().str() + ", which is stored"
                           : data ? "gradient summed per stored feature and applied row by row: never stored"
                                  : "gradient and update tile by tile: the gradient is not stored");
  kernel.create(data ? "csc_update" : "gemm_update", position);
}

LogicalResult EntryLowering::lowerWeightUpdate(net::UpdateOp update) {
  bool gathered = gradientUse(update.getParameter()).gathered;
  llvm::SetVector<Value> products(update.getGradients().begin(), update.getGradients().end());
  for (Value gradient : products) {
    auto product = gradient.getDefiningOp<net::ContractOp>();
    if (!product || !product.getTransposeA() || product.getTransposeB() ||
        llvm::any_of(product->getUsers(), [&](Operation *user) { return user != update; }))
      return update.emitError("a weight gradient is a sum of products that nothing else reads");
    auto times = static_cast<double>(llvm::count(update.getGradients(), gradient));
    for (auto [lhs, rhs] : llvm::zip(product.getLhs(), product.getRhs()))
      lowerContribution(product, lhs, rhs, update, gathered ? product.getOperation() : update.getOperation(), times);
    takeContribution(product, update);
  }
  return success();
}

/// A vector whose gradient is not one batch sum: minus a B-th of it into a buffer, then the update.
void EntryLowering::lowerVectorUpdate(net::UpdateOp update) {
  MLIRContext *context = update.getContext();
  OpBuilder builder(update);
  Value share = builder.create<net::ScalarOp>(update.getLoc(), net::valueType(context, {}), R"(["div",-1.0,"B"])");
  KernelBuilder map(context, update.getLoc());
  SmallVector<kernel::ArgAttr> args = map.bindAll(update.getGradients());
  args.push_back(map.bind(share));
  kernel::ArgAttr place = map.arg("column", map.result(update.getGradients()[0].getType()));
  map.slot("body", args, {place}, false, [&](OpBuilder &b, ValueRange values) -> SmallVector<Value> {
    Value sum = values[0];
    for (Value value : values.drop_front().drop_back())
      sum = b.create<arith::AddFOp>(update.getLoc(), sum, value);
    return {b.create<arith::MulFOp>(update.getLoc(), sum, values.back())};
  });
  Value gradient = map.create("map", update)->getResult(0);
  KernelBuilder kernel(context, update.getLoc());
  kernel.source({}, update.getParameter(), {false, -1, true});
  kernel.appendInput(gradient);
  kernel.set("update", UnitAttr::get(context));
  kernel.create("update", update);
  update.erase();
}

void EntryLowering::applyGathered() {
  for (net::UpdateOp update : gatheredUpdates) {
    KernelBuilder kernel(update.getContext(), update.getLoc());
    kernel.source({}, update.getParameter(), {false, -1, true});
    kernel.set("update", UnitAttr::get(update.getContext()));
    kernel.setText("remark", "the matrix has several users: their gradients are added before one update");
    kernel.create("update", update);
    update.erase();
  }
}

void EntryLowering::limitNorms() {
  for (net::ParameterOp parameter : limited) {
    KernelBuilder kernel(parameter.getContext(), parameter.getLoc());
    kernel.source({}, parameter.getSymName());
    kernel.set("limit", parameter.getNormAttr());
    kernel.append("limit_norm", entry.getBody().front());
  }
}
} // namespace sn
