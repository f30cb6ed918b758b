// A plan file's bytes, once as they are and once with the checksum at the end made right (else nothing gets past it):
// an archive or a UserError. An archive that opens is written, read back, and has the same entries.
#include "runtime/plan/Archive.h"
#include "runtime/plan/Error.h"
#include "test/fuzz/support/Target.h"

namespace {
using namespace sn;

void read(const std::string &bytes) {
  fuzz::MemoryFile file(bytes);
  try {
    plan::Archive archive = plan::readArchive(file.path());
    std::string path = fuzz::scratch("again.plan");
    plan::writeArchive(archive, path, true);
    fuzz::demand(plan::readArchive(path).entries == archive.entries, "an archive changes when written and read");
    plan::readPlan(archive, file.path());
  } catch (const UserError &error) {
    fuzz::demand(std::string_view(error.what()).find(file.path()) != std::string_view::npos, "a message without file");
  }
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string bytes(reinterpret_cast<const char *>(data), size);
  read(bytes);
  constexpr size_t kDigits = 64;
  if (size <= kDigits)
    return 0;
  bytes.replace(size - kDigits, kDigits, plan::sha256Hex(std::string_view(bytes).substr(0, size - kDigits)));
  read(bytes);
  return 0;
}
