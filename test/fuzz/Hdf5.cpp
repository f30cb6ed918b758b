// The raw bytes of a data file. This reaches HDF5's own reading of its metadata, which is not our code: README.md.
#include "test/fuzz/support/DataSets.h"
#include "test/fuzz/support/Target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sn::fuzz::MemoryFile file({reinterpret_cast<const char *>(data), size});
  sn::fuzz::loadAll(file.path(), {"input", "output"});
  sn::fuzz::closeAbandonedFiles();
  return 0;
}
