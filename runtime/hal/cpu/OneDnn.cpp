#include "runtime/hal/cpu/OneDnn.h"
#include "runtime/base/DynamicLibrary.h"
#include "runtime/plan/Error.h"

namespace sn::rt::cpu {
namespace {
/// oneDNN divides its work by OpenMP's setting for the calling thread.
struct Library {
  std::unique_ptr<DynamicLibrary> library;
  Sgemm sgemm = nullptr;
  void (*setThreads)(int) = nullptr;

  Library() {
    std::string reason;
    library = DynamicLibrary::open("libdnnl.so.2", reason);
    if (!library)
      userError(
          "the CPU device needs oneDNN for matrix products, and libdnnl.so.2 cannot be opened ({}): install libdnnl2",
          reason);
    sgemm = library->function<Sgemm>("dnnl_sgemm");
    setThreads = library->function<void (*)(int)>("omp_set_num_threads");
    if (!sgemm || !setThreads)
      userError("libdnnl.so.2 has no {}: install libdnnl2 (oneDNN 2.x built with OpenMP)",
                sgemm ? "omp_set_num_threads" : "dnnl_sgemm");
  }
};
const Library &library() {
  static const Library instance;
  return instance;
}
} // namespace

Contraction openOneDnn() { return {library().sgemm}; }

void makeProductsSingleThreaded() { library().setThreads(1); }
} // namespace sn::rt::cpu
