// factor-outputs: which wide outputs can be trained in factored form. The proof is from the formulas in their slots and
// from who else reads their matrices; it knows no record and no layer.
#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/Polynomial.h"
#include "runtime/plan/Factored.h"

using namespace mlir;

namespace sn {
#define GEN_PASS_DEF_FACTOROUTPUTS
#include "compiler/Transforms/Passes.h.inc"

namespace {
enum Unknown : unsigned { Product, Bias, Weight, Target };

/// What an argument of a slot is in the proof.
std::optional<Polynomial> meaning(kernel::ArgAttr arg, StringRef bias) {
  StringRef role = arg.getRole();
  if (role == "accumulator")
    return Polynomial::unknown(Product);
  if (role == "column" && !bias.empty() && arg.getRef() == bias)
    return Polynomial::unknown(Bias);
  if (role == "target.weight")
    return Polynomial::unknown(Weight);
  if (role == "target")
    return Polynomial::unknown(Target);
  return std::nullopt;
}

/// A slot's delta and loss.
struct SlotForm {
  Polynomial delta, loss;
};

class Candidate {
public:
  Candidate(kernel::WideOutput op, ModuleOp module) : op(op), module(module) {}

  /// Why the kernel cannot be factored, "" if it can.
  std::string refusal() {
    std::string why = structure();
    return why.empty() ? formulas() : why;
  }
  double slope() const { return theSlope; }
  net::ParameterOp matrix() { return module.lookupSymbol<net::ParameterOp>(source().getAs<StringAttr>("weights")); }

private:
  DictionaryAttr source() { return cast<DictionaryAttr>(op.getSources()[0]); }
  StringRef bias() {
    auto biases = op.getBiasesAttr();
    return biases && biases.size() == 1 ? cast<StringAttr>(biases[0]).getValue() : StringRef();
  }
  std::string structure();
  std::string formulas();
  bool hasOtherReader(StringRef parameter);
  std::optional<SlotForm> form(unsigned slot);

  kernel::WideOutput op;
  ModuleOp module;
  double theSlope = 0;
};

/// Of a matrix or a bias, in this entry.
bool Candidate::hasOtherReader(StringRef parameter) {
  for (Operation &other : *op->getBlock()) {
    if (&other == op)
      continue;
    auto sources = other.getAttrOfType<ArrayAttr>("sources"), bindings = other.getAttrOfType<ArrayAttr>("bindings");
    for (Attribute source : sources ? sources.getValue() : ArrayRef<Attribute>())
      if (auto weights = cast<DictionaryAttr>(source).getAs<StringAttr>("weights");
          weights && weights.getValue() == parameter)
        return true;
    for (Attribute slot : bindings ? bindings.getValue() : ArrayRef<Attribute>())
      for (Attribute arg : cast<ArrayAttr>(slot))
        if (cast<kernel::ArgAttr>(arg).getRef() == parameter)
          return true;
  }
  return false;
}

std::string Candidate::structure() {
  if (op.getSchedule() != "single")
    return "its parameters are read again later in the step";
  if (op.getSources().size() != 1)
    return "it has several sources";
  if (source().contains("transposed") || source().contains("weight_gradient") || source().contains("scale"))
    return "its matrix is shared";
  if (op.getBiasesAttr() && op.getBiasesAttr().size() > 1)
    return "it has several biases";
  if (matrix().getNorm())
    return "the norms of its matrix are limited after each update";
  if (module.lookupSymbol<net::EntryOp>("trial"))
    return "the divergence brake reads its matrix before each step";
  for (StringRef parameter : {matrix().getSymName(), bias()})
    if (!parameter.empty() && hasOtherReader(parameter))
      return "'" + parameter.str() + "' has another reader";
  return "";
}

std::optional<SlotForm> Candidate::form(unsigned slot) {
  std::vector<Polynomial> arguments;
  for (Attribute arg : cast<ArrayAttr>(op.getBindings()[slot]))
    if (std::optional<Polynomial> what = meaning(cast<kernel::ArgAttr>(arg), bias()))
      arguments.push_back(*what);
    else
      return std::nullopt;
  auto outputs = cast<ArrayAttr>(op.getOutputs()[slot]);
  if (outputs.size() != 1 || cast<kernel::ArgAttr>(outputs[0]).getRole() != "delta")
    return std::nullopt;
  PolynomialReader reader(op->getRegion(slot).front(), std::move(arguments));
  return SlotForm{reader.result(0), reader.result(1)};
}

/// Dense: delta = s w (y - t), loss = s/2 w (y - t)^2. Sparse: the same with t = 0, and where an entry is stored the
/// loss gains what it differs by.
std::string Candidate::formulas() {
  std::map<std::string, SlotForm> forms;
  for (auto [slot, name] : llvm::enumerate(op.getSlotNames().getAsValueRange<StringAttr>())) {
    std::optional<SlotForm> found = form(slot);
    if (!found)
      return "its loss reads more than product, bias, target and the example's weight";
    forms[name.str()] = *found;
  }
  const Polynomial y = Polynomial::unknown(Product) + (bias().empty() ? Polynomial() : Polynomial::unknown(Bias));
  const Polynomial w = Polynomial::unknown(Weight), t = Polynomial::unknown(Target);
  theSlope = forms["dense"].delta.coefficient({Product, Weight});
  auto fits = [&](const char *slot, const Polynomial &target, const Polynomial &without) {
    const Polynomial error = w * (y - target);
    return forms[slot].delta == error * theSlope &&
           forms[slot].loss == (error * (y - target) - without) * (theSlope / 2);
  };
  if (!(theSlope > 0) || !fits("dense", t, 0) || !fits("background", 0, 0))
    return "its loss is no multiple of (output - target)^2";
  if (!fits("stored", t, w * y * y))
    return "stored targets count in a way of their own";
  return "";
}

struct Factoring : impl::FactorOutputsBase<Factoring> {
  using FactorOutputsBase::FactorOutputsBase;

  void runOnOperation() override {
    auto train = getOperation().lookupSymbol<net::EntryOp>("train");
    if (!train || (!schedule.empty() && schedule != "factored"))
      return;
    for (auto op : train.getBody().getOps<kernel::WideOutput>())
      if (op.getUpdate())
        decide(op);
  }

  void decide(kernel::WideOutput op) {
    Candidate candidate(op, getOperation());
    std::string why = candidate.refusal();
    const bool always = schedule == "factored";
    if (why.empty() && !always)
      why = tooSmall(candidate.matrix());
    Builder builder(op.getContext());
    if (why.empty()) {
      SmallVector<NamedAttribute> fields{builder.getNamedAttr("slope", builder.getF64FloatAttr(candidate.slope()))};
      if (always)
        fields.push_back(builder.getNamedAttr("always", builder.getUnitAttr()));
      op.setFactoredAttr(builder.getDictionaryAttr(fields));
      why = "factored on sparse targets, with a plain optimizer and no decay: then outputs that no example has are not "
            "touched";
    } else {
      why = "not factored: " + why;
    }
    op.setRemark((op.getRemark() ? op.getRemark()->str() + "; " : "") + why);
  }

  /// Of extents that are known already.
  static std::string tooSmall(net::ParameterOp matrix) {
    auto dims = cast<net::ValueType>(matrix.getType()).getDims();
    auto in = dyn_cast<IntegerAttr>(dims.front()), out = dyn_cast<IntegerAttr>(dims.back());
    if (!in || !out)
      return "";
    // The best case, one entry in a row; more of them only cost the factored form more.
    const plan::FactoredExtents best{static_cast<double>(out.getInt()), static_cast<double>(in.getInt() + 1), 1024, 1};
    return plan::factoringPays(best) ? "" : "it would not pay with " + std::to_string(out.getInt()) + " outputs";
  }
};
} // namespace
} // namespace sn
