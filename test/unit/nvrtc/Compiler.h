// What the tests of this folder share.
#pragma once
#include "runtime/hal/cuda/KernelCompiler.h"
#include "runtime/plan/Error.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace sn::rt::cuda {
/// A folder of its own, deleted in the end.
struct Scratch {
  Scratch() {
    path = (std::filesystem::temp_directory_path() / "unit-nvrtc-XXXXXX").string();
    if (!::mkdtemp(path.data()))
      throw std::runtime_error("no scratch folder");
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string path;
};

inline std::string readText(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// NVRTC, or null where the machine has none: the caller skips.
inline std::unique_ptr<KernelCompiler> nvrtcOrNull(const std::string &cache) {
  try {
    return openNvrtc(cache);
  } catch (const UserError &) {
    return nullptr;
  }
}
} // namespace sn::rt::cuda

#define NVRTC_OR_SKIP(compiler, cache)                                                                                 \
  const std::unique_ptr<sn::rt::cuda::KernelCompiler> compiler = sn::rt::cuda::nvrtcOrNull(cache);                     \
  if (!compiler)                                                                                                       \
  GTEST_SKIP() << "no NVRTC on this machine"
