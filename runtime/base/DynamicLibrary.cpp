#include "runtime/base/DynamicLibrary.h"
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sn::rt {
std::unique_ptr<DynamicLibrary> DynamicLibrary::open(const std::string &name, std::string &reason) {
  void *handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *message = dlerror();
    reason = message ? message : "unknown error";
    return nullptr;
  }
  return std::unique_ptr<DynamicLibrary>(new DynamicLibrary(handle));
}

static bool writeAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::unique_ptr<DynamicLibrary> DynamicLibrary::fromBytes(std::string_view bytes, const std::string &label,
                                                          std::string &reason) {
  int file = memfd_create(label.c_str(), MFD_CLOEXEC);
  if (file < 0 || !writeAll(file, bytes)) {
    reason = std::strerror(errno);
    if (file >= 0)
      close(file);
    return nullptr;
  }
  auto library = open(fmt::format("/proc/self/fd/{}", file), reason);
  close(file);
  return library;
}

DynamicLibrary::~DynamicLibrary() { dlclose(handle); }

void *DynamicLibrary::symbol(const std::string &name) const { return dlsym(handle, name.c_str()); }
} // namespace sn::rt
