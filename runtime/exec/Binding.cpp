#include "runtime/exec/Binding.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <fmt/ranges.h>

namespace sn::rt {
int64_t Binding::bytes() const {
  std::set<const DataSet *> distinct;
  for (const auto &[name, set] : sets)
    distinct.insert(set.get());
  int64_t total = 0;
  for (const DataSet *set : distinct)
    total += bytesOf(*set);
  return total;
}

Aliases parseAliases(const std::vector<std::string> &texts) {
  Aliases aliases;
  for (const std::string &text : texts) {
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
      userError("--bind {}: NAME=NAME is expected, the plan's data set first, as in --bind output=input", text);
    aliases[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return aliases;
}

std::set<std::string> dataSetsOf(const plan::Entry &entry) {
  std::set<std::string> names;
  for (const plan::Step &step : entry.steps) {
    for (const plan::Source &source : step.sources)
      if (source.data)
        names.insert(source.ref);
    if (!step.target.empty())
      names.insert(step.target);
  }
  return names;
}

Binding bindData(const plan::Plan &plan, const std::set<std::string> &names, DataFile &file, const Aliases &aliases) {
  return bindFrom(plan, names, file, aliases, [&](const std::string &stored) { return file.load(stored); });
}

Binding bindFrom(const plan::Plan &plan, const std::set<std::string> &names, const DataFile &file,
                 const Aliases &aliases, const DataSetSource &source) {
  for (const auto &[name, other] : aliases)
    if (std::none_of(plan.datasets.begin(), plan.datasets.end(),
                     [&, n = &name](const auto &d) { return d.name == *n; }))
      userError("--bind {}={}: the plan has no data set '{}'", name, other, name);
  Binding binding{file.path(), {}, -1, file.streaming().toDevice};
  const std::string *first = nullptr;
  for (const std::string &name : names) {
    auto alias = aliases.find(name);
    const std::string &stored = alias == aliases.end() ? name : alias->second;
    if (!file.has(stored) && file.names().empty())
      file.require(stored); // which says what the file is instead
    if (!file.has(stored))
      userError("'{}' has no data set '{}', which the plan needs; it has {}. --bind {}=NAME takes another one",
                file.path(), stored, fmt::join(file.names(), ", "), name);
    auto set = source(stored);
    if (first && set->rows != binding.rows)
      userError("'{}': '{}' has {} rows and '{}' has {}; the data sets of a network need one row for each example",
                file.path(), *first, binding.rows, name, set->rows);
    binding.rows = set->rows;
    first = first ? first : &name;
    binding.sets[name] = std::move(set);
  }
  if (!first)
    userError("the plan reads no data set here, so there are no examples");
  return binding;
}

void checkColumnNames(const DataSet &set, const std::string &path, const Names *expected) {
  if (!expected || !set.columnNames)
    return;
  const Names &found = *set.columnNames;
  for (int64_t i = 0; i < found.size(); ++i)
    if (i >= expected->size() || found[i] != (*expected)[i])
      userError("'{}': column {} of '{}' is named '{}', but '{}' in the data the network was trained with; import it "
                "with the same "
                "vocabulary (snrt import --vocabulary)",
                path, i, set.name, found[i], i < expected->size() ? (*expected)[i] : "(none)");
}

void checkColumnNames(const Binding &data, const CheckpointHeader &weights) {
  for (const auto &[name, set] : data.sets)
    // A wider data set is refused by its width, which says more.
    if (auto expected = weights.columnNames.find(name);
        expected != weights.columnNames.end() && set->columns <= expected->second->size())
      checkColumnNames(*set, data.path, expected->second.get());
}

SymbolValues resolveSymbols(const plan::Plan &plan, const Binding *data, const CheckpointHeader *weights) {
  SymbolValues values;
  for (const plan::Symbol &symbol : plan.symbols) {
    if (weights)
      if (auto stored = weights->symbols.find(symbol.name); stored != weights->symbols.end()) {
        values[symbol.name] = stored->second;
        continue;
      }
    auto bound = data ? data->sets.find(symbol.dataset) : decltype(data->sets.end()){};
    if (!data || bound == data->sets.end())
      userError("the width of the data set '{}' is unknown: neither the data nor the weights give it", symbol.dataset);
    if (bound->second->columns < 1)
      userError("'{}': the data set '{}' has no columns", data->path, symbol.dataset);
    values[symbol.name] = bound->second->columns;
  }
  return values;
}

DataView boundView(const plan::Plan &plan, const Binding &binding, const std::string &name, const Extents &extents) {
  auto declared =
      std::find_if(plan.datasets.begin(), plan.datasets.end(), [&](const plan::DataSet &d) { return d.name == name; });
  const DataSet &set = *binding.sets.at(name);
  int64_t width = extents.of(declared->columns);
  if (set.columns > width)
    userError("'{}': the data set '{}' has {} columns, but the network takes {}; import it with the vocabulary of the "
              "training data "
              "(snrt import --vocabulary)",
              binding.path, name, set.columns, width);
  return viewOf(set, width);
}
} // namespace sn::rt
