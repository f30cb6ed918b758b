// NVRTC, opened at run time: declarations are ours, names and codes those of its reference (CUDA 13, nvrtc.h).
#include "runtime/base/DynamicLibrary.h"
#include "runtime/hal/cuda/KernelCompiler.h"
#include "runtime/hal/nvrtc/KernelCache.h"
#include "runtime/hal/nvrtc/ToolkitFolders.h"
#include "runtime/plan/Archive.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <immintrin.h>
#include <mutex>
#include <set>
#include <thread>

namespace sn::rt::cuda {
namespace {
namespace fs = std::filesystem;
using Status = int; // nvrtcResult; 0 = success
constexpr Status kCompilation = 6;
struct ProgramTag;
using ProgramHandle = ProgramTag *;

struct Api {
  const char *(*getErrorString)(Status status);
  Status (*version)(int *major, int *minor);
  Status (*getNumSupportedArchs)(int *count);
  Status (*getSupportedArchs)(int *architectures);
  Status (*createProgram)(ProgramHandle *program, const char *text, const char *name, int headers,
                          const char *const *headerTexts, const char *const *headerNames);
  Status (*destroyProgram)(ProgramHandle *program);
  Status (*compileProgram)(ProgramHandle program, int options, const char *const *texts);
  Status (*getPTXSize)(ProgramHandle program, size_t *bytes);
  Status (*getPTX)(ProgramHandle program, char *text);
  Status (*getCUBINSize)(ProgramHandle program, size_t *bytes);
  Status (*getCUBIN)(ProgramHandle program, char *image);
  Status (*getProgramLogSize)(ProgramHandle program, size_t *bytes);
  Status (*getProgramLog)(ProgramHandle program, char *text);
  Status (*addNameExpression)(ProgramHandle program, const char *expression);
  Status (*getLoweredName)(ProgramHandle program, const char *expression, const char **name);
};

/// False if the library lacks a function: no NVRTC, or one older than CUDA 11.2.
bool resolve(Api &api, const DynamicLibrary &library) {
  bool all = true;
  const auto take = [&](auto &function, const char *name) {
    function = library.function<std::remove_reference_t<decltype(function)>>(name);
    all &= function != nullptr;
  };
  take(api.getErrorString, "nvrtcGetErrorString");
  take(api.version, "nvrtcVersion");
  take(api.getNumSupportedArchs, "nvrtcGetNumSupportedArchs");
  take(api.getSupportedArchs, "nvrtcGetSupportedArchs");
  take(api.createProgram, "nvrtcCreateProgram");
  take(api.destroyProgram, "nvrtcDestroyProgram");
  take(api.compileProgram, "nvrtcCompileProgram");
  take(api.getPTXSize, "nvrtcGetPTXSize");
  take(api.getPTX, "nvrtcGetPTX");
  take(api.getCUBINSize, "nvrtcGetCUBINSize");
  take(api.getCUBIN, "nvrtcGetCUBIN");
  take(api.getProgramLogSize, "nvrtcGetProgramLogSize");
  take(api.getProgramLog, "nvrtcGetProgramLog");
  take(api.addNameExpression, "nvrtcAddNameExpression");
  take(api.getLoweredName, "nvrtcGetLoweredName");
  return all;
}

/// The compiler's own library, which it opens by name: from the same folder, where the loader would not look.
void openBuiltins(const fs::path &library) {
  for (const fs::path &file : entriesOf(library.parent_path(), "libnvrtc-builtins.so")) {
    std::string reason;
    // Never closed, like NVRTC itself: its threads and exit handlers outlive any object of ours.
    if (DynamicLibrary::open(file.string(), reason).release())
      return;
  }
}

struct Library {
  Api api{};
  int major = 0, minor = 0;
  std::vector<int> architectures; // that it compiles for, ascending: 75, 80, ...
};

/// Opens `name` and leaves it open. Nothing if it is no NVRTC that suits.
std::unique_ptr<Library> tryOpen(const std::string &name, std::string &reason) {
  if (name.find('/') != std::string::npos)
    openBuiltins(name);
  std::unique_ptr<DynamicLibrary> opened = DynamicLibrary::open(name, reason);
  if (!opened)
    return nullptr;
  auto library = std::make_unique<Library>();
  int count = 0;
  if (!resolve(library->api, *opened) || library->api.version(&library->major, &library->minor) != 0 ||
      library->api.getNumSupportedArchs(&count) != 0) {
    reason = name + ": no NVRTC of CUDA 12 or later";
    return nullptr;
  }
  library->architectures.resize(static_cast<size_t>(count));
  if (library->api.getSupportedArchs(library->architectures.data()) != 0 || library->major < 12 || count == 0) {
    reason = fmt::format("{}: NVRTC {}.{}, which is older than 12", name, library->major, library->minor);
    return nullptr;
  }
  std::sort(library->architectures.begin(), library->architectures.end());
  static_cast<void>(opened.release());
  return library;
}

std::unique_ptr<Library> findLibrary() {
  std::string reason;
  if (const char *named = std::getenv("SNRT_NVRTC"); named && *named) {
    if (auto library = tryOpen(named, reason))
      return library;
    userError("SNRT_NVRTC: cannot use '{}' as NVRTC: {}", named, reason);
  }
  constexpr const char *kNames[] = {"libnvrtc.so.13", "libnvrtc.so.12"};
  for (const char *name : kNames)
    if (auto library = tryOpen(name, reason))
      return library;
  std::vector<std::string> looked;
  for (const fs::path &folder : toolkitFolders({"nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"}))
    for (const char *name : kNames)
      if (std::error_code none; fs::exists(folder / name, none)) {
        if (auto library = tryOpen((folder / name).string(), reason))
          return library;
        looked.push_back(reason);
      }
  userError(
      "NVRTC, the CUDA compiler, was not found: no libnvrtc.so.13 or .so.12 where the system looks for libraries, "
      "in $CUDA_HOME/lib64, in /usr/local/cuda/lib64 or in the Python package nvidia-cuda-nvrtc{}{}; install one "
      "of them, or name the library in SNRT_NVRTC",
      looked.empty() ? "" : "; tried ", fmt::join(looked, "; "));
}

/// The headers that `text` includes, those that they include and so on.
void collectHeaders(std::string_view text, const Headers &headers, std::set<std::string, std::less<>> &used) {
  constexpr std::string_view kInclude = "#include \"";
  for (size_t at = text.find(kInclude); at != std::string_view::npos; at = text.find(kInclude, at + 1)) {
    const std::string_view rest = text.substr(at + kInclude.size());
    const std::string_view name = rest.substr(0, rest.find('"'));
    const auto found = headers.find(name);
    if (found != headers.end() && used.insert(std::string(name)).second)
      collectHeaders(found->second, headers, used);
  }
}

/// A log without the times that the assembler took: what is compiled twice says the same twice.
std::string withoutTimes(std::string_view log) {
  std::string kept;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, std::min(log.find('\n'), log.size() - 1) + 1);
    if (line.find("Compile time = ") == std::string_view::npos)
      kept += line;
    log.remove_prefix(line.size());
  }
  return kept;
}

class Nvrtc final : public KernelCompiler {
public:
  Nvrtc(const Library &library, const std::string &cache) : library(library), api(library.api), cache(cache) {}

  std::vector<Compiled> compile(const std::vector<Unit> &units, const Headers &headers,
                                const std::string &architecture) override;

private:
  std::string target(const std::string &architecture) const;
  Compiled compileOne(const Unit &unit, const Headers &headers, const std::string &architecture, bool &made) const;
  Compiled translate(const Unit &unit, const std::vector<std::pair<const char *, const char *>> &headers,
                     const std::vector<std::string> &options, bool ptx) const;
  std::string keyOf(const Unit &unit, const std::vector<std::pair<const char *, const char *>> &headers,
                    const std::vector<std::string> &options) const;
  void check(Status status, const Unit &unit) const {
    if (status != 0)
      throw std::logic_error(fmt::format("NVRTC on kernel '{}': {}", unit.name, api.getErrorString(status)));
  }

  const Library &library;
  const Api &api;
  KernelCache cache;
};

/// What is asked of the library for `architecture`: that itself, or the newest PTX that it can write for a device that
/// is newer than it.
std::string Nvrtc::target(const std::string &architecture) const {
  const std::vector<int> &known = library.architectures;
  int number = 0;
  const char *digits = architecture.c_str() + architecture.find('_') + 1;
  std::from_chars(digits, architecture.c_str() + architecture.size(), number);
  if (std::binary_search(known.begin(), known.end(), number))
    return architecture;
  if (number > known.back())
    return fmt::format("compute_{}", known.back());
  userError("NVRTC {}.{} does not compile for {}; it knows the compute capabilities {} (times ten)", library.major,
            library.minor, architecture, fmt::join(known, ", "));
}

std::vector<Compiled> Nvrtc::compile(const std::vector<Unit> &units, const Headers &headers,
                                     const std::string &architecture) {
  const std::string wanted = target(architecture);
  std::vector<Compiled> results(units.size());
  std::atomic<size_t> next{0};
  std::atomic<bool> made{false};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    _mm_setcsr(0x1F80); // the caller may flush denormals; the compiler's own arithmetic must not
    for (size_t i; (i = next++) < units.size();) {
      try {
        bool one = false;
        results[i] = compileOne(units[i], headers, wanted, one);
        made = made || one;
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure)
          failure = std::current_exception();
        next = units.size();
      }
    }
  };
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads; // joined also where another cannot be started
  for (size_t i = 0; i < std::min(cores, units.size()); ++i)
    threads.emplace_back(work);
  threads.clear();
  if (failure)
    std::rethrow_exception(failure);
  if (made)
    cache.shrink();
  return results;
}

Compiled Nvrtc::compileOne(const Unit &unit, const Headers &headers, const std::string &architecture,
                           bool &made) const {
  std::set<std::string, std::less<>> used;
  collectHeaders(unit.text, headers, used);
  std::vector<std::pair<const char *, const char *>> texts; // name, text
  for (const std::string &name : used)
    texts.emplace_back(name.c_str(), headers.find(name)->second.c_str());
  const bool ptx = architecture.starts_with("compute_");
  // Denormals are flushed as docs/spec says; divisions and roots are exact, products and sums may fuse.
  std::vector<std::string> options = {"--gpu-architecture=" + architecture,
                                      "--std=c++20",
                                      "--ftz=true",
                                      "--prec-div=true",
                                      "--prec-sqrt=true",
                                      "--fmad=true"};
  if (!ptx)
    options.push_back("--ptxas-options=-v");
  const std::string key = keyOf(unit, texts, options);
  if (std::optional<Compiled> known = cache.find(key))
    return *std::move(known);
  Compiled result = translate(unit, texts, options, ptx);
  cache.store(key, result);
  made = true;
  return result;
}

std::string Nvrtc::keyOf(const Unit &unit, const std::vector<std::pair<const char *, const char *>> &headers,
                         const std::vector<std::string> &options) const {
  std::string all;
  const auto add = [&](std::string_view part) { all.append(std::to_string(part.size())).append(":").append(part); };
  add(fmt::format("1, NVRTC {}.{}", library.major, library.minor)); // 1: of KernelCache's files
  for (const std::string &option : options)
    add(option);
  add(unit.name);
  add(unit.text);
  for (const std::string &kernel : unit.kernels)
    add(kernel);
  for (const auto &[name, text] : headers)
    add(name), add(text);
  return plan::sha256Hex(all);
}

Compiled Nvrtc::translate(const Unit &unit, const std::vector<std::pair<const char *, const char *>> &headers,
                          const std::vector<std::string> &options, bool ptx) const {
  std::vector<const char *> names, texts, flags;
  for (const auto &[name, text] : headers)
    names.push_back(name), texts.push_back(text);
  for (const std::string &option : options)
    flags.push_back(option.c_str());
  ProgramHandle program = nullptr;
  check(api.createProgram(&program, unit.text.c_str(), (unit.name + ".cu").c_str(), static_cast<int>(names.size()),
                          texts.data(), names.data()),
        unit);
  const auto destroy = [&](ProgramTag *) { api.destroyProgram(&program); };
  const std::unique_ptr<ProgramTag, decltype(destroy)> owner(program, destroy);
  for (const std::string &kernel : unit.kernels)
    check(api.addNameExpression(program, kernel.c_str()), unit);
  const Status status = api.compileProgram(program, static_cast<int>(flags.size()), flags.data());
  size_t bytes = 0;
  Compiled result;
  check(api.getProgramLogSize(program, &bytes), unit);
  result.log.resize(bytes);
  check(api.getProgramLog(program, result.log.data()), unit);
  result.log = withoutTimes(result.log.c_str());
  if (status == kCompilation)
    throw std::logic_error(
        fmt::format("kernel '{}' does not compile ({}):\n{}", unit.name, options.front(), result.log));
  check(status, unit);
  check(ptx ? api.getPTXSize(program, &bytes) : api.getCUBINSize(program, &bytes), unit);
  result.image.resize(bytes);
  check(ptx ? api.getPTX(program, result.image.data()) : api.getCUBIN(program, result.image.data()), unit);
  if (ptx)
    result.image.resize(result.image.find('\0'));
  for (const std::string &kernel : unit.kernels) {
    const char *name = nullptr;
    check(api.getLoweredName(program, kernel.c_str(), &name), unit);
    result.names[kernel] = name;
  }
  return result;
}
} // namespace

std::unique_ptr<KernelCompiler> openNvrtc(const std::string &cache) {
  static const Library *const library = findLibrary().release(); // kept open; looked for again after a failure
  return std::make_unique<Nvrtc>(*library, cache);
}
} // namespace sn::rt::cuda
