#include "runtime/plan/ZipMemory.h"
#include <algorithm>
#include <cstring>
#include <minizip/unzip.h>
#include <minizip/zip.h>
#include <stdexcept>
#include <zlib.h>

namespace sn::plan {
namespace {
struct Stream {
  std::string bytes;
  uint64_t position = 0;
};

voidpf openStream(voidpf opaque, const void *, int) { return opaque; }
uLong readStream(voidpf, voidpf stream, void *to, uLong size) {
  auto &s = *static_cast<Stream *>(stream);
  uint64_t count = s.position < s.bytes.size() ? std::min<uint64_t>(size, s.bytes.size() - s.position) : 0;
  std::memcpy(to, s.bytes.data() + (count ? s.position : 0), count);
  s.position += count;
  return count;
}
uLong writeStream(voidpf, voidpf stream, const void *from, uLong size) {
  auto &s = *static_cast<Stream *>(stream);
  if (s.position + size > s.bytes.size())
    s.bytes.resize(s.position + size);
  std::memcpy(s.bytes.data() + s.position, from, size);
  s.position += size;
  return size;
}
ZPOS64_T tellStream(voidpf, voidpf stream) { return static_cast<Stream *>(stream)->position; }
long seekStream(voidpf, voidpf stream, ZPOS64_T offset, int origin) {
  auto &s = *static_cast<Stream *>(stream);
  uint64_t base = origin == ZLIB_FILEFUNC_SEEK_SET ? 0 : origin == ZLIB_FILEFUNC_SEEK_CUR ? s.position : s.bytes.size();
  if (base + offset > s.bytes.size())
    return -1;
  s.position = base + offset;
  return 0;
}
int closeStream(voidpf, voidpf) { return 0; }
int errorOfStream(voidpf, voidpf) { return 0; }

zlib_filefunc64_def functionsOn(Stream &stream) {
  return {openStream, readStream, writeStream, tellStream, seekStream, closeStream, errorOfStream, &stream};
}

void check(bool ok) {
  if (!ok)
    throw std::logic_error("a ZIP archive could not be formed in memory");
}

/// The entry the reader stands on; nothing if its checksum fails.
std::optional<std::string> readEntry(unzFile zip, uint64_t size) {
  if (unzOpenCurrentFile(zip) != UNZ_OK)
    return std::nullopt;
  std::string content;
  char block[1 << 16];
  int count;
  while ((count = unzReadCurrentFile(zip, block, sizeof block)) > 0)
    content.append(block, static_cast<size_t>(count));
  bool good = unzCloseCurrentFile(zip) == UNZ_OK && count == 0 && content.size() == size;
  return good ? std::optional(std::move(content)) : std::nullopt;
}
} // namespace

std::string zipEntries(const std::map<std::string, std::string> &entries, const std::string &comment) {
  Stream stream;
  zlib_filefunc64_def functions = functionsOn(stream);
  zipFile zip = zipOpen2_64("", APPEND_STATUS_CREATE, nullptr, &functions);
  check(zip != nullptr);
  zip_fileinfo info{};
  info.dosDate = (1u << 21) | (1u << 16);
  for (const auto &[name, content] : entries) {
    check(zipOpenNewFileInZip64(zip, name.c_str(), &info, nullptr, 0, nullptr, 0, nullptr, Z_DEFLATED,
                                Z_DEFAULT_COMPRESSION, content.size() >= 0xFFFFFFFFu) == ZIP_OK);
    constexpr size_t kBlock = size_t(1) << 30; // the length is an unsigned int
    for (size_t at = 0; at < content.size(); at += kBlock)
      check(zipWriteInFileInZip(zip, content.data() + at,
                                static_cast<unsigned>(std::min(kBlock, content.size() - at))) == ZIP_OK);
    check(zipCloseFileInZip(zip) == ZIP_OK);
  }
  check(zipClose(zip, comment.c_str()) == ZIP_OK);
  return std::move(stream.bytes);
}

std::optional<std::map<std::string, std::string>> unzipEntries(const std::string &bytes) {
  Stream stream{bytes};
  zlib_filefunc64_def functions = functionsOn(stream);
  unzFile zip = unzOpen2_64("", &functions);
  if (!zip)
    return std::nullopt;
  std::map<std::string, std::string> entries;
  bool good = true;
  for (int state = unzGoToFirstFile(zip); good && state != UNZ_END_OF_LIST_OF_FILE; state = unzGoToNextFile(zip)) {
    char name[1024];
    unz_file_info64 info;
    good = state == UNZ_OK && unzGetCurrentFileInfo64(zip, &info, name, sizeof name, nullptr, 0, nullptr, 0) == UNZ_OK;
    std::optional<std::string> content = good ? readEntry(zip, info.uncompressed_size) : std::nullopt;
    good = content.has_value();
    if (good)
      entries.emplace(name, std::move(*content));
  }
  unzClose(zip);
  return good ? std::optional(std::move(entries)) : std::nullopt;
}
} // namespace sn::plan
