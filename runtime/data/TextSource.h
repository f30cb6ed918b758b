// A text file read line by line, gzip-compressed or not.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct gzFile_s;

namespace sn::rt {
class TextSource {
public:
  /// UserError for a file that is missing or not text (HDF5, ZIP and other binary files are named).
  explicit TextSource(const std::string &path);
  ~TextSource();
  TextSource(const TextSource &) = delete;
  TextSource &operator=(const TextSource &) = delete;
  /// The next line without its end ("\n" or "\r\n"), valid until the next call; false at the end.
  /// UserError for a truncated or damaged gzip file.
  bool next(std::string_view &line);
  /// The number of the line that next() gave last, from 1.
  int64_t lineNumber() const { return lineNumber_; }
  /// Up to `most` non-empty lines from the beginning of the file. Only before the first next().
  std::vector<std::string> head(size_t most);
  const std::string &path() const { return path_; }
  /// How much of the file has been read, 0 to 1.
  double fraction() const;

private:
  bool refill();
  std::string path_;
  gzFile_s *file_ = nullptr;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0; // the part of the buffer not given out yet
  bool ended_ = false;
  int64_t lineNumber_ = 0, bytes_ = 0;
};
} // namespace sn::rt
