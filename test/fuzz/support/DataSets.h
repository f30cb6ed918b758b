// What a data set must be whatever file it came from.
#pragma once
#include "runtime/data/DataFile.h"

namespace sn::fuzz {
/// Ends the program unless rows, columns, row bounds, indices, values and names are what DataSet promises.
void checkDataSet(const rt::DataSet &data);
/// Loads every data set of a file, and any of these names, checks each, writes it, and reads the same back. UserErrors
/// end here: they are a proper answer. Returns how many names gave a data set.
int loadAll(const std::string &path, const std::vector<std::string> &names);
/// Closes the HDF5 files that were begun and not finished. The runtime leaves them open on purpose, half a megabyte
/// each (h5::File::abandon), which is nothing for a command and the end of a long run here.
void closeAbandonedFiles();
} // namespace sn::fuzz
