#include "compiler/Conversion/PlanJson.h"
#include "dialects/Net/Net.h"
#include "dialects/Plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using nlohmann::json;

namespace sn {
Attribute jsonToAttribute(MLIRContext *context, const json &value) {
  Builder builder(context);
  switch (value.type()) {
  case json::value_t::object: {
    SmallVector<NamedAttribute> fields;
    for (auto &[name, field] : value.items())
      fields.push_back(builder.getNamedAttr(name, jsonToAttribute(context, field)));
    return builder.getDictionaryAttr(fields);
  }
  case json::value_t::array: {
    SmallVector<Attribute> elements;
    for (const json &element : value)
      elements.push_back(jsonToAttribute(context, element));
    return builder.getArrayAttr(elements);
  }
  case json::value_t::string:
    return builder.getStringAttr(value.get<std::string>());
  case json::value_t::boolean:
    return builder.getBoolAttr(value.get<bool>());
  case json::value_t::number_float:
    return builder.getF64FloatAttr(value.get<double>());
  case json::value_t::null:
    return builder.getUnitAttr();
  default:
    return builder.getI64IntegerAttr(value.get<int64_t>());
  }
}

json attributeToJson(Attribute attribute) {
  return llvm::TypeSwitch<Attribute, json>(attribute)
      .Case<DictionaryAttr>([](DictionaryAttr dictionary) {
        json object = json::object();
        for (NamedAttribute field : dictionary)
          object[field.getName().str()] = attributeToJson(field.getValue());
        return object;
      })
      .Case<ArrayAttr>([](ArrayAttr array) {
        json list = json::array();
        for (Attribute element : array)
          list.push_back(attributeToJson(element));
        return list;
      })
      .Case<StringAttr>([](StringAttr text) { return json(text.str()); })
      .Case<BoolAttr>([](BoolAttr flag) { return json(flag.getValue()); })
      .Case<IntegerAttr>([](IntegerAttr number) {
        int64_t value = number.getInt(); // the plan's reader tells natural numbers from others, as a parsed file would
        return value < 0 ? json(value) : json(static_cast<uint64_t>(value));
      })
      .Case<FloatAttr>([](FloatAttr number) { return json(number.getValueAsDouble()); })
      .Default([](Attribute) { return json(nullptr); });
}

ModuleOp slotModule(ModuleOp module) {
  for (ModuleOp inner : module.getOps<ModuleOp>())
    if (inner.getSymName() == kSlotModule)
      return inner;
  return {};
}

namespace {
plan::Dim toDim(Attribute attribute) {
  if (auto symbol = dyn_cast<StringAttr>(attribute))
    return {0, symbol.str()};
  return {cast<IntegerAttr>(attribute).getInt(), ""};
}
std::vector<std::string> texts(ArrayAttr array) {
  std::vector<std::string> list;
  for (Attribute text : array)
    list.push_back(cast<StringAttr>(text).str());
  return list;
}
plan::Expr parseExpr(StringRef text) { return json::parse(text.str()).get<plan::Expr>(); }

class Exporter {
public:
  explicit Exporter(ModuleOp module) : module(module) {}
  plan::Plan run();

private:
  void parameter(net::ParameterOp op);
  void optimizer(net::OptimizerOp op);
  void training(DictionaryAttr fields);
  void entry(planir::EntryOp op, std::vector<plan::Entry> &entries);
  plan::DataSet &dataset(const std::string &name, const plan::Dim &columns);
  void symbol(const plan::Dim &dim);

  ModuleOp module;
  plan::Plan plan;
};

void Exporter::symbol(const plan::Dim &dim) {
  if (dim.symbol.empty() || dim.symbol == net::kBatch)
    return;
  for (const plan::Symbol &known : plan.symbols)
    if (known.name == dim.symbol)
      return;
  plan.symbols.push_back({dim.symbol, dim.symbol});
}

plan::DataSet &Exporter::dataset(const std::string &name, const plan::Dim &columns) {
  for (plan::DataSet &known : plan.datasets)
    if (known.name == name)
      return known;
  plan.datasets.push_back({name, columns});
  return plan.datasets.back();
}

void Exporter::parameter(net::ParameterOp op) {
  auto dims = cast<net::ValueType>(op.getType()).getDims();
  bool weights = dims.size() == 2;
  plan::Parameter parameter;
  parameter.name = op.getSymName().str();
  parameter.in = weights ? toDim(dims[0]) : plan::Dim{1, ""};
  parameter.out = toDim(dims.back());
  auto layout = op->getAttrOfType<StringAttr>("plan.layout");
  parameter.layout = layout ? layout.str() : "rows";
  parameter.decays = op.getDecays();
  parameter.trained = !op.getFixed();
  parameter.init = {op.getDraw().str(), parseExpr(op.getScale()), parseExpr(op.getShift()),
                    static_cast<uint32_t>(op.getStream())};
  symbol(parameter.in);
  symbol(parameter.out);
  plan.parameters.push_back(parameter);
}

void Exporter::optimizer(net::OptimizerOp op) {
  plan::Optimizer optimizer;
  optimizer.name = op.getSymName().str();
  optimizer.states = texts(op.getStates());
  for (auto [name, value] : llvm::zip(op.getScalarNames(), op.getScalarValues()))
    optimizer.scalars.push_back({cast<StringAttr>(name).str(), parseExpr(cast<StringAttr>(value))});
  optimizer.weights = optimizer.name + "_weights";
  optimizer.bias = optimizer.name + "_bias";
  for (NamedAttribute field : op.getDefaults())
    optimizer.defaults[field.getName().str()] = cast<FloatAttr>(field.getValue()).getValueAsDouble();
  if (op.getIdle())
    optimizer.idleWhenZero = texts(*op.getIdle());
  if (op.getLinear() && op.getUntouched()) {
    plan::Untouched &untouched = optimizer.untouched.emplace();
    untouched.whenZero = texts(*op.getLinear());
    for (Attribute element : op.getUntouchedAttr())
      untouched.matrix.push_back(parseExpr(cast<StringAttr>(element)));
  }
  optimizer.plain = plainUpdate(op);
  plan.optimizers.push_back(optimizer);
}

void Exporter::training(DictionaryAttr fields) {
  auto integer = [&](StringRef name) { return fields.getAs<IntegerAttr>(name).getInt(); };
  plan.training.optimizer = fields.getAs<StringAttr>("optimizer").str();
  for (NamedAttribute field : fields.getAs<DictionaryAttr>("hyper"))
    plan.training.hyper[field.getName().str()] = cast<FloatAttr>(field.getValue()).getValueAsDouble();
  plan.training.given = texts(fields.getAs<ArrayAttr>("given"));
  plan.training.alpha = parseExpr(fields.getAs<StringAttr>("alpha"));
  plan.training.batch = integer("batch");
  plan.training.epochs = integer("epochs");
  plan.training.seed = static_cast<uint64_t>(integer("seed"));
  auto flag = [&](StringRef name) {
    auto value = fields.getAs<BoolAttr>(name);
    return value && value.getValue();
  };
  plan.training.clearState = flag("clear_state");
  plan.training.brake = flag("brake");
  if (auto weights = fields.getAs<StringAttr>("weights"))
    plan.training.weights = weights.str();
  plan.training.shuffle = fields.getAs<BoolAttr>("shuffle").getValue();
  plan.shuffleStream = static_cast<uint32_t>(integer("shuffle_stream"));
}

void Exporter::entry(planir::EntryOp op, std::vector<plan::Entry> &entries) {
  plan::Entry entry{op.getSymName().str(), {}, {}};
  for (planir::BufferOp buffer : op.getBody().getOps<planir::BufferOp>()) {
    plan::Buffer out{
        buffer.getName().str(), {}, static_cast<int64_t>(buffer.getFirst()), static_cast<int64_t>(buffer.getLast())};
    for (Attribute dim : cast<net::ValueType>(buffer.getType()).getDims())
      out.dims.push_back(toDim(dim));
    entry.buffers.push_back(out);
  }
  json shell = plan::Plan{};
  shell["entries"] = json::array({{{"name", entry.name}, {"buffers", json::array()}, {"steps", json::array()}}});
  for (planir::StepOp step : op.getBody().getOps<planir::StepOp>()) {
    shell["entries"][0]["steps"].push_back(attributeToJson(step.getFields()));
    if (auto remark = step->getAttrOfType<StringAttr>("remark"))
      plan.remarks.push_back(entry.name + ": " + step.getLabel().str() + ": " + step.getKernel().str() + ": " +
                             remark.str());
  }
  entry.steps = shell.get<plan::Plan>().entries[0].steps;
  entries.push_back(std::move(entry));
}

plan::Plan Exporter::run() {
  plan.network = module->getAttrOfType<StringAttr>("net.name").str();
  for (net::ParameterOp op : module.getOps<net::ParameterOp>())
    parameter(op);
  for (net::OptimizerOp op : module.getOps<net::OptimizerOp>())
    optimizer(op);
  training(module->getAttrOfType<DictionaryAttr>("net.training"));
  for (planir::EntryOp op : module.getOps<planir::EntryOp>())
    entry(op, plan.entries);
  chooseStorage(plan);
  std::map<std::string, const plan::Parameter *> parameters;
  for (const plan::Parameter &parameter : plan.parameters)
    parameters[parameter.name] = &parameter;
  auto width = [&](const plan::Step &step, const plan::Source &source) {
    if (source.weights.empty())
      return step.columns;
    const plan::Parameter &weights = *parameters.at(source.weights);
    return source.transposed ? weights.out : weights.in;
  };
  for (const plan::Entry &entry : plan.entries)
    for (const plan::Step &step : entry.steps) {
      symbol(step.columns);
      for (const plan::Source &source : step.sources)
        if (source.data)
          dataset(source.ref, width(step, source)).input = true;
      if (!step.target.empty())
        dataset(step.target, step.columns).target = true;
    }
  for (func::FuncOp function : slotModule(module).getOps<func::FuncOp>()) {
    auto count = [&](StringRef name) { return function->getAttrOfType<IntegerAttr>(name).getInt(); };
    bool sum = function->hasAttr("slot.sum");
    plan.functions.push_back({function.getSymName().str(), count("slot.inputs"),
                              static_cast<int64_t>(function.getNumResults()) - (sum ? 1 : 0), count("slot.scalars"),
                              sum});
  }
  return plan;
}
} // namespace

plan::Plan exportPlan(ModuleOp module) { return Exporter(module).run(); }
} // namespace sn
