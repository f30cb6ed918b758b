#include "tools/snc/UntouchedReport.h"
#include <fmt/format.h>

using namespace sn;

std::vector<plan::UntouchedRows> untouchedOn(const plan::Plan &plan, const rt::Settings &settings,
                                             plan::CostModel &model, const std::string &device,
                                             const std::function<bool(const std::string &)> &sparse) {
  if (!settings.optimizer)
    return {};
  model.putOff.clear();
  std::vector<plan::UntouchedRows> all = plan::untouchedRows(plan, *settings.optimizer, settings.hyper, model, sparse);
  for (plan::UntouchedRows &rows : all) {
    if (rows.way != plan::UntouchedWay::Lazy)
      continue;
    if (device.empty()) {
      model.putOff.insert(rows.parameter);
      continue;
    }
    rows.way = plan::UntouchedWay::Dense;
    rows.why = "a GPU updates every row in every step";
  }
  return all;
}

void printUntouched(const std::vector<plan::UntouchedRows> &all) {
  if (all.empty())
    return;
  fmt::print("rows that a batch does not touch\n");
  for (const plan::UntouchedRows &rows : all)
    fmt::print("  {}: {}: {}\n", rows.parameter, nameOf(rows.way), rows.why);
}

nlohmann::json untouchedJson(const std::vector<plan::UntouchedRows> &all) {
  nlohmann::json list = nlohmann::json::array();
  for (const plan::UntouchedRows &rows : all)
    list.push_back({{"parameter", rows.parameter}, {"way", nameOf(rows.way)}, {"why", rows.why}});
  return list;
}
