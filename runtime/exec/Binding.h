// Data sets bound to the names a plan uses, and the values of the plan's symbols.
#pragma once
#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/data/DataFile.h"
#include "runtime/hal/Device.h"
#include <set>

namespace sn::rt {
/// Data sets by the plan's names; all have the same number of rows.
struct Binding {
  std::string path; // of the data file, for messages
  std::map<std::string, std::shared_ptr<const DataSet>, std::less<>> sets;
  int64_t rows = 0;
  bool toDevice = false; // rows cross to the device batch by batch (Streaming)
  /// Bytes of the data sets in memory; one bound to two names counts once.
  int64_t bytes() const;
};
/// From the name in the plan to the name in the file, where they differ (--bind output=input).
using Aliases = std::map<std::string, std::string>;
/// "output=input" and the like. UserError for another form.
Aliases parseAliases(const std::vector<std::string> &texts);

/// The data sets that the steps of an entry read.
std::set<std::string> dataSetsOf(const plan::Entry &entry);
/// How a binding comes by the data set of this name in the file.
using DataSetSource = std::function<std::shared_ptr<const DataSet>(const std::string &stored)>;
/// Binds the named data sets, each got from `source`. UserError as from bindData.
Binding bindFrom(const plan::Plan &plan, const std::set<std::string> &names, const DataFile &file,
                 const Aliases &aliases, const DataSetSource &source);
/// Loads the named data sets. UserError if one is missing (with what the file has), or their row counts differ.
Binding bindData(const plan::Plan &plan, const std::set<std::string> &names, DataFile &file, const Aliases &aliases);

/// The names of a data set's columns must be the first of `expected` (those of the training data); either may be
/// absent. UserError naming the first column that differs.
void checkColumnNames(const DataSet &set, const std::string &path, const Names *expected);
/// The same for all bound data sets against those a weights file was trained with.
void checkColumnNames(const Binding &data, const CheckpointHeader &weights);

using SymbolValues = std::map<std::string, int64_t, std::less<>>;
/// Values of all symbols of the plan: the extents the weights were trained with, else the widths of the data sets.
/// UserError if neither gives one.
SymbolValues resolveSymbols(const plan::Plan &plan, const Binding *data, const CheckpointHeader *weights);
/// The device's view of a bound data set. UserError naming both widths if it is wider than the layer.
DataView boundView(const plan::Plan &plan, const Binding &binding, const std::string &name, const Extents &extents);
} // namespace sn::rt
