// kernel-to-plan: values become buffers with lifetimes, kernels become steps, slots become functions of module @slots.
// Assumes the entry's operations are in a valid order; `recompute` update sweeps, updates from gradient buffers and
// norm limits run at the end of the step list, in this order.
#include "compiler/Conversion/KernelBuilder.h"
#include "compiler/Conversion/PlanJson.h"
#include "compiler/Transforms/FormulaAd.h"
#include "compiler/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace sn {
#define GEN_PASS_DEF_KERNELTOPLAN
#include "compiler/Transforms/Passes.h.inc"

namespace {
bool isScalarRole(StringRef role) {
  return role == "row" || role == "hyper" || role == "reduction" || role.starts_with("target.");
}

plan::Role roleOf(StringRef name) { return nlohmann::json(name.str()).get<plan::Role>(); }

/// Slot functions, each written once.
class SlotLibrary {
public:
  SlotLibrary(ModuleOp parent) : builder(parent.getContext()) {
    builder.setInsertionPointToEnd(parent.getBody());
    module = builder.create<ModuleOp>(parent.getLoc(), kSlotModule);
  }
  /// A function of `inputs` spans and then scalars: argument i of the formula is argument order[i] of the function.
  std::string add(const std::string &name, Region &formula, ArrayRef<unsigned> order, unsigned inputs, bool sum);

private:
  OpBuilder builder;
  ModuleOp module;
};

std::string SlotLibrary::add(const std::string &name, Region &formula, ArrayRef<unsigned> order, unsigned inputs,
                             bool sum) {
  Block &block = formula.front();
  Type f32 = builder.getF32Type();
  unsigned results = block.getTerminator()->getNumOperands();
  builder.setInsertionPointToEnd(module.getBody());
  auto function = builder.create<func::FuncOp>(
      formula.getLoc(), name,
      builder.getFunctionType(SmallVector<Type>(order.size(), f32), SmallVector<Type>(results, f32)));
  function->setAttr("slot.inputs", builder.getI64IntegerAttr(inputs));
  function->setAttr("slot.scalars", builder.getI64IntegerAttr(order.size() - inputs));
  if (sum)
    function->setAttr("slot.sum", builder.getUnitAttr());
  OpBuilder::InsertionGuard guard(builder);
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  SmallVector<Value> args;
  for (unsigned position : order)
    args.push_back(body->getArgument(position));
  builder.create<func::ReturnOp>(formula.getLoc(), cloneFormula(builder, block, args));
  return name;
}

class EntryPlanner {
public:
  EntryPlanner(net::EntryOp entry, SlotLibrary &slots) : entry(entry), slots(slots) {}
  void run(OpBuilder &builder);

private:
  struct Planned {
    plan::Step step;
    std::string remark;
    std::vector<std::string> reads, writes; // buffers
  };
  struct Buffer {
    std::string name;
    net::ValueType type;
  };
  std::string unique(const std::string &base);
  const std::string &buffer(Value value) { return buffers.find(value)->second.name; }
  const std::string &gradientBuffer(StringRef parameter);
  net::ParameterOp parameterNamed(StringRef name) {
    return entry->getParentOfType<ModuleOp>().lookupSymbol<net::ParameterOp>(name);
  }
  void declare(Value value, const std::string &base);
  void kernel(Operation *op);
  Planned common(Operation *op);
  void sources(Operation *op, Planned &planned);
  plan::Source source(Operation *op, DictionaryAttr fields, Planned &planned);
  void addSlot(Operation *op, unsigned index, Planned &planned);
  plan::SlotArg slotArg(kernel::ArgAttr arg, Operation *op, Planned &planned);
  plan::Dim columnsOf(Operation *op);
  void sweeps(Operation *op);
  void dropSlots(Planned &planned, bool statistics);
  void accumulations();
  void lifetimes();
  void dependencies();

  net::EntryOp entry;
  SlotLibrary &slots;
  DenseMap<Value, Buffer> buffers;
  std::map<Operation *, std::vector<std::string>> rowBuffers; // of a wide_softmax
  std::vector<Buffer> order;                                  // all buffers, by creation
  std::vector<Planned> steps, deferred, updates, limits;      // in the order they run
  std::map<std::string, std::string> gradientBuffers;         // by parameter
  llvm::StringSet<> names;
  std::map<std::string, std::pair<int64_t, int64_t>> live;
};

std::string EntryPlanner::unique(const std::string &base) {
  std::string name = base;
  for (int number = 2; !names.insert(name).second; ++number)
    name = base + "." + std::to_string(number);
  return name;
}

void EntryPlanner::declare(Value value, const std::string &base) {
  Buffer made{unique(base), net::typeOf(value)};
  order.push_back(made);
  buffers.insert({value, made});
}

plan::Dim dimOf(Attribute attribute) {
  if (auto symbol = dyn_cast<StringAttr>(attribute))
    return {0, symbol.str()};
  return {cast<IntegerAttr>(attribute).getInt(), ""};
}

/// The width of the tiles: of the weights' output side, as the kernel says, of a matrix result or operand, or of a
/// vector.
plan::Dim EntryPlanner::columnsOf(Operation *op) {
  auto sources = op->getAttrOfType<ArrayAttr>("sources");
  auto source = sources.empty() ? DictionaryAttr() : cast<DictionaryAttr>(sources[0]);
  if (auto weights = source ? source.getAs<StringAttr>("weights") : StringAttr()) {
    auto dims = cast<net::ValueType>(parameterNamed(weights.getValue()).getType()).getDims();
    return dimOf(source.contains("transposed") ? dims.front() : dims.back());
  }
  if (Attribute given = op->getAttr("columns"))
    return dimOf(given);
  for (Value value : llvm::concat<Value>(SmallVector<Value>(op->getResults()), SmallVector<Value>(op->getOperands())))
    if (net::typeOf(value).isMatrix())
      return dimOf(net::unitsOf(net::typeOf(value)));
  return dimOf(net::typeOf(op->getResult(0)).getDims()[0]);
}

plan::SlotArg EntryPlanner::slotArg(kernel::ArgAttr arg, Operation *op, Planned &planned) {
  plan::SlotArg out;
  StringRef role = arg.getRole();
  out.role = roleOf(role);
  if (role == "mask") {
    out.stream = static_cast<uint32_t>(arg.getIndex());
    out.p = arg.getP().getValueAsDouble();
  } else if (role == "hyper") {
    out.value = nlohmann::json::parse(arg.getRef().str()).get<plan::Expr>();
  } else if (role == "reduction") {
    if (auto rows = rowBuffers.find(op); rows != rowBuffers.end()) {
      out.role = plan::Role::Row;
      out.ref = rows->second[arg.getIndex()];
      planned.reads.push_back(out.ref);
    } else {
      out.index = arg.getIndex();
    }
  } else if (!arg.getRef().empty()) {
    out.ref = arg.getRef().str();
  } else if (arg.getIndex() >= 0) {
    auto segments = op->getAttrOfType<DenseI32ArrayAttr>("operandSegmentSizes");
    out.ref = buffer(op->getOperand(segments[0] + arg.getIndex()));
    planned.reads.push_back(out.ref);
  }
  return out;
}

void EntryPlanner::addSlot(Operation *op, unsigned index, Planned &planned) {
  StringRef name = cast<StringAttr>(op->getAttrOfType<ArrayAttr>("slotNames")[index]).getValue();
  auto bindings = cast<ArrayAttr>(op->getAttrOfType<ArrayAttr>("bindings")[index]);
  auto outputs = cast<ArrayAttr>(op->getAttrOfType<ArrayAttr>("outputs")[index]);
  plan::SlotUse use;
  use.sum = llvm::is_contained(op->getAttrOfType<ArrayAttr>("sums"), StringAttr::get(op->getContext(), name));
  unsigned inputs =
      llvm::count_if(bindings, [](Attribute a) { return !isScalarRole(cast<kernel::ArgAttr>(a).getRole()); });
  SmallVector<unsigned> positions;
  unsigned nextInput = 0, nextScalar = inputs;
  for (Attribute binding : bindings) {
    auto arg = cast<kernel::ArgAttr>(binding);
    bool scalar = isScalarRole(arg.getRole());
    positions.push_back(scalar ? nextScalar++ : nextInput++);
    (scalar ? use.scalars : use.in).push_back(slotArg(arg, op, planned));
  }
  for (Attribute place : outputs) {
    auto arg = cast<kernel::ArgAttr>(place);
    plan::SlotArg out;
    out.role = roleOf(arg.getRole());
    if (arg.getIndex() >= 0) {
      out.ref = buffer(op->getResult(arg.getIndex()));
      planned.writes.push_back(out.ref);
    } else {
      out.ref = arg.getRef().str(); // an assignment
    }
    use.out.push_back(out);
  }
  use.function = slots.add(entry.getSymName().str() + "_" + std::to_string(steps.size()) + "_" + name.str(),
                           op->getRegion(index), positions, inputs, use.sum);
  planned.step.slots[name.str()] = use;
}

/// What a matrix's gradients add up in: as large as it, laid out like it.
const std::string &EntryPlanner::gradientBuffer(StringRef parameter) {
  auto [found, fresh] = gradientBuffers.try_emplace(parameter.str());
  if (fresh) {
    found->second = unique(parameter.str() + ".gradient");
    order.push_back({found->second, cast<net::ValueType>(parameterNamed(parameter).getType())});
  }
  return found->second;
}

void EntryPlanner::sources(Operation *op, Planned &planned) {
  for (Attribute attribute : op->getAttrOfType<ArrayAttr>("sources"))
    planned.step.sources.push_back(source(op, cast<DictionaryAttr>(attribute), planned));
}

plan::Source EntryPlanner::source(Operation *op, DictionaryAttr fields, Planned &planned) {
  plan::Source source;
  if (auto weights = fields.getAs<StringAttr>("weights"))
    source.weights = weights.str();
  source.transposed = fields.contains("transposed");
  if (auto data = fields.getAs<StringAttr>("data")) {
    source.data = true;
    source.ref = data.str();
    for (Attribute mask : fields.getAs<ArrayAttr>("corruption"))
      source.corruption.push_back({static_cast<uint32_t>(cast<kernel::ArgAttr>(mask).getIndex()),
                                   cast<kernel::ArgAttr>(mask).getP().getValueAsDouble()});
  } else if (auto operand = fields.getAs<IntegerAttr>("operand")) {
    source.ref = buffer(op->getOperand(operand.getInt()));
    planned.reads.push_back(source.ref);
  }
  if (auto gradient = fields.getAs<IntegerAttr>("gradient")) {
    source.gradient = buffer(op->getResult(gradient.getInt()));
    planned.writes.push_back(source.gradient);
  }
  if (auto scale = fields.getAs<FloatAttr>("scale"))
    source.scale = scale.getValueAsDouble();
  if (fields.contains("weight_gradient")) {
    bool applies = isa<kernel::Update>(op);
    source.weightGradient =
        applies && op->getNumOperands() > 0 ? buffer(op->getOperand(0)) : gradientBuffer(source.weights);
    (applies ? planned.reads : planned.writes).push_back(source.weightGradient);
  }
  return source;
}

EntryPlanner::Planned EntryPlanner::common(Operation *op) {
  Planned planned;
  plan::Step &step = planned.step;
  step.kernel = op->getName().stripDialect().str();
  for (Attribute layer : op->getAttrOfType<ArrayAttr>("layers"))
    step.layers.push_back(cast<StringAttr>(layer).str());
  step.label = llvm::join(step.layers, ", ");
  if (StringRef record = recordOf(op->getLoc()); !record.empty())
    step.label += " (" + record.str() + ")";
  auto strings = [&](StringRef name, std::vector<std::string> &to) {
    if (auto array = op->getAttrOfType<ArrayAttr>(name))
      for (Attribute text : array)
        to.push_back(cast<StringAttr>(text).str());
  };
  auto text = [&](StringRef name, std::string &to) {
    if (auto attribute = op->getAttrOfType<StringAttr>(name))
      to = attribute.str();
  };
  strings("biases", step.biases);
  strings("reductions", step.reductions);
  text("target", step.target);
  text("report", step.report);
  text("remark", planned.remark);
  step.update = op->hasAttr("update");
  if (auto limit = op->getAttrOfType<FloatAttr>("limit"))
    step.limit = limit.getValueAsDouble();
  if (auto precision = op->getAttrOfType<StringAttr>("precision"))
    step.precision = *plan::precisionNamed(precision.getValue());
  if (auto factored = op->getAttrOfType<DictionaryAttr>("factored"))
    step.factored = {factored.getAs<FloatAttr>("slope").getValueAsDouble(), factored.contains("always")};
  step.columns = columnsOf(op);
  sources(op, planned);
  for (unsigned i = 0; i < op->getNumRegions(); ++i)
    addSlot(op, i, planned);
  return planned;
}

void EntryPlanner::dropSlots(Planned &planned, bool statistics) {
  for (auto slot = planned.step.slots.begin(); slot != planned.step.slots.end();)
    slot = (slot->first == "logit") == statistics ? std::next(slot) : planned.step.slots.erase(slot);
}

static void withoutUpdate(plan::Source &source) {
  source.weightGradient.clear();
  source.scale = 1;
}

/// wide_output and wide_softmax: one plan step per sweep.
void EntryPlanner::sweeps(Operation *op) {
  std::string schedule = op->getAttrOfType<StringAttr>("schedule").str();
  Planned whole = common(op);
  bool softmax = whole.step.kernel == "wide_softmax";
  if (schedule == "norm") {
    whole.step.sweep = schedule;
    whole.step.rows = {buffer(op->getResult(0))};
    whole.writes.push_back(whole.step.rows[0]);
    steps.push_back(whole);
    return;
  }
  std::vector<std::string> rows = softmax ? rowBuffers.at(op) : std::vector<std::string>();
  whole.step.reductions.clear();
  whole.step.rows = rows;
  if (softmax) {
    Planned statistics = whole;
    statistics.step.sweep = "statistics";
    statistics.step.biases.clear(), statistics.step.target.clear(), statistics.step.report.clear();
    statistics.step.update = false;
    statistics.reads.clear(), statistics.writes = rows;
    for (plan::Source &source : statistics.step.sources) {
      source.gradient.clear();
      withoutUpdate(source);
      statistics.reads.push_back(source.ref);
    }
    statistics.remark = "row maximum and sum of exponentials tile by tile: the logits are not stored";
    dropSlots(statistics, true);
    steps.push_back(statistics);
    if (schedule == "statistics")
      return;
    whole.reads.insert(whole.reads.end(), rows.begin(), rows.end());
  }
  dropSlots(whole, false);
  Planned first = whole;
  first.step.sweep = schedule == "recompute" ? "forward" : schedule;
  if (schedule == "recompute") {
    first.step.update = false;
    first.step.biases.clear();
    for (plan::Source &source : first.step.sources) {
      llvm::erase(first.writes, source.weightGradient);
      withoutUpdate(source);
    }
    Planned second = whole;
    second.step.sweep = "update";
    second.step.report.clear();
    second.writes.clear();
    for (plan::Source &source : second.step.sources) {
      source.gradient.clear();
      if (!source.weightGradient.empty())
        second.writes.push_back(source.weightGradient);
    }
    second.remark = "second sweep: the deltas again, weight gradient and update";
    deferred.push_back(second);
  }
  steps.push_back(first);
}

void EntryPlanner::kernel(Operation *op) {
  std::string layer = layerOf(op->getLoc()).str(), schema = op->getName().stripDialect().str();
  if (schema == "wide_softmax") {
    std::vector<std::string> rows;
    if (op->getAttrOfType<StringAttr>("schedule").getValue() == "statistics") {
      for (Value result : op->getResults()) {
        declare(result, layer + ".statistic");
        rows.push_back(buffer(result));
      }
    } else {
      for (const char *what : {".max", ".sum"}) {
        Buffer made{unique(layer + what),
                    net::valueType(op->getContext(), {StringAttr::get(op->getContext(), net::kBatch)})};
        order.push_back(made);
        rows.push_back(made.name);
      }
    }
    rowBuffers[op] = rows;
  }
  for (Value result : op->getResults())
    if (!buffers.contains(result)) {
      net::ValueType type = net::typeOf(result);
      bool wide = StringRef(schema).starts_with("wide_") && type.isMatrix();
      declare(result, layer + (wide              ? ".source_gradient"
                               : type.isRow()    ? ".row"
                               : type.isColumn() ? ".sum"
                                                 : "." + schema));
    }
  if (schema == "wide_output" || schema == "wide_softmax")
    return sweeps(op);
  Planned planned = common(op);
  if (schema == "csc_update" || schema == "gemm_update") {
    auto segments = op->getAttrOfType<DenseI32ArrayAttr>("operandSegmentSizes");
    planned.step.delta = buffer(op->getOperand(segments[0]));
    planned.reads.push_back(planned.step.delta);
  }
  if (schema == "row_reduce")
    for (size_t i = 0; i < planned.step.reductions.size(); ++i) {
      planned.step.rows.push_back(buffer(op->getResult(i)));
      planned.writes.push_back(buffer(op->getResult(i)));
    }
  (schema == "update" ? updates : schema == "limit_norm" ? limits : steps).push_back(planned);
}

/// The first contribution to a gradient overwrites the buffer, the others are added.
void EntryPlanner::accumulations() {
  llvm::StringSet<> written;
  for (Planned &planned : steps)
    for (plan::Source &source : planned.step.sources)
      if (!source.weightGradient.empty() && planned.step.kernel != "update")
        source.accumulate = !written.insert(source.weightGradient).second;
}

void EntryPlanner::lifetimes() {
  for (auto [index, planned] : llvm::enumerate(steps))
    for (const std::string &name : llvm::concat<const std::string>(planned.reads, planned.writes)) {
      auto [found, fresh] = live.try_emplace(name, index, index);
      found->second.second = static_cast<int64_t>(index);
    }
}

/// A step waits for the writers of what it reads, the readers of what it overwrites, and the earlier users of
/// parameters it updates.
void EntryPlanner::dependencies() {
  for (size_t later = 0; later < steps.size(); ++later)
    for (size_t earlier = 0; earlier < later; ++earlier) {
      const Planned &a = steps[earlier], &b = steps[later];
      auto meets = [](const std::vector<std::string> &x, const std::vector<std::string> &y) {
        return llvm::any_of(x, [&](const std::string &name) { return llvm::is_contained(y, name); });
      };
      if (meets(a.writes, b.reads) || meets(a.reads, b.writes) || meets(a.writes, b.writes) ||
          meets(plan::parametersRead(a.step), plan::parametersUpdated(b.step)) ||
          meets(plan::parametersUpdated(a.step), plan::parametersRead(b.step)) ||
          meets(plan::parametersUpdated(a.step), plan::parametersUpdated(b.step)))
        steps[later].step.after.push_back(static_cast<int64_t>(earlier));
    }
}

void EntryPlanner::run(OpBuilder &builder) {
  for (Operation &op : entry.getBody().front())
    kernel(&op);
  for (const std::vector<Planned> &last : {deferred, updates, limits})
    steps.insert(steps.end(), last.begin(), last.end());
  accumulations();
  lifetimes();
  dependencies();
  auto plan = builder.create<planir::EntryOp>(entry.getLoc(), entry.getSymName());
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&plan.getBody());
  for (const Buffer &made : order)
    if (auto found = live.find(made.name); found != live.end())
      builder.create<planir::BufferOp>(entry.getLoc(), made.name, made.type, found->second.first, found->second.second);
  for (const Planned &planned : steps) {
    plan::Plan shell;
    shell.entries.push_back({"", {}, {planned.step}});
    nlohmann::json fields = nlohmann::json(shell)["entries"][0]["steps"][0];
    auto step = builder.create<planir::StepOp>(entry.getLoc(), planned.step.kernel, planned.step.label,
                                               cast<DictionaryAttr>(jsonToAttribute(builder.getContext(), fields)));
    if (!planned.remark.empty())
      step->setAttr("remark", builder.getStringAttr(planned.remark));
  }
}

/// Weights of a wide output lie output by output, so that a tile is contiguous, and weights of a data set feature by
/// feature. Where users of one matrix differ, a data set decides: it reads single rows. A transposed user turns it
/// round.
void chooseLayouts(ModuleOp module) {
  llvm::StringMap<bool> byData, byOutput; // whether "columns"
  module.walk([&](Operation *op) {
    auto sources = op->getAttrOfType<ArrayAttr>("sources");
    for (Attribute attribute : sources ? sources : ArrayAttr::get(op->getContext(), {})) {
      auto source = cast<DictionaryAttr>(attribute);
      bool transposed = source.contains("transposed");
      auto weights = source.getAs<StringAttr>("weights");
      if (weights && source.contains("data"))
        byData.try_emplace(weights, transposed);
      else if (isa<kernel::WideOutput, kernel::WideSoftmax, kernel::WideTopk>(op))
        byOutput.try_emplace(weights, !transposed);
    }
  });
  for (net::ParameterOp parameter : module.getOps<net::ParameterOp>()) {
    auto data = byData.find(parameter.getSymName()), output = byOutput.find(parameter.getSymName());
    bool columns = data != byData.end() ? data->second : output != byOutput.end() && output->second;
    if (columns)
      parameter->setAttr("plan.layout", StringAttr::get(module.getContext(), "columns"));
  }
}

struct ToPlan : impl::KernelToPlanBase<ToPlan> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    chooseLayouts(module);
    SlotLibrary slots(module);
    for (net::OptimizerOp op : module.getOps<net::OptimizerOp>()) {
      unsigned inputs = 2 + op.getStates().size(), scalars = op.getScalarNames().size();
      SmallVector<unsigned> order; // (w, g, states, scalars) as they are
      for (unsigned i = 0; i < inputs + scalars; ++i)
        order.push_back(i);
      slots.add(op.getSymName().str() + "_weights", op.getWeights(), order, inputs, true);
      slots.add(op.getSymName().str() + "_bias", op.getBias(), order, inputs, true);
    }
    OpBuilder builder(module.getContext());
    for (net::EntryOp entry : llvm::make_early_inc_range(module.getOps<net::EntryOp>())) {
      builder.setInsertionPoint(entry);
      EntryPlanner(entry, slots).run(builder);
      entry.erase();
    }
  }
};
} // namespace
} // namespace sn
