// Where the text formats put what they read: (row, column, value) entries under growing or fixed vocabularies.
#pragma once
#include "runtime/data/DataSet.h"
#include <limits>
#include <optional>

namespace sn::rt {
/// Names and their ids, in order of first appearance. A closed one takes no new names: unknown ones are counted.
struct Vocabulary {
  NameIndex names;
  bool closed = false;
  NameIndex unknown;
  /// -1 for an unknown name.
  int64_t id(std::string_view name) {
    if (!closed)
      return names.add(name);
    int64_t known = names.find(name);
    if (known < 0)
      unknown.add(name);
    return known;
  }
};

/// The entries of one source. Also keeps count of what was odd about it.
class Entries {
public:
  Vocabulary rows, columns, labels;
  std::optional<double> minimum; // entries with a lower value are left out
  bool keepValues = false;

  /// Id of a named row, or -1 for one that a closed vocabulary does not have.
  int64_t row(std::string_view name);
  /// A new row without a name.
  int64_t nextRow();
  /// Forgets what the row had before: the line at hand replaces the earlier one.
  void restart(int64_t row);
  /// Whether an entry of this value is wanted; keeps the range of values.
  bool wants(double value);
  /// Row -1 and unknown columns are counted and dropped.
  void add(int64_t row, std::string_view column, double value = 1);
  void addLabel(int64_t row, std::string_view label);
  /// A record that cannot be read. The first ten are kept, each as "place: reason".
  void reject(const std::string &place, const std::string &reason);

  /// For numbered columns: ids become the numbers less the base (0 if column 0 occurs, else 1), at least `least` of
  /// them. UserError for many more columns than entries: one stray number must not make a huge layer.
  void numberColumns(int64_t least, const std::string &path);
  /// The entries as CSR rows, with names. Takes them out of here. `tidied` says what was merged.
  DataSet takeDataSet(bool analog, Duplicates duplicates, Tidied &tidied);
  DataSet takeLabels();
  bool hasLabels() const { return !labelColumns_.empty(); }

  int64_t rejected = 0, accepted = 0, belowMinimum = 0;
  int64_t ofUnknownRows = 0, ofUnknownColumns = 0; // entries dropped
  int64_t withoutValue = 0, replacedRows = 0;
  bool namedRows = true;
  bool sawValues = false, onlyOnes = true;
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  std::vector<std::string> firstRejects;
  std::vector<std::string> notes;

private:
  int64_t rowCount() const { return namedRows ? rows.names.size() : unnamedRows_; }
  DataSet toRows(std::vector<uint32_t> rowIds, std::vector<int32_t> columnIds, const std::vector<float> &values,
                 bool analog) const;
  std::vector<uint32_t> rowIds_, labelRows_;
  std::vector<int32_t> columnIds_, labelColumns_;
  std::vector<float> values_;
  std::vector<int64_t> liveFrom_; // by row: entries before this one were replaced
  int64_t unnamedRows_ = 0;
};
} // namespace sn::rt
