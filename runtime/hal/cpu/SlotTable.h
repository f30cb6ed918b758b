// Slot functions by name, from a plan's object or registered by a test.
#pragma once
#include "runtime/base/DynamicLibrary.h"
#include "runtime/plan/Abi.h"
#include "runtime/plan/Archive.h"
#include <map>
#include <memory>
#include <string>

namespace sn::rt::cpu {
class SlotTable {
public:
  /// An empty table for `level` ("" = the richest this machine runs).
  explicit SlotTable(const std::string &level = "");
  /// The slots of `plan` from the richest "cpu/<level>.so" of the archive that this machine runs; `level` forces one
  /// ("" = best). UserError for a level that is unknown, not in the archive or beyond this machine, for a damaged
  /// object, and for a missing slot.
  static SlotTable fromArchive(const plan::Archive &archive, const plan::Plan &plan, const std::string &level);

  void add(const std::string &name, sn_slot function) { functions[name] = function; }
  /// UserError naming a slot that is not there.
  sn_slot find(const std::string &name) const;
  /// The instruction set level of the object, one of plan::kCpuLevels.
  const std::string &level() const { return chosen; }

private:
  std::map<std::string, sn_slot, std::less<>> functions;
  std::shared_ptr<DynamicLibrary> object;
  std::string chosen;
};

/// Whether this machine runs code of a level of plan::kCpuLevels. UserError for any other name.
bool machineRuns(const std::string &level);
} // namespace sn::rt::cpu
