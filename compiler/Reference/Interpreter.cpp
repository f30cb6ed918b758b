#include "compiler/Reference/Interpreter.h"
#include "compiler/Reference/Formula.h"
#include "compiler/Reference/Rounding.h"
#include "dialects/Net/Net.h"
#include "runtime/plan/Expr.h"
#include "runtime/plan/Philox.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <limits>
#include <stdexcept>

using namespace mlir;

namespace sn::reference {
namespace {
/// A plan expression over B and the hyper-parameters.
double host(StringRef expression, const Run &run) {
  plan::Expr expr = nlohmann::json::parse(expression.str());
  return expr.evaluate([&](std::string_view name) -> double {
    if (name == "B")
      return static_cast<double>(run.ids.size());
    if (name == "Step")
      return static_cast<double>(run.step);
    return run.hyper.at(std::string(name));
  });
}

class Interpreter {
public:
  Interpreter(ModuleOp module, const std::map<std::string, DataTable> &data, const State &before, const Run &run)
      : module(module), data(data), before(before), run(run), batch(static_cast<int64_t>(run.ids.size())) {
    result.after = before;
    arithmetic.nearness = run.nearness;
    arithmetic.invertNear = run.invertNear;
    arithmetic.noise = run.noise;
    arithmetic.state = run.noiseSeed;
  }
  Result entry(StringRef name);

private:
  const Tensor &valueOf(Value value) const { return values.at(value); }
  Tensor &define(Value value, int64_t rows, int64_t columns) { return values[value] = Tensor(rows, columns); }
  const DataTable &table(StringRef dataset) const;
  int64_t unitsOf(Value value) const;
  Formula formula(Region &region, ValueRange inputs, bool lastIsExact = false);
  bool isSparse(Value value) const;
  void takeFactors(Tensor &high, Tensor &low, plan::Precision precision);
  void gather(std::vector<double> &arguments, ValueRange inputs, int64_t row, int64_t column) const;

  void evaluate(Operation &op);
  void evaluate(net::DataOp op);
  void evaluate(net::CorruptOp op);
  void evaluate(net::MaskOp op);
  void evaluate(net::TargetScalarOp op);
  void evaluate(net::ContractOp op);
  void evaluate(net::MapOp op);
  void evaluate(net::RowReduceOp op);
  void evaluate(net::ColumnSumOp op);
  void evaluate(net::LossOp op);
  void evaluate(net::UpdateOp op);
  void evaluate(net::IotaOp op);
  void evaluate(net::AssignOp op);

  ModuleOp module;
  const std::map<std::string, DataTable> &data;
  const State &before;
  const Run &run;
  int64_t batch;
  Arithmetic arithmetic;
  llvm::DenseMap<Value, Tensor> values;
  Result result;
};

const DataTable &Interpreter::table(StringRef dataset) const {
  auto found = data.find(dataset.str());
  if (found == data.end())
    throw std::logic_error("no data set " + dataset.str());
  return found->second;
}

/// The number of units of a [B, N] or [N] value: N itself, or the columns of the data set it is named after.
int64_t Interpreter::unitsOf(Value value) const {
  Attribute dim = net::typeOf(value).getDims().back();
  if (auto symbol = dyn_cast<StringAttr>(dim))
    return table(symbol).values.columns;
  return cast<IntegerAttr>(dim).getInt();
}

/// Random masks, data and target scalars are the same numbers everywhere; what is computed from them is not.
Formula Interpreter::formula(Region &region, ValueRange inputs, bool lastIsExact) {
  std::vector<bool> exact;
  for (Value input : inputs)
    exact.push_back(llvm::isa_and_nonnull<net::MaskOp, net::TargetScalarOp, net::DataOp, net::ReadOp, net::IotaOp>(
        input.getDefiningOp()));
  exact.push_back(lastIsExact);
  return Formula(region, arithmetic, exact);
}

/// The operands at one place; vectors and scalars are broadcast.
void Interpreter::gather(std::vector<double> &arguments, ValueRange inputs, int64_t row, int64_t column) const {
  arguments.clear();
  for (Value input : inputs) {
    const Tensor &tensor = valueOf(input);
    net::ValueType type = net::typeOf(input);
    bool byRow = type.isMatrix() || type.isRow(), byColumn = type.isMatrix() || type.isColumn();
    arguments.push_back(tensor(byRow ? row : 0, byColumn ? column : 0));
  }
}

void Interpreter::evaluate(net::DataOp op) {
  const DataTable &from = table(op.getDataset());
  Tensor &to = define(op, batch, unitsOf(op));
  for (int64_t row = 0; row < batch; ++row)
    for (int64_t column = 0; column < from.values.columns; ++column) {
      double value = from.values(run.ids[row], column);
      to(row, column) = from.sparse ? value * from.weight(run.ids[row]) : value + from.inputOffset;
    }
}

void Interpreter::evaluate(net::IotaOp op) {
  Tensor &to = define(op, 1, unitsOf(op));
  for (int64_t column = 0; column < to.columns; ++column)
    to(0, column) = static_cast<double>(column);
}

void Interpreter::evaluate(net::CorruptOp op) {
  plan::RandomPoint at{run.seed, static_cast<uint32_t>(op.getStream()), run.epoch};
  float p = static_cast<float>(op.getP().convertToDouble());
  Tensor to = valueOf(op.getData());
  for (int64_t row = 0; row < to.rows; ++row)
    for (int64_t column = 0; column < to.columns; ++column)
      to(row, column) *= plan::maskValue(plan::randomWord(at, run.ids[row], column), p);
  values[op] = std::move(to);
}

void Interpreter::evaluate(net::MaskOp op) {
  plan::RandomPoint at{run.seed, static_cast<uint32_t>(op.getStream()), run.epoch};
  float p = static_cast<float>(op.getP().convertToDouble());
  Tensor &to = define(op, batch, unitsOf(op));
  for (int64_t row = 0; row < to.rows; ++row)
    for (int64_t column = 0; column < to.columns; ++column)
      to(row, column) = plan::maskValue(plan::randomWord(at, run.ids[row], column), p);
}

void Interpreter::evaluate(net::TargetScalarOp op) {
  const DataTable &target = table(op.getDataset());
  Tensor &to = define(op, batch, 1);
  for (int64_t row = 0; row < batch; ++row) {
    int64_t id = run.ids[row];
    double count = 0, total = 0;
    for (int64_t column = 0; column < target.values.columns; ++column)
      if (target.isStored(id, column))
        ++count, total += target.values(id, column);
    bool indicator = target.sparse && target.binary;
    double scale = !indicator ? 1 : count > 0 ? 1 / count : 0;
    if (op.getWhat() == "weight")
      to(row, 0) = target.weight(id);
    else if (op.getWhat() == "scale")
      to(row, 0) = scale;
    else if (op.getWhat() == "sum")
      to(row, 0) = scale * total;
    else
      throw std::logic_error("unknown target scalar " + op.getWhat().str());
  }
}

Tensor transposed(const Tensor &from) {
  Tensor to(from.columns, from.rows);
  for (int64_t row = 0; row < from.rows; ++row)
    for (int64_t column = 0; column < from.columns; ++column)
      to(column, row) = from(row, column);
  return to;
}

/// A data set, corrupted or not, that stores single entries.
bool Interpreter::isSparse(Value value) const {
  while (auto corrupt = value.getDefiningOp<net::CorruptOp>())
    value = corrupt.getData();
  auto from = value.getDefiningOp<net::DataOp>();
  return from && table(from.getDataset()).sparse;
}

/// What a product takes of factors, where run.factors asks for it: each as a sum of two, whose low parts are not
/// multiplied by each other.
void Interpreter::takeFactors(Tensor &high, Tensor &low, plan::Precision precision) {
  low = Tensor(high.rows, high.columns);
  const double most = run.factors == Factors::Noisy ? plan::unitRoundoff(precision) : 0;
  for (size_t i = 0; i < high.values.size(); ++i)
    if (run.factors == Factors::Rounded) {
      const Factor factor = roundedFactor(high.values[i], precision);
      high.values[i] = factor.high, low.values[i] = factor.low;
    } else if (most > 0) {
      high.values[i] *= 1 + most * arithmetic.random();
    }
}

void Interpreter::evaluate(net::ContractOp op) {
  const plan::Precision precision = plan::precisionNamed(op.getPrecision().value_or("fp32")).value();
  Tensor sum, magnitude;
  for (auto [lhs, rhs] : llvm::zip(op.getLhs(), op.getRhs())) {
    Tensor a = op.getTransposeA() ? transposed(valueOf(lhs)) : valueOf(lhs);
    Tensor b = op.getTransposeB() ? transposed(valueOf(rhs)) : valueOf(rhs);
    if (a.columns != b.rows)
      throw std::logic_error("contraction of extents that do not fit");
    if (sum.values.empty())
      sum = magnitude = Tensor(a.rows, b.columns);
    Tensor aLow(a.rows, a.columns), bLow(b.rows, b.columns);
    if (precision != plan::Precision::Fp32 && !isSparse(lhs) && !isSparse(rhs)) {
      takeFactors(a, aLow, precision);
      takeFactors(b, bLow, precision);
    }
    for (int64_t i = 0; i < a.rows; ++i)
      for (int64_t k = 0; k < a.columns; ++k)
        if (a(i, k) != 0) // data is mostly zero
          for (int64_t j = 0; j < b.columns; ++j) {
            sum(i, j) += a(i, k) * (b(k, j) + bLow(k, j)) + aLow(i, k) * b(k, j);
            magnitude(i, j) += std::abs(a(i, k) * b(k, j));
          }
  }
  for (size_t i = 0; i < sum.values.size(); ++i)
    sum.values[i] = arithmetic.rounded(sum.values[i], magnitude.values[i], 0);
  values[op] = std::move(sum);
}

void Interpreter::evaluate(net::MapOp op) {
  Formula body = formula(op.getFormula(), op.getInputs());
  for (Value output : op.getResults()) {
    net::ValueType type = net::typeOf(output);
    bool byRow = type.isMatrix() || type.isRow(), byColumn = type.isMatrix() || type.isColumn();
    // A matrix that is not of the batch is of a parameter's shape; then so is an operand.
    int64_t rows = byRow ? batch : 1, columns = byColumn ? unitsOf(output) : 1;
    for (Value input : op.getInputs())
      if (net::typeOf(input) == type)
        rows = valueOf(input).rows, columns = valueOf(input).columns;
    define(output, rows, columns);
  }
  std::vector<double> arguments;
  const Tensor shape = valueOf(op.getResult(0));
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t column = 0; column < shape.columns; ++column) {
      gather(arguments, op.getInputs(), row, column);
      std::span<const double> results = body(arguments);
      for (auto [i, output] : llvm::enumerate(op.getResults()))
        values[output](row, column) = results[i];
    }
}

void Interpreter::evaluate(net::RowReduceOp op) {
  Formula body = formula(op.getFormula(), op.getInputs());
  bool max = op.getKind() == "max";
  if (!max && op.getKind() != "sum")
    throw std::logic_error("unknown reduction " + op.getKind().str());
  int64_t columns = 1;
  for (Value input : op.getInputs())
    columns = std::max(columns, valueOf(input).columns);
  Tensor to(batch, 1, max ? -std::numeric_limits<double>::infinity() : 0);
  std::vector<double> arguments;
  for (int64_t row = 0; row < batch; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      gather(arguments, op.getInputs(), row, column);
      double value = body(arguments)[0];
      to(row, 0) = max ? std::max(to(row, 0), value) : to(row, 0) + value;
    }
  values[op] = std::move(to);
}

void Interpreter::evaluate(net::ColumnSumOp op) {
  const Tensor from = valueOf(op.getInput());
  Tensor &to = define(op, 1, from.columns);
  for (int64_t row = 0; row < from.rows; ++row)
    for (int64_t column = 0; column < from.columns; ++column)
      to(0, column) += from(row, column);
}

void Interpreter::evaluate(net::LossOp op) {
  const DataTable &target = table(op.getTarget());
  const Tensor y = valueOf(op.getInputs()[0]);
  Formula value = formula(op.getValue(), op.getInputs(), true);
  std::optional<Formula> slope;
  if (op.getDeltaResult())
    slope.emplace(formula(op.getDelta(), op.getInputs(), true));
  double sum = 0;
  Tensor delta(y.rows, y.columns);
  std::vector<double> arguments;
  for (int64_t row = 0; row < y.rows; ++row)
    for (int64_t column = 0; column < y.columns; ++column) {
      bool inside = column < target.values.columns;
      bool stored = inside && target.isStored(run.ids[row], column);
      if (target.sparse && target.ignoreZeros && !stored)
        continue;
      double t = inside ? target.values(run.ids[row], column) : 0;
      if (target.sparse && stored && t == 0)
        t = -0.0; // formulas tell it from what is not stored (Records.h, Loss::value)
      if (op.getIndicator() && target.sparse && stored)
        t = 1;
      gather(arguments, op.getInputs(), row, column);
      arguments.push_back(t);
      sum += value(arguments)[0];
      if (!slope)
        continue;
      double boost = 1;
      if (op.getBoost() && target.sparse)
        boost = (*op.getBoost())[!stored ? 0 : target.binary ? 1 : 2];
      delta(row, column) = boost * (*slope)(arguments)[0];
    }
  define(op.getSum(), 1, 1)(0, 0) = sum;
  if (slope)
    values[op.getDeltaResult()] = std::move(delta);
}

void Interpreter::evaluate(net::UpdateOp op) {
  std::string name = op.getParameter().str();
  Tensor gradient = valueOf(op.getGradients()[0]);
  for (Value more : op.getGradients().drop_front())
    for (size_t i = 0; i < gradient.values.size(); ++i)
      gradient.values[i] += valueOf(more).values[i];
  result.gradients[name] = gradient;
  Updated updated = update(module, name, gradient, before, run);
  result.after.parameters[name] = std::move(updated.value);
  result.after.states[name] = std::move(updated.states);
  result.regularization += updated.regularization;
}

/// What is read stays as it was before the step.
void Interpreter::evaluate(net::AssignOp op) {
  Tensor &to = result.after.parameters.at(op.getParameter().str());
  const Tensor &from = valueOf(op.getValue());
  if (from.values.size() != to.values.size())
    throw std::logic_error("an assigned value of another extent than " + op.getParameter().str());
  to = from;
}

void Interpreter::evaluate(Operation &op) {
  llvm::TypeSwitch<Operation *>(&op)
      .Case<net::DataOp, net::CorruptOp, net::MaskOp, net::TargetScalarOp, net::ContractOp, net::MapOp,
            net::RowReduceOp, net::ColumnSumOp, net::LossOp, net::UpdateOp, net::IotaOp, net::AssignOp>(
          [&](auto known) { evaluate(known); })
      .Case([&](net::ReadOp read) { values[read] = before.parameters.at(read.getParameter().str()); })
      .Case([&](net::ScalarOp scalar) { define(scalar, 1, 1)(0, 0) = host(scalar.getExpression(), run); })
      .Case([&](net::PenaltyOp penalty) {
        Tensor operand = valueOf(penalty.getInput());
        result.penalised.push_back(operand);
        values[penalty] = std::move(operand);
      })
      .Case([&](net::DeltaNormOp bound) { // of the gradient, which `differentiate` makes explicit
        Tensor operand = valueOf(bound.getInput());
        values[bound] = std::move(operand);
      })
      .Case([&](net::ReportOp report) { result.reports[report.getName().str()] += valueOf(report.getValue())(0, 0); })
      .Case([&](net::RankOp rank) {
        result.scores[cast<StringAttr>(rank.getLayers()[0]).str()] = valueOf(rank.getScores());
      })
      .Default([](Operation *unknown) {
        throw std::logic_error("the interpreter does not know " + unknown->getName().getStringRef().str());
      });
}

Result Interpreter::entry(StringRef name) {
  net::EntryOp entry = net::findEntry(module, name);
  if (!entry)
    throw std::logic_error("no entry " + name.str());
  for (Operation &op : entry.getBody().front())
    evaluate(op);
  result.loss = result.reports["loss"];
  result.branches = arithmetic.branches;
  result.near = arithmetic.near;
  return std::move(result);
}
/// Scales down the columns, each the incoming weights of one unit, whose Euclidean norm is above `limit`.
void limitNorms(Tensor &weights, double limit) {
  for (int64_t column = 0; column < weights.columns; ++column) {
    double square = 0;
    for (int64_t row = 0; row < weights.rows; ++row)
      square += weights(row, column) * weights(row, column);
    for (int64_t row = 0; std::sqrt(square) > limit && row < weights.rows; ++row)
      weights(row, column) *= limit / std::sqrt(square);
  }
}
} // namespace

Updated update(ModuleOp net, StringRef name, const Tensor &gradient, const State &before, const Run &run) {
  auto parameter = net.lookupSymbol<net::ParameterOp>(name);
  net::OptimizerOp optimizer;
  for (net::OptimizerOp candidate : net.getOps<net::OptimizerOp>())
    if (candidate.getSymName() == run.optimizer)
      optimizer = candidate;
  if (!parameter || !optimizer)
    throw std::logic_error("an update without parameter or optimizer");
  Updated updated{before.parameters.at(name.str()), {}, 0};
  if (auto known = before.states.find(name.str()); known != before.states.end())
    updated.states = known->second;
  updated.states.resize(optimizer.getStates().size(), Tensor(updated.value.rows, updated.value.columns));

  // Values and gradient are given: what the rule compares is the same in every backend.
  Arithmetic plain;
  Formula rule(parameter.getDecays() ? optimizer.getWeights() : optimizer.getBias(), plain);
  std::vector<double> scalars, arguments;
  for (Attribute expression : optimizer.getScalarValues())
    scalars.push_back(host(cast<StringAttr>(expression), run));
  double count = static_cast<double>(run.ids.size()) * static_cast<double>(parameter.getShare().value_or(1));
  for (size_t i = 0; i < updated.value.values.size(); ++i) {
    arguments = {updated.value.values[i], -gradient.values.at(i) / count};
    for (const Tensor &state : updated.states)
      arguments.push_back(state.values[i]);
    arguments.insert(arguments.end(), scalars.begin(), scalars.end());
    std::span<const double> results = rule(arguments);
    updated.value.values[i] = results[0];
    for (size_t state = 0; state < updated.states.size(); ++state)
      updated.states[state].values[i] = results[1 + state];
    updated.regularization += results.back();
  }
  if (auto limit = parameter.getNorm())
    limitNorms(updated.value, limit->convertToDouble());
  return updated;
}

Result interpret(ModuleOp net, StringRef entry, const std::map<std::string, DataTable> &data, const State &state,
                 const Run &run) {
  return Interpreter(net, data, state, run).entry(entry);
}
} // namespace sn::reference
