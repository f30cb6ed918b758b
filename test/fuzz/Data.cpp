// Data files whose metadata HDF5 itself wrote, and whose content is anything: the input decides which objects there
// are, their types, shapes, storage, attributes and values. Loading gives a valid data set or a UserError.
#include "test/fuzz/support/DataSets.h"
#include "test/fuzz/support/Hdf5Builder.h"
#include "test/fuzz/support/Target.h"

namespace {
using namespace sn::fuzz;

std::vector<std::string> someNames(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i)
    names.push_back("name" + std::to_string(i));
  return names;
}

void names(Hdf5Builder &file, const std::string &group, int rows, int columns, Choices &choices) {
  int which = choices.below(4);
  if (which & 1)
    file.strings(group + "/row_names", someNames(rows), false, choices);
  if (which & 2)
    file.strings(group + "/column_names", someNames(columns), false, choices);
}

/// What examples have beside rows: an index, weights. `group`: where they lie.
void examples(Hdf5Builder &file, const std::string &group, int rows, Choices &choices) {
  const int which = choices.below(4), count = 1 + choices.below(7);
  std::vector<long double> index, weights;
  for (int i = 0; i < count; ++i) {
    index.push_back(choices.below(rows));
    weights.push_back(choices.below(8) / 4.0L);
  }
  if (which & 1)
    file.numbers(group + "/index", H5T_STD_I32LE, {hsize_t(count)}, index, choices);
  if (which & 2) {
    weights.resize(size_t(which & 1 ? count : rows), 1);
    file.numbers(group + "/weights", H5T_IEEE_F32LE, {hsize_t(weights.size())}, weights, choices);
  }
}

void sparse(Hdf5Builder &file, const std::string &name, Choices &choices) {
  int rows = 1 + choices.below(6), columns = 1 + choices.below(9);
  std::vector<long double> indptr{0}, indices, values;
  for (int row = 0; row < rows; ++row) {
    for (int entries = choices.below(4); entries > 0; --entries) {
      indices.push_back(choices.below(columns));
      values.push_back(choices.below(5) + 0.5L);
    }
    indptr.push_back(static_cast<long double>(indices.size()));
  }
  file.group(name);
  file.textAttribute(name, "encoding-type", "csr_matrix", choices);
  file.integerAttribute(name, "shape", {static_cast<long double>(rows), static_cast<long double>(columns)}, false,
                        choices);
  hsize_t entries = indices.size();
  file.numbers(name + "/indptr", H5T_STD_I64LE, {hsize_t(rows) + 1}, indptr, choices);
  file.numbers(name + "/indices", H5T_STD_I32LE, {entries}, indices, choices);
  if (choices.below(2))
    file.numbers(name + "/data", H5T_IEEE_F32LE, {entries}, values, choices);
  names(file, name, rows, columns, choices);
  examples(file, name, rows, choices);
  if (choices.below(4) == 1)
    file.integerAttribute(name, "ignore_zeros", {1}, false, choices);
  if (choices.below(4) == 1)
    file.integerAttribute(name, "extents", {static_cast<long double>(columns), 1}, false, choices);
}

void dense(Hdf5Builder &file, const std::string &name, Choices &choices) {
  int rows = 1 + choices.below(6), columns = 1 + choices.below(9);
  std::vector<long double> values(size_t(rows) * size_t(columns), 0.25L);
  values[0] = static_cast<long double>(choices.number());
  file.numbers(name, H5T_IEEE_F32LE, {hsize_t(rows), hsize_t(columns)}, values, choices);
  file.group(name + ".names");
  names(file, name + ".names", rows, columns, choices);
  examples(file, name + ".names", rows, choices);
  for (const char *attribute : {"scale_factor", "input_offset"})
    if (choices.below(4) == 1)
      file.integerAttribute(name, attribute, {static_cast<long double>(choices.below(5))}, true, choices);
}

/// How many data sets the file of these choices gives.
int load(Choices choices) {
  std::string path = scratch("input");
  {
    Hdf5Builder file(path);
    int what = choices.byte();
    if (what & 1)
      dense(file, "input", choices);
    else
      sparse(file, "input", choices);
    if (what & 2)
      file.hardLink("input", "output");
    else if (what & 4)
      file.softLink(what & 8 ? "nowhere" : "/input", "output");
    else if (what & 16)
      sparse(file, "output", choices);
  }
  return loadAll(path, {"input", "output", "input/indptr", "."});
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int plain = load({nullptr, 0});
  demand(plain == 1, "the plainest file gives no data set: this target would try nothing");
  load({data, size});
  closeAbandonedFiles();
  return 0;
}
