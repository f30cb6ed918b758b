// Matrices in plain loops, and one training step of a network to hold against them. Shares nothing with the compiler
// but the type of a tensor.
#pragma once
#include "test/support/Network.h"

namespace sn::test::plain {
using reference::DataTable;
using reference::Tensor;

Tensor tensor(int64_t rows, int64_t columns, std::vector<double> values);
/// The table's rows, as stored.
Tensor rows(const DataTable &table, const std::vector<int64_t> &ids);
Tensor transposed(const Tensor &a);
Tensor product(const Tensor &a, const Tensor &b);
/// Element by element; a `b` of one row or one column is broadcast.
Tensor combined(const Tensor &a, const Tensor &b, const std::function<double(double, double)> &function);
Tensor plus(const Tensor &a, const Tensor &b);
Tensor minus(const Tensor &a, const Tensor &b);
Tensor times(const Tensor &a, const Tensor &b);
Tensor scaled(const Tensor &a, double factor);
Tensor tanhOf(const Tensor &a);
/// g (1 - y^2): through a Tanh of result y.
Tensor throughTanh(const Tensor &g, const Tensor &y);
Tensor columnSums(const Tensor &a);
/// Rows (or columns) longer than `limit` scaled down to it.
Tensor boundedRows(const Tensor &a, double limit);
Tensor boundedColumns(const Tensor &a, double limit);

/// Dense values between -1 and 1.
DataTable denseTable(Random &random, int64_t rows, int64_t columns);
/// About half of the entries stored.
DataTable sparseTable(Random &random, int64_t rows, int64_t columns, bool binary);

/// A network, its data, and a state whose vectors are random too.
struct Step {
  Step(const std::string &json, Tables given, std::vector<int64_t> ids = {3, 0, 5, 2}, const Adjust &adjust = {});
  /// Runs "train" from the state.
  void train();
  const Tensor &at(const std::string &parameter) const { return state.parameters.at(parameter); }
  Tensor input(const std::string &table) const { return rows(tables.at(table), run.ids); }
  void expectGradient(const std::string &parameter, const Tensor &expected) const;
  void expectAfter(const std::string &parameter, const Tensor &expected) const;

  Network network;
  Tables tables;
  reference::State state;
  reference::Run run;
  reference::Result result;
};
void expectNear(const Tensor &actual, const Tensor &expected, const std::string &what);
/// The sum of halved squares, as L2 has it.
double halvedSquares(const Tensor &a);
} // namespace sn::test::plain
