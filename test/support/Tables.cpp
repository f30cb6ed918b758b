#include "test/support/Tables.h"

namespace sn::test {
namespace {
double denseValue(Random &random, bool unitInterval) {
  if (unitInterval && random.chance(0.6))
    return random.chance(0.3) ? 1 : 0;
  if (random.chance(0.1))
    return 0;
  return random.real(unitInterval ? 0 : -1.5, unitInterval ? 1 : 1.5);
}

double storedValue(Random &random, bool unitInterval) {
  if (random.chance(0.15))
    return 1;
  if (random.chance(0.03))
    return 0; // stored all the same
  return random.real(unitInterval ? 0.1 : -1.5, 1.5);
}
} // namespace

reference::DataTable randomTable(Random &random, const TableShape &shape) {
  reference::DataTable table;
  table.values = reference::Tensor(shape.rows, shape.columns);
  table.sparse = shape.storage != Storage::Dense;
  table.binary = shape.storage == Storage::CsrBinary;
  if (table.sparse)
    table.stored.resize(table.values.values.size());
  for (int64_t row = 0; row < shape.rows; ++row) {
    // Wide rows store few entries, as real ones do.
    double density =
        random.chance(0.05) ? 0 : random.real(0, 0.5) * std::min(1.0, 60.0 / static_cast<double>(shape.columns));
    for (int64_t column = 0; column < shape.columns; ++column) {
      if (!table.sparse) {
        table.values(row, column) = static_cast<float>(denseValue(random, shape.unitInterval));
      } else if (random.chance(density)) {
        table.stored[static_cast<size_t>(row * shape.columns + column)] = true;
        table.values(row, column) = table.binary ? 1 : static_cast<float>(storedValue(random, shape.unitInterval));
      }
    }
  }
  return table;
}

reference::DataTable stored(const reference::DataTable &table, Storage storage) {
  reference::DataTable to = table;
  to.sparse = storage != Storage::Dense;
  to.binary = storage == Storage::CsrBinary;
  if (!to.sparse) {
    to.stored.clear();
    return to;
  }
  to.stored.resize(to.values.values.size());
  for (size_t i = 0; i < to.stored.size(); ++i) {
    if (!table.sparse)
      to.stored[i] = table.values.values[i] != 0;
    if (to.binary)
      to.values.values[i] = to.stored[i] ? 1 : 0;
  }
  return to;
}

rt::DataSet dataSetOf(const reference::DataTable &table, const std::string &name) {
  rt::DataSet set;
  set.name = name;
  set.rows = table.values.rows;
  set.columns = table.values.columns;
  set.loader = !table.sparse ? rt::Loader::Dense : table.binary ? rt::Loader::CsrBinary : rt::Loader::CsrAnalog;
  if (!table.sparse) {
    set.values.assign(table.values.values.begin(), table.values.values.end());
    return set;
  }
  set.indptr.push_back(0);
  for (int64_t row = 0; row < set.rows; ++row) {
    for (int64_t column = 0; column < set.columns; ++column)
      if (table.isStored(row, column)) {
        set.indices.push_back(static_cast<int32_t>(column));
        if (!table.binary)
          set.values.push_back(static_cast<float>(table.values(row, column)));
      }
    set.indptr.push_back(static_cast<int64_t>(set.indices.size()));
  }
  return set;
}

rt::Binding bind(const Tables &tables) {
  rt::Binding binding{"a test", {}, 0};
  for (const auto &[name, table] : tables) {
    binding.sets[name] = std::make_shared<rt::DataSet>(dataSetOf(table, name));
    binding.rows = table.values.rows;
  }
  return binding;
}
} // namespace sn::test
