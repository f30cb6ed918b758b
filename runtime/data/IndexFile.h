// Index files of DSSTNE's tools (reference section 4.2): one "label<TAB>number" per line.
#pragma once
#include "runtime/data/Names.h"

namespace sn::rt {
/// The labels by number; numbers nobody has get empty names, empty lines are passed over. UserError for repeated labels
/// or numbers, and for numbers far beyond the count of labels (T-69).
Names readFeatureIndex(const std::string &path);
/// Writes the names with their positions, without those that are empty; the file appears whole or not at all. UserError
/// for names with a TAB or a line's end in them, for repeated ones, and if `path` exists and `force` is not set.
void writeIndex(const std::string &path, const Names &names, bool force);
} // namespace sn::rt
