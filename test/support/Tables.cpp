#include "test/support/Tables.h"
#include <cmath>

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

/// The stored row of each example that a data set of our own has: everything that makes rows differ.
std::pair<std::vector<int32_t>, std::vector<float>> contentOf(const rt::DataSet &set, int64_t row) {
  size_t columns = static_cast<size_t>(set.columns), at = static_cast<size_t>(row);
  if (set.loader == rt::Loader::Dense)
    return {{},
            {set.values.begin() + static_cast<ptrdiff_t>(at * columns),
             set.values.begin() + static_cast<ptrdiff_t>((at + 1) * columns)}};
  ptrdiff_t begin = set.indptr[at], end = set.indptr[at + 1];
  std::pair<std::vector<int32_t>, std::vector<float>> content{{set.indices.begin() + begin, set.indices.begin() + end},
                                                              {}};
  if (set.loader == rt::Loader::CsrAnalog)
    content.second.assign(set.values.begin() + begin, set.values.begin() + end);
  return content;
}

/// Stores a row behind the others.
void append(rt::DataSet &set, const std::pair<std::vector<int32_t>, std::vector<float>> &content) {
  set.indices.insert(set.indices.end(), content.first.begin(), content.first.end());
  set.values.insert(set.values.end(), content.second.begin(), content.second.end());
  if (set.loader != rt::Loader::Dense)
    set.indptr.push_back(static_cast<int64_t>(set.indices.size()));
}

/// About half of the examples become equal to the one before them.
void repeatRows(Random &random, reference::DataTable &table) {
  int64_t columns = table.values.columns;
  for (int64_t row = 1; row < table.values.rows; ++row)
    if (random.chance(0.5)) {
      std::copy_n(table.values.values.begin() + (row - 1) * columns, columns,
                  table.values.values.begin() + row * columns);
      if (table.sparse)
        std::copy_n(table.stored.begin() + (row - 1) * columns, columns, table.stored.begin() + row * columns);
    }
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
        double value = denseValue(random, shape.unitInterval);
        table.values(row, column) =
            shape.image ? std::round(std::abs(value) * 255 / 1.5) / 256 : static_cast<float>(value);
      } else if (random.chance(density)) {
        table.stored[static_cast<size_t>(row * shape.columns + column)] = true;
        table.values(row, column) = table.binary ? 1 : static_cast<float>(storedValue(random, shape.unitInterval));
      }
    }
  }
  if (shape.indexed)
    repeatRows(random, table);
  table.ignoreZeros = shape.ignoreZeros && table.sparse;
  if (shape.image && !table.sparse)
    table.inputOffset = -0.5;
  for (int64_t row = 0; row < (shape.weighted ? shape.rows : 0); ++row)
    table.weights.push_back(random.chance(0.05) ? 0 : static_cast<float>(random.real(0.2, 2)));
  return table;
}

void addTable(Tables &tables, const std::string &name, Random &random, const TableShape &shape) {
  tables[name] = randomTable(random, shape);
  if (shape.indexed)
    tables.indexed.insert(name);
}

reference::DataTable stored(const reference::DataTable &table, Storage storage) {
  reference::DataTable to = table;
  to.sparse = storage != Storage::Dense;
  to.binary = storage == Storage::CsrBinary;
  to.ignoreZeros = table.ignoreZeros && to.sparse;
  to.inputOffset = to.sparse ? 0 : table.inputOffset;
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
  set.ignoreZeros = table.ignoreZeros;
  set.inputOffset = static_cast<float>(table.inputOffset);
  set.weights.assign(table.weights.begin(), table.weights.end());
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

rt::DataSet indexed(const rt::DataSet &plain) {
  rt::DataSet set = plain;
  set.index.resize(static_cast<size_t>(plain.rows));
  set.indptr.assign(plain.loader == rt::Loader::Dense ? 0 : 1, 0);
  set.indices.clear();
  set.values.clear();
  std::map<std::pair<std::vector<int32_t>, std::vector<float>>, int32_t> known;
  std::pair<std::vector<int32_t>, std::vector<float>> stray; // no example refers to it
  if (plain.loader == rt::Loader::Dense)
    stray.second.assign(static_cast<size_t>(plain.columns), 0.75f);
  else
    stray.first = {static_cast<int32_t>(plain.columns - 1)};
  if (plain.loader == rt::Loader::CsrAnalog)
    stray.second = {0.75f};
  append(set, stray);
  for (int64_t row = plain.rows - 1; row >= 0; --row) {
    auto [at, isNew] = known.try_emplace(contentOf(plain, row), static_cast<int32_t>(known.size() + 1));
    if (isNew)
      append(set, at->first);
    set.index[static_cast<size_t>(row)] = at->second;
  }
  return set;
}

rt::Binding bind(const Tables &tables) {
  rt::Binding binding{"a test", {}, 0};
  for (const auto &[name, table] : tables) {
    rt::DataSet set = dataSetOf(table, name);
    binding.sets[name] = std::make_shared<rt::DataSet>(tables.indexed.contains(name) ? indexed(set) : set);
    binding.rows = table.values.rows;
  }
  return binding;
}
} // namespace sn::test
