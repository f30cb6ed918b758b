// Small data sets, as the oracle and as the runtime take them.
#pragma once
#include "compiler/Reference/Interpreter.h"
#include "runtime/exec/Binding.h"
#include "test/support/Random.h"
#include <array>

namespace sn::test {
enum class Storage { Dense, CsrBinary, CsrAnalog };
inline constexpr std::array kStorages = {Storage::Dense, Storage::CsrBinary, Storage::CsrAnalog};

using Tables = std::map<std::string, reference::DataTable>;

struct TableShape {
  int64_t rows = 1, columns = 1;
  Storage storage = Storage::CsrBinary;
  bool unitInterval = false; // dense values in [0, 1], stored ones not negative: fit for losses on probabilities
};
/// Values are floats. Sparse rows store up to half of the columns, a few of them nothing at all.
reference::DataTable randomTable(Random &random, const TableShape &shape);
/// The same entries in another storage. Converting to binary makes every stored value 1.
reference::DataTable stored(const reference::DataTable &table, Storage storage);

rt::DataSet dataSetOf(const reference::DataTable &table, const std::string &name);
rt::Binding bind(const Tables &tables);
} // namespace sn::test
