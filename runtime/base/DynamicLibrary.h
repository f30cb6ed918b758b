// Shared libraries opened at run time, so that snrt starts on machines without them.
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace sn::rt {
/// An open shared library; closed with the object. Symbols stay valid as long as it lives.
class DynamicLibrary {
public:
  /// Opens the library `name` (a soname or path). Null if it cannot be opened; `reason` then says why.
  static std::unique_ptr<DynamicLibrary> open(const std::string &name, std::string &reason);
  /// Opens a shared object held in memory (an in-memory file, nothing is written to disk). `label` appears in debuggers
  /// only.
  static std::unique_ptr<DynamicLibrary> fromBytes(std::string_view bytes, const std::string &label,
                                                   std::string &reason);
  ~DynamicLibrary();
  DynamicLibrary(const DynamicLibrary &) = delete;
  DynamicLibrary &operator=(const DynamicLibrary &) = delete;

  /// Address of a symbol of the library or of the libraries it needs; null if there is none.
  void *symbol(const std::string &name) const;
  template <typename Function> Function function(const std::string &name) const {
    return reinterpret_cast<Function>(symbol(name));
  }

private:
  explicit DynamicLibrary(void *handle) : handle(handle) {}
  void *handle;
};
} // namespace sn::rt
