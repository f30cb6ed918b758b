// DSSTNE's text files (reference 4.1, 4.2): samples with features, and index files.
#pragma once
#include "runtime/data/Entries.h"

namespace sn::dsstne {
/// The files behind a path: itself, or all that are in the folder, sorted by name. UserError if there are none.
std::vector<std::string> filesOf(const std::string &path);
/// Reads them all into `into`, under its vocabularies. A line that is no sample is left out, which is said on stderr.
void readSamples(const std::vector<std::string> &files, rt::Entries &into);

/// The labels of an index file by their numbers; numbers nobody has get empty names. UserError for damage.
rt::Names readIndex(const std::string &path);
/// One `label TAB number` a line; empty names are left out. The file appears whole or not at all.
void writeIndex(const std::string &path, const rt::Names &names);
} // namespace sn::dsstne
