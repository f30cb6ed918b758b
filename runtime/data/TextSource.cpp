#include "runtime/data/TextSource.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <zlib.h>

namespace sn::rt {
namespace {
constexpr size_t kChunk = 1 << 20, kLongestLine = size_t(1) << 30;

void refuseBinary(const std::string &path, std::string_view start) {
  if (start.substr(0, 4) == "\x89HDF")
    userError("{}: is an HDF5 file; import reads text. If it is a data file already, use it as it is", path);
  if (start.substr(0, 4) == "PK\x03\x04")
    userError("{}: is a ZIP archive; unpack it first (gzip-compressed text is read as it is)", path);
  if (start.substr(0, 2) == "\xFF\xFE" || start.substr(0, 2) == "\xFE\xFF")
    userError("{}: is UTF-16 text; import reads UTF-8. Convert it: iconv -f utf-16 -t utf-8", path);
  if (start.find('\0') != std::string_view::npos)
    userError("{}: is a binary file; import reads text", path);
}

void refuseOldLineEnds(const std::string &path, std::string_view start) {
  size_t end = start.find('\r');
  if (end != std::string_view::npos && end + 1 < start.size() && start.find('\n') == std::string_view::npos)
    userError("{}: its lines end in carriage returns alone, as on old Macs; convert it: tr '\\r' '\\n'", path);
}
} // namespace

TextSource::TextSource(const std::string &path) : path_(path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    userError("{}: is a folder; import reads one text file", path);
  file_ = gzopen(path.c_str(), "rb");
  if (!file_)
    userError("{}: cannot be read: {}", path, std::strerror(errno));
  bytes_ = int64_t(std::filesystem::file_size(path, error));
  try {
    gzbuffer(file_, 1 << 18);
    refill();
    refuseBinary(path, std::string_view(buffer_).substr(0, std::min<size_t>(end_, 4096)));
    refuseOldLineEnds(path, std::string_view(buffer_).substr(0, end_));
  } catch (...) {
    gzclose_r(file_);
    throw;
  }
  if (std::string_view(buffer_).substr(0, end_).substr(0, 3) == "\xEF\xBB\xBF") // byte order mark
    begin_ = 3;
}

TextSource::~TextSource() { gzclose_r(file_); }

/// Moves what is left to the front and reads on; false if there is nothing more.
bool TextSource::refill() {
  if (ended_)
    return false;
  buffer_.erase(0, begin_);
  end_ -= begin_;
  begin_ = 0;
  buffer_.resize(std::max(buffer_.size(), end_ + kChunk));
  int got = gzread(file_, buffer_.data() + end_, unsigned(buffer_.size() - end_));
  int status = Z_OK;
  const char *why = gzerror(file_, &status);
  if (got < 0 || status == Z_BUF_ERROR || status == Z_DATA_ERROR)
    userError("{}: is a damaged or truncated gzip file ({})", path_, why);
  end_ += size_t(got);
  ended_ = got == 0;
  return got > 0;
}

bool TextSource::next(std::string_view &line) {
  for (size_t from = begin_;;) {
    const void *found = std::memchr(buffer_.data() + from, '\n', end_ - from);
    if (found || (ended_ && begin_ < end_)) {
      size_t stop = found ? size_t(static_cast<const char *>(found) - buffer_.data()) : end_;
      line = std::string_view(buffer_).substr(begin_, stop - begin_);
      begin_ = std::min(end_, stop + 1);
      if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
      ++lineNumber_;
      return true;
    }
    size_t searched = end_ - begin_;
    if (searched > kLongestLine)
      userError("{}:{}: a line of more than {} bytes; text has lines", path_, lineNumber_ + 1, kLongestLine);
    if (!refill() && begin_ == end_)
      return false;
    from = begin_ + searched;
  }
}

std::vector<std::string> TextSource::head(size_t most) {
  std::vector<std::string> lines;
  std::string_view rest = std::string_view(buffer_).substr(begin_, end_ - begin_);
  while (!rest.empty() && lines.size() < most) {
    size_t stop = rest.find('\n');
    if (stop == std::string_view::npos && !lines.empty() && !gzeof(file_))
      break; // the last line of the buffer may be cut
    std::string_view line = rest.substr(0, stop);
    rest.remove_prefix(stop == std::string_view::npos ? rest.size() : stop + 1);
    if (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    if (!line.empty())
      lines.emplace_back(line);
  }
  return lines;
}

double TextSource::fraction() const {
  return bytes_ > 0 ? std::min(1.0, double(gzoffset(file_)) / double(bytes_)) : 1.0;
}
} // namespace sn::rt
