// What the assembler said of units, kept in record.json by the hash of all that is compiled: what has not changed since
// need not be compiled again for it.
#pragma once
#include "runtime/hal/cuda/KernelCompiler.h"
#include "runtime/hal/nvrtc/Resources.h"
#include <array>
#include <cstdint>
#include <set>

namespace sn::rt::cuda {
/// Of one function: registers, static shared bytes, stack bytes, spilled bytes.
using FunctionRow = std::array<int64_t, 4>;
/// A unit's, in the order of Unit::kernels.
using UnitRows = std::vector<FunctionRow>;

/// The rows of a unit compiled for a cubin; fewer than kernels where the log does not tell of all of them.
UnitRows rowsOf(const Unit &unit, const Compiled &compiled);
/// The names of the headers that `text` includes, through others or not.
std::set<std::string> reached(const std::string &text, const Headers &headers);
/// Which compiler it is, as its PTX says: "Cuda compilation tools, release 13.0, V13.0.88".
std::string identityOf(KernelCompiler &compiler);

/// Only of units that compile without a warning.
class Record {
public:
  /// Reads `path`; empty if it is not there, or of another compiler than `compiler`: what one does says nothing of
  /// another.
  Record(const std::string &path, const std::string &compiler);

  /// Null if this text with these headers, or its result for this architecture, is not in the record.
  const UnitRows *find(const Unit &unit, const Headers &headers, const std::string &architecture) const;
  void add(const Unit &unit, const Headers &headers, const std::string &architecture, UnitRows rows);
  /// A line a unit, in the order of their names.
  std::string text() const;

private:
  struct Entry {
    std::string name;
    std::map<std::string, UnitRows> rows; // by architecture
  };
  std::string compiler_;
  std::map<std::string, Entry> entries_; // by hash
};
} // namespace sn::rt::cuda
