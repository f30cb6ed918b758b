// DSSTNE's text files (reference 4.1): samples with features.
#pragma once
#include "runtime/data/Entries.h"

namespace sn::dsstne {
/// The files behind a path: itself, or all that are in the folder, sorted by name. UserError if there are none.
std::vector<std::string> filesOf(const std::string &path);
/// Reads them all into `into`, under its vocabularies. A line that is no sample is left out, which is said on stderr.
void readSamples(const std::vector<std::string> &files, rt::Entries &into);
} // namespace sn::dsstne
