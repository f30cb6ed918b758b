// Small data sets, as the oracle and as the runtime take them.
#pragma once
#include "compiler/Reference/Interpreter.h"
#include "runtime/exec/Binding.h"
#include "test/support/Random.h"
#include <array>
#include <set>

namespace sn::test {
enum class Storage { Dense, CsrBinary, CsrAnalog };
inline constexpr std::array kStorages = {Storage::Dense, Storage::CsrBinary, Storage::CsrAnalog};

/// Data sets by name, as the oracle takes them: a row for each example. Those in `indexed` reach the runtime with equal
/// rows stored once, in another order, behind an index.
struct Tables : std::map<std::string, reference::DataTable> {
  using map::map;
  std::set<std::string> indexed;
};

struct TableShape {
  int64_t rows = 1, columns = 1;
  Storage storage = Storage::CsrBinary;
  bool unitInterval = false; // dense values in [0, 1], stored ones not negative: fit for losses on probabilities
  bool weighted = false;     // a weight for each example, a few of them 0
  bool indexed = false;      // some rows are equal
  bool ignoreZeros = false;  // sparse only
  bool image = false;        // dense only: multiples of 1/256 with an input offset
};
/// Values are floats. Sparse rows store up to half of the columns, a few of them nothing at all.
reference::DataTable randomTable(Random &random, const TableShape &shape);
/// Adds one under a name.
void addTable(Tables &tables, const std::string &name, Random &random, const TableShape &shape);
/// The same entries in another storage. Converting to binary makes every stored value 1.
reference::DataTable stored(const reference::DataTable &table, Storage storage);

rt::DataSet dataSetOf(const reference::DataTable &table, const std::string &name);
/// The same, each different row stored once (last ones first, and one row that no example has), with an index.
rt::DataSet indexed(const rt::DataSet &plain);
rt::Binding bind(const Tables &tables);
} // namespace sn::test
