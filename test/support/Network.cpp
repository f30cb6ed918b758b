#include "test/support/Network.h"
#include "compiler/Conversion/Import.h"
#include "compiler/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include <stdexcept>

namespace sn::test {
Network::Network(const std::string &json, const std::string &name, const Adjust &adjust)
    : context_(mlir::MLIRContext::Threading::DISABLED), spec_(frontend::readNetworkText(json, name)) {
  if (adjust)
    adjust(spec_);
  forward_ = importNetwork(context_, spec_);
  differentiated_ = forward_->clone();
  mlir::PassManager passes(&context_);
  passes.addNestedPass<net::EntryOp>(createNetDifferentiate());
  if (mlir::failed(passes.run(*differentiated_)))
    throw std::logic_error("net-differentiate failed on " + name);
}

reference::State Network::initialState(const Tables &tables) {
  return reference::initialState(*forward_, extentsOf(tables), spec_.seed, spec_.optimizer.record->name);
}

bool Network::isFixed(const std::string &parameter) {
  auto op = forward_->lookupSymbol<net::ParameterOp>(parameter);
  return op && op.getFixed();
}

void Network::shake(reference::State &state, Random &random, double most) {
  for (auto &[name, tensor] : state.parameters)
    for (double &value : tensor.values)
      value = isFixed(name) ? random.real(0.3, 1.5) : value + random.real(-most, most);
}

reference::Run Network::run(const std::vector<int64_t> &ids, int64_t step, int64_t epoch, int64_t steps) const {
  reference::Run run;
  run.ids = ids;
  run.seed = spec_.seed;
  run.epoch = static_cast<uint32_t>(epoch);
  run.step = step;
  run.hyper = spec_.hyper;
  run.optimizer = spec_.optimizer.record->name;
  auto number = [](int64_t count) { return static_cast<double>(count); };
  run.hyper["Alpha"] = spec_.schedule.record->rate(
      {spec_.hyper.at("Alpha"), number(step), number(epoch), number(steps), number(spec_.epochs)},
      spec_.schedule.params.data());
  return run;
}

std::map<std::string, int64_t> extentsOf(const Tables &tables) {
  std::map<std::string, int64_t> extents;
  for (const auto &[name, table] : tables)
    extents[name] = table.values.columns;
  return extents;
}
} // namespace sn::test
