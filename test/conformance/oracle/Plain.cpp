#include "test/conformance/oracle/Plain.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test::plain {
Tensor tensor(int64_t rowCount, int64_t columnCount, std::vector<double> values) {
  Tensor to(rowCount, columnCount);
  to.values = std::move(values);
  return to;
}

Tensor rows(const DataTable &table, const std::vector<int64_t> &ids) {
  Tensor to(static_cast<int64_t>(ids.size()), table.values.columns);
  for (int64_t row = 0; row < to.rows; ++row)
    for (int64_t column = 0; column < to.columns; ++column)
      to(row, column) = table.values(ids[static_cast<size_t>(row)], column);
  return to;
}

Tensor transposed(const Tensor &a) {
  Tensor to(a.columns, a.rows);
  for (int64_t row = 0; row < a.rows; ++row)
    for (int64_t column = 0; column < a.columns; ++column)
      to(column, row) = a(row, column);
  return to;
}

Tensor product(const Tensor &a, const Tensor &b) {
  EXPECT_EQ(a.columns, b.rows);
  Tensor to(a.rows, b.columns);
  for (int64_t row = 0; row < a.rows; ++row)
    for (int64_t column = 0; column < b.columns; ++column)
      for (int64_t k = 0; k < a.columns; ++k)
        to(row, column) += a(row, k) * b(k, column);
  return to;
}

Tensor combined(const Tensor &a, const Tensor &b, const std::function<double(double, double)> &function) {
  EXPECT_TRUE(b.rows == a.rows || b.rows == 1);
  EXPECT_TRUE(b.columns == a.columns || b.columns == 1);
  Tensor to(a.rows, a.columns);
  for (int64_t row = 0; row < a.rows; ++row)
    for (int64_t column = 0; column < a.columns; ++column)
      to(row, column) = function(a(row, column), b(b.rows == 1 ? 0 : row, b.columns == 1 ? 0 : column));
  return to;
}

Tensor plus(const Tensor &a, const Tensor &b) {
  return combined(a, b, [](double x, double y) { return x + y; });
}
Tensor minus(const Tensor &a, const Tensor &b) {
  return combined(a, b, [](double x, double y) { return x - y; });
}
Tensor times(const Tensor &a, const Tensor &b) {
  return combined(a, b, [](double x, double y) { return x * y; });
}
Tensor scaled(const Tensor &a, double factor) { return times(a, Tensor(1, 1, factor)); }
Tensor tanhOf(const Tensor &a) {
  return combined(a, a, [](double x, double) { return std::tanh(x); });
}
Tensor throughTanh(const Tensor &g, const Tensor &y) {
  return combined(g, y, [](double slope, double value) { return slope * (1 - value * value); });
}

Tensor columnSums(const Tensor &a) {
  Tensor to(1, a.columns);
  for (int64_t row = 0; row < a.rows; ++row)
    for (int64_t column = 0; column < a.columns; ++column)
      to(0, column) += a(row, column);
  return to;
}

Tensor boundedRows(const Tensor &a, double limit) {
  Tensor to = a;
  for (int64_t row = 0; row < a.rows; ++row) {
    double norm = 0;
    for (int64_t column = 0; column < a.columns; ++column)
      norm = std::hypot(norm, a(row, column));
    for (int64_t column = 0; norm > limit && column < a.columns; ++column)
      to(row, column) *= limit / norm;
  }
  return to;
}
Tensor boundedColumns(const Tensor &a, double limit) { return transposed(boundedRows(transposed(a), limit)); }

DataTable denseTable(Random &random, int64_t rowCount, int64_t columnCount) {
  DataTable table;
  table.values = Tensor(rowCount, columnCount);
  for (double &value : table.values.values)
    value = random.real(-1, 1);
  return table;
}

DataTable sparseTable(Random &random, int64_t rowCount, int64_t columnCount, bool binary) {
  DataTable table = denseTable(random, rowCount, columnCount);
  table.sparse = true;
  table.binary = binary;
  for (double &value : table.values.values) {
    table.stored.push_back(random.chance(0.5));
    value = !table.stored.back() ? 0 : binary ? 1 : value;
  }
  return table;
}

Step::Step(const std::string &json, Tables given, std::vector<int64_t> ids, const Adjust &adjust)
    : network(json, "a test", adjust), tables(std::move(given)) {
  state = network.initialState(tables);
  Random random(17);
  for (auto &[name, values] : state.parameters)
    for (double &value : values.values)
      value += random.real(-0.3, 0.3);
  for (auto &[name, values] : state.parameters) // variances are positive
    for (double &value : values.values)
      value = name.ends_with("variance") ? std::abs(value) : value;
  run = network.run(ids, 1, 1, 3);
}

void Step::train() { result = reference::interpret(network.differentiated(), "train", tables, state, run); }

void Step::expectGradient(const std::string &parameter, const Tensor &expected) const {
  ASSERT_TRUE(result.gradients.contains(parameter)) << parameter;
  expectNear(result.gradients.at(parameter), expected, "gradient of " + parameter);
}

void Step::expectAfter(const std::string &parameter, const Tensor &expected) const {
  expectNear(result.after.parameters.at(parameter), expected, parameter);
}

void expectNear(const Tensor &actual, const Tensor &expected, const std::string &what) {
  ASSERT_EQ(actual.rows, expected.rows) << what;
  ASSERT_EQ(actual.columns, expected.columns) << what;
  double scale = 1;
  for (double value : expected.values)
    scale = std::max(scale, std::abs(value));
  for (size_t i = 0; i < expected.values.size(); ++i) // constants in the IR are floats
    EXPECT_NEAR(actual.values[i], expected.values[i], 1e-6 * scale) << what << " [" << i << "]";
}

double halvedSquares(const Tensor &a) {
  double sum = 0;
  for (double value : a.values)
    sum += value * value / 2;
  return sum;
}
} // namespace sn::test::plain
