// Compiled kernels on disk by the hash of all they depend on. A cache, nothing more: what cannot be read is made again,
// what cannot be written is not kept, and any of its files may be deleted at any time. Processes share it.
#pragma once
#include "runtime/hal/cuda/KernelCompiler.h"
#include <cstdint>
#include <optional>

namespace sn::rt::cuda {
inline constexpr int64_t kKernelCacheBytes = int64_t(512) << 20;

class KernelCache {
public:
  /// `folder` "" = keeps nothing; it is made with the first result. At most `limit` bytes stay in it, the latest used.
  explicit KernelCache(std::string folder, int64_t limit = kKernelCacheBytes)
      : folder_(std::move(folder)), limit_(limit) {}

  /// `key`: SHA-256 in hexadecimal digits. Nothing for what is not there or damaged.
  std::optional<Compiled> find(const std::string &key) const;
  void store(const std::string &key, const Compiled &compiled) const;
  /// Deletes the files that have not been used for longest until the rest is within the limit.
  void shrink() const;

private:
  std::string fileOf(const std::string &key) const;
  std::string folder_;
  int64_t limit_;
};
} // namespace sn::rt::cuda
