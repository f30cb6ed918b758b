#include "compiler/Target/Cuda/Emit.h"
#include "compiler/Target/Cuda/Choice.h"
#include "compiler/Target/Cuda/Kernels.h"
#include "compiler/Target/Slots/Simplify.h"
#include "kernels-templates/cuda/Templates.h"
#include "kernels-templates/cuda/abi.cuh"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/plan/CudaManifest.h"
#include "runtime/plan/StepLayout.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sn::target {
namespace {
/// The kernels of a plan, each text once.
struct Kernels {
  std::map<std::string, std::string> texts;                // by id
  std::map<std::string, std::string> idOf;                 // by text
  std::vector<std::string> order;                          // ids, by first use
  std::map<std::string, std::vector<std::string>> usersOf; // by id: comment lines on the steps that run it
  plan::CudaManifest manifest;
  std::vector<std::string> remarks;

  /// Ids are the kernels' names, those of later texts with a number.
  std::string intern(const std::string &name, const std::string &text) {
    if (auto known = idOf.find(text); known != idOf.end())
      return known->second;
    std::string id = name;
    for (int i = 2; texts.count(id) != 0; ++i)
      id = name + "_" + std::to_string(i);
    texts[id] = text;
    idOf[text] = id;
    order.push_back(id);
    manifest.names[id] = name;
    return id;
  }
};

/// Why a step cannot be launched; "" if it can.
std::string obstacle(const plan::Step &step) {
  auto tooMany = [&](size_t count, int most, const char *what) {
    return step.label + ": " + step.kernel + ": not on a CUDA device: " + std::to_string(count) + " " + what +
           ", more than the " + std::to_string(most) + " that a launch hands over";
  };
  if (size_t count = plan::layoutOf(step).pointers.size(); count > sn::cuda::kPointers)
    return tooMany(count, sn::cuda::kPointers, "operands");
  if (step.rows.size() > sn::cuda::kRowBuffers)
    return tooMany(step.rows.size(), sn::cuda::kRowBuffers, "results by row");
  return "";
}

/// A comment on a step that runs a kernel: its operands.
std::string describe(const std::string &name, const plan::Step &step) {
  const plan::StepLayout layout = plan::layoutOf(step);
  std::string text = "// " + name;
  for (auto [i, operand] : llvm::enumerate(layout.pointers))
    text += (i ? ", [" : ": pointers [") + std::to_string(i) + "] " + cuda::commentOf(operand);
  for (auto [i, value] : llvm::enumerate(layout.hypers))
    text += (i ? ", [" : "; hypers [") + std::to_string(i) + "] " + cuda::commentOf(nlohmann::json(value).dump());
  return text + "\n";
}

llvm::Error addEntry(Kernels &kernels, const plan::Plan &plan, const plan::Entry &entry, ModuleOp slots) {
  for (const plan::Step &step : entry.steps)
    if (std::string why = obstacle(step); !why.empty()) {
      kernels.remarks.push_back(entry.name + ": " + why);
      return llvm::Error::success();
    }
  for (auto [i, step] : llvm::enumerate(entry.steps)) {
    std::vector<std::string> &ids = kernels.manifest.entries[entry.name].emplace_back();
    for (const sn::cuda::Variant *variant : cuda::variantsOf(plan, step)) {
      auto text = cuda::kernelText(plan, step, variant, slots);
      if (!text)
        return text.takeError();
      const std::string id = kernels.intern(cuda::kernelNameOf(step, variant), *text);
      if (variant) {
        kernels.manifest.variants[id] = variant->name;
        int &shared = kernels.manifest.shared[id]; // steps of one text may differ in it
        shared = std::max(shared, cuda::sharedBytesOf(step, *variant));
      }
      kernels.usersOf[id].push_back(describe(entry.name + " " + std::to_string(i), step));
      ids.push_back(id);
    }
  }
  return llvm::Error::success();
}

struct Emitted {
  Kernels kernels;
  std::string optimizers;
};
llvm::Expected<Emitted> emit(const plan::Plan &plan, ModuleOp slots) {
  OwningOpRef<ModuleOp> simplified(slots.clone());
  if (llvm::Error error = simplifySlots(*simplified))
    return std::move(error);
  Emitted emitted;
  emitted.kernels.manifest.abi = sn::cuda::kAbiVersion;
  for (const plan::Entry &entry : plan.entries)
    if (llvm::Error error = addEntry(emitted.kernels, plan, entry, *simplified))
      return std::move(error);
  auto optimizers = cuda::optimizersText(plan, *simplified);
  if (!optimizers)
    return optimizers.takeError();
  emitted.optimizers = std::move(*optimizers);
  return emitted;
}
} // namespace

llvm::Expected<CudaText> emitCuda(const plan::Plan &plan, ModuleOp slots) {
  auto emitted = emit(plan, slots);
  if (!emitted)
    return emitted.takeError();
  CudaText text;
  for (const auto &[id, kernel] : emitted->kernels.texts)
    text.entries[plan::kCudaKernels + (id + ".cu")] = kernel;
  for (const auto &[name, header] : sn::cuda::templateTexts())
    text.entries[plan::kCudaInclude + std::string(name)] = header;
  text.entries[plan::kCudaKernels + std::string(plan::kCudaCommon) + ".cu"] =
      "#include \"kernels-templates/cuda/common.cuh\"\n";
  text.entries[std::string(plan::kCudaInclude) + "optimizers.cuh"] = emitted->optimizers;
  text.entries[plan::kCudaManifest] = nlohmann::json(emitted->kernels.manifest).dump(1) + "\n";
  text.remarks = std::move(emitted->kernels.remarks);
  return text;
}

llvm::Expected<std::string> emitCudaText(const plan::Plan &plan, ModuleOp slots) {
  auto emitted = emit(plan, slots);
  if (!emitted)
    return emitted.takeError();
  std::string text;
  for (const std::string &remark : emitted->kernels.remarks)
    text += "// " + remark + "\n";
  text += "// ===== optimizers.cuh\n" + emitted->optimizers;
  for (const std::string &id : emitted->kernels.order)
    text += "\n// ===== " + id + ".cu\n" + llvm::join(emitted->kernels.usersOf[id], "") + emitted->kernels.texts[id];
  return text;
}
} // namespace sn::target
