#include "compiler/Target/Cuda/Kernels.h"
#include "compiler/Target/Cuda/Functions.h"
#include "runtime/plan/PlanSchemas.h"
#include "runtime/plan/StepLayout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using llvm::StringRef;

namespace sn::target::cuda {
std::string commentOf(StringRef text) {
  std::string safe = text.str();
  for (char &c : safe)
    if (llvm::isASCII(c) && (!llvm::isPrint(c) || c == '\\'))
      c = '?';
  return safe;
}

namespace {
/// "stored_only" -> "StoredOnly".
std::string typeNameOf(StringRef slot) { return llvm::convertToCamelFromSnakeCase(slot, /*capitalizeFirst=*/true); }

/// As template arguments: "sn::cuda::List<sn::cuda::A, sn::cuda::B>".
std::string listOf(ArrayRef<std::string> types) { return "sn::cuda::List<" + llvm::join(types, ", ") + ">"; }

llvm::Expected<std::string> textOfFunction(ModuleOp slots, const std::string &function, StringRef name) {
  auto slot = slots.lookupSymbol<func::FuncOp>(function);
  if (!slot)
    return llvm::createStringError("the plan names a slot that is not there: " + function);
  return functionText(slot, name);
}

/// The slots of a pointwise kernel in the order of sn::cuda::TargetSlots.
constexpr const char *kPointwise[] = {"body", "background", "stored", "stored_only", "dense"};

class KernelWriter {
public:
  KernelWriter(const plan::Plan &plan, const plan::Step &step, const sn::cuda::Variant *variant, ModuleOp slots)
      : plan(plan), step(step), variant(variant), slots(slots), layout(plan::layoutOf(step)) {}

  llvm::Expected<std::string> write() {
    writeHead();
    for (const auto &[name, use] : step.slots) {
      if (name == "logit" && !isStatistics())
        continue; // the sweeps that follow have it inside their target slots
      auto function = textOfFunction(slots, use.function, typeNameOf(name) + "Function");
      if (!function)
        return function.takeError();
      text += "\n" + *function;
      writeSlot(name, use);
    }
    if (usesTargetSlots())
      text += "\nusing Slots = sn::cuda::TargetSlots<" + targetSlots() + ">;";
    text += "\nusing Kernel = " + skeleton() +
            ";\ntemplate <class Loader, class Optimizer, int Pass>\n__global__ void "
            "__launch_bounds__(sn::cuda::kThreads, 1)\n    " +
            kernelNameOf(step, variant) +
            "(const __grid_constant__ sn::cuda::StepArgs args) {\n  Kernel::template run<Loader, Optimizer, "
            "Pass>(args);\n}\n";
    return std::move(text);
  }

private:
  bool isStatistics() const { return step.sweep == "statistics"; }
  bool isWide() const { return step.kernel == "wide_output" || step.kernel == "wide_softmax"; }

  void writeHead() {
    text += "// " + commentOf(step.label) + ": " + step.kernel + (step.sweep.empty() ? "" : ", " + step.sweep) +
            (step.update ? ", updates" : "") + "\n";
    if (!step.layers.empty())
      text += "// " + std::string(step.layers.size() > 1 ? "layers " : "layer ") +
              commentOf(llvm::join(step.layers, ", ")) + "\n";
    text += "#include \"kernels-templates/cuda/" + header() + ".cuh\"\n";
    if (variant && variant->header != sn::cuda::kPlainVariant.header)
      text += "#include \"kernels-templates/cuda/" + std::string(variant->header) + ".cuh\"\n";
    if (step.update)
      text += "#include \"optimizers.cuh\"\n";
  }

  std::string header() const {
    if (isWide() && !isStatistics())
      return "wide_output"; // one template for every sweep but the statistics
    return step.kernel == "update" ? "parameter_update" : step.kernel;
  }

  void writeSlot(const std::string &name, const plan::SlotUse &use) {
    int64_t hyper = layout.firstHyper.at(name);
    auto list = [&](const std::vector<plan::SlotArg> &args) {
      std::vector<std::string> types;
      for (const plan::SlotArg &arg : args)
        types.push_back(operandType(arg, hyper));
      return listOf(types);
    };
    // One after the other: hyper operands are numbered in this order.
    const std::string in = list(use.in), out = list(use.out), scalars = list(use.scalars);
    const std::string type = typeNameOf(name);
    text += "using " + type + " = sn::cuda::Slot<" + type + "Function,\n    " + in + ",\n    " + out + ",\n    " +
            scalars + ">;\n";
  }

  std::string operandType(const plan::SlotArg &arg, int64_t &hyper) const {
    const std::string prefix = "sn::cuda::";
    auto with = [&](const char *type, auto number) { return prefix + type + "<" + std::to_string(number) + ">"; };
    switch (arg.role) {
    case plan::Role::Accumulator:
      return prefix + "Accumulator";
    case plan::Role::Element:
      return with("Element", layout.place(arg.ref));
    case plan::Role::Column:
      return with("Column", layout.place(arg.ref));
    case plan::Role::Mask: {
      const float p = static_cast<float>(arg.p);
      return prefix + "Mask<" + std::to_string(arg.stream) + "u, 0x" +
             llvm::utohexstr(llvm::bit_cast<uint32_t>(p), /*LowerCase=*/true) + "u /* " + literal(p) + " */>";
    }
    case plan::Role::Target:
      return prefix + "Target";
    case plan::Role::Index:
      return prefix + "Index";
    case plan::Role::Delta:
      return prefix + "Delta";
    case plan::Role::Row:
      return with("Row", layout.place(arg.ref));
    case plan::Role::TargetWeight:
      return prefix + "TargetWeight";
    case plan::Role::TargetScale:
      return prefix + "TargetScale";
    case plan::Role::TargetSum:
      return prefix + "TargetSum";
    case plan::Role::TargetBinary:
      return prefix + "TargetBinary";
    case plan::Role::Hyper:
      return with("Hyper", hyper++);
    case plan::Role::Reduction:
      return with("Reduction", arg.index);
    }
    llvm_unreachable("no such role");
  }

  std::string slotOrNone(const char *name) const {
    return step.slots.count(name) ? typeNameOf(name) : "sn::cuda::NoSlot";
  }
  /// Whether the step has the slots of a pointwise kernel.
  bool usesTargetSlots() const {
    return llvm::any_of(kPointwise, [&](const char *name) { return step.slots.count(name) != 0; });
  }
  std::string targetSlots() const {
    std::vector<std::string> types;
    for (const char *name : kPointwise)
      types.push_back(slotOrNone(name));
    return llvm::join(types, ", ");
  }
  std::string reductions() const {
    std::vector<std::string> types;
    for (auto [i, reduction] : llvm::enumerate(step.reductions))
      types.push_back("sn::cuda::Reduce<" + typeNameOf("reduce" + std::to_string(i)) + ", " +
                      (reduction == "max" ? "true" : "false") + ">");
    return listOf(types);
  }

  /// The template of the schema (kernels-templates/cuda/README.md) over the step's slots.
  std::string skeleton() const {
    const std::string &schema = step.kernel, type = "sn::cuda::" + typeNameOf(schema);
    if (isWide() && isStatistics())
      return "sn::cuda::WideSoftmaxStatistics<Logit" + tileAndWeights() + ">";
    if (isWide())
      return "sn::cuda::WideOutput<sn::cuda::Sweep::" + typeNameOf(step.sweep) + ", Slots" + tileAndWeights() + ">";
    if (schema == "csr_gather" || schema == "gemm")
      return type + "<Epilogue" + tileAndWeights() + ">";
    if (schema == "wide_topk")
      return type + "<Score" + tileAndWeights() + ">";
    if (schema == "gemm_update" || schema == "csc_update") // without defaults, but with a name for them
      return tileAndWeights().empty() ? type : type + "By<" + tile() + ", " + weights() + ">";
    if (schema == "expand")
      return type + "<Epilogue>";
    if (schema == "map")
      return type + "<Slots, " + (plan::isVectorMap(step) ? "true" : "false") + ">";
    if (schema == "row_reduce")
      return type + "<" + reductions() + ", " + (usesTargetSlots() ? "Slots" : "sn::cuda::NoSlot") + ">";
    if (schema == "column_reduce")
      return type + "<Value, " + slotOrNone("finish") + ">";
    if (schema == "update")
      return std::string("sn::cuda::ParameterUpdate<") + (decays() ? "true" : "false") +
             (storesFp32() ? "" : ", " + weights()) + ">";
    return storesFp32() ? type : type + "Of<" + weights() + ">"; // limit_norm
  }
  /// The last template arguments of what multiplies, as far as they are not the defaults.
  std::string tileAndWeights() const {
    std::string arguments = storesFp32() ? "" : ", " + weights();
    if (!arguments.empty() || variant != &sn::cuda::kPlainVariant)
      arguments = ", " + tile() + arguments;
    return arguments;
  }
  std::string tile() const { return std::string(variant->type); }
  std::string weights() const { return storesFp32() ? "sn::cuda::Fp32Weights" : "sn::cuda::Bf16Weights"; }

  /// Of the step's weights, all of which are stored alike.
  bool storesFp32() const {
    return llvm::all_of(step.sources, [&](const plan::Source &source) {
      return source.weights.empty() || parameterNamed(source.weights).storage == plan::Precision::Fp32;
    });
  }
  bool decays() const { return parameterNamed(step.sources.at(0).weights).decays; }
  const plan::Parameter &parameterNamed(const std::string &name) const {
    return *llvm::find_if(plan.parameters, [&](const plan::Parameter &p) { return p.name == name; });
  }

  const plan::Plan &plan;
  const plan::Step &step;
  const sn::cuda::Variant *variant;
  ModuleOp slots;
  plan::StepLayout layout;
  std::string text;
};
} // namespace

std::string kernelNameOf(const plan::Step &step, const sn::cuda::Variant *variant) {
  const std::string name = plan::kernelNameOf(step);
  return !variant || variant == &sn::cuda::kPlainVariant ? name : name + "_" + std::string(variant->name);
}

llvm::Expected<std::string> kernelText(const plan::Plan &plan, const plan::Step &step, const sn::cuda::Variant *variant,
                                       ModuleOp slots) {
  return KernelWriter(plan, step, variant, slots).write();
}

llvm::Expected<std::string> optimizersText(const plan::Plan &plan, ModuleOp slots) {
  std::string text = "// The update rules of " + commentOf(plan.network) +
                     ".\n#pragma once\n#include \"kernels-templates/cuda/slot.cuh\"\n\nnamespace optimizer {\n";
  for (const plan::Optimizer &optimizer : plan.optimizers) {
    for (auto [kind, function] : {std::pair("Weights", &optimizer.weights), std::pair("Bias", &optimizer.bias)}) {
      auto rule = textOfFunction(slots, *function, optimizer.name + kind);
      if (!rule)
        return rule.takeError();
      text += *rule;
    }
    std::string states = std::to_string(optimizer.states.size());
    text += "struct " + optimizer.name + " {";
    std::vector<std::string> scalars;
    for (const plan::NamedExpr &scalar : optimizer.scalars)
      scalars.push_back(scalar.name);
    text += " // states: " + llvm::join(optimizer.states, ", ") + "; scalars: " + llvm::join(scalars, ", ") + "\n";
    for (const char *kind : {"Weights", "Bias"})
      text +=
          std::string("  using ") + kind + " = sn::cuda::UpdateRule<" + optimizer.name + kind + ", " + states + ">;\n";
    text += "};\n\n";
  }
  return text + "} // namespace optimizer\n";
}
} // namespace sn::target::cuda
