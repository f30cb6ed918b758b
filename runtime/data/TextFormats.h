// The text formats that import reads, and how they are told apart.
// - lines:  user item item ...                              separated by blanks or TABs
// - dsstne: sample<TAB>feature[,value]:feature[,value]:...
// - csv:    one interaction per line, columns by delimiter, with or without a header
// - libsvm: label[,label...] number:value number:value ...
#pragma once
#include "runtime/data/Entries.h"
#include "runtime/data/TextSource.h"
#include <functional>

namespace sn::rt {
enum class TextFormat { Lines, Dsstne, Csv, LibSvm };

/// "lines", "dsstne", "csv", "libsvm".
const char *nameOf(TextFormat format);
/// UserError listing the formats if there is none of this name.
TextFormat formatNamed(const std::string &name);
/// Tells the format from the first lines. UserError naming `path` if it cannot be told.
TextFormat detectFormat(const std::vector<std::string> &head, const std::string &path);

/// Which columns of a CSV file hold what: a header's name or a number from 1; "" = found by usual names, else 1, 2
/// and 3.
struct CsvColumns {
  std::string user{}, item{}, value{};
};
/// How a CSV file is laid out. `value` is -1 if there is none.
struct CsvLayout {
  std::string delimiter;
  bool header = false;
  std::vector<std::string> names; // of the columns: from the header, else "column 1" ...
  int user = 0, item = 1, value = -1;
};
CsvLayout csvLayout(const std::vector<std::string> &head, const CsvColumns &wanted, const std::string &path);

/// Told now and then which part of the file has been read, 0 to 1. May be empty.
using ReadProgress = std::function<void(double)>;
inline void reportProgress(const ReadProgress &progress, const TextSource &source) {
  if (progress && source.lineNumber() % 65536 == 0)
    progress(source.fraction());
}

/// "file:line:column" of a place in the line that `source` gave last; without the column if `at` is not in it (a field
/// that stood in quotes was copied).
std::string placeIn(const TextSource &source, std::string_view line, const char *at);
/// Whether a line is text: UTF-8, no zero bytes, no field longer than 65,535 bytes. If not, its record is rejected.
bool isText(const TextSource &source, std::string_view line, Entries &into);
/// At most 40 bytes of a field, in quotes, for messages.
std::string excerpt(std::string_view text);

void parseLines(TextSource &source, Entries &into, const ReadProgress &progress);
/// A missing value is 0 (reference section 4.1); a sample on several lines: the last counts.
void parseDsstne(TextSource &source, Entries &into, const ReadProgress &progress);
void parseCsv(TextSource &source, const CsvLayout &layout, Entries &into, const ReadProgress &progress);
/// Rows have no names; columns are named by their numbers. Labels become label entries.
void parseLibSvm(TextSource &source, Entries &into, const ReadProgress &progress);

/// A decimal number that fills the whole text and is finite, as float32 too.
bool parseNumber(std::string_view text, double &value);
} // namespace sn::rt
