#include "test/emulator/EmulatedCompiler.h"
#include "runtime/plan/Archive.h"
#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <mutex>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace sn::emulator {
namespace {
namespace fs = std::filesystem;
using rt::cuda::Compiled;
using rt::cuda::Headers;
using rt::cuda::Unit;

constexpr const char *kVersion = "2"; // of what this file makes
constexpr std::string_view kTemplates = "kernels-templates/";
constexpr auto kUnused = std::chrono::hours(24 * 3); // before what is cached is removed
std::atomic<int64_t> imagesMade = 0, precompiledMade = 0;

std::string read(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? text.str() : std::string();
}
/// Whole or not at all, for readers in other processes.
void write(const fs::path &path, const std::string &text) {
  fs::create_directories(path.parent_path());
  const fs::path unfinished = path.string() + fmt::format(".{}.{}", getpid(), static_cast<const void *>(&text));
  std::ofstream file(unfinished, std::ios::binary);
  file << text;
  file.close();
  if (!file)
    throw std::runtime_error("cannot write " + unfinished.string());
  fs::rename(unfinished, path);
}
/// A hash of texts, of which none can be taken for the end of another.
class Hash {
public:
  Hash &add(std::string_view text) {
    all += fmt::format("{}:", text.size());
    all += text;
    return *this;
  }
  std::string hex() const { return plan::sha256Hex(all).substr(0, 32); }

private:
  std::string all;
};

/// One process at a time; gone with the object.
class FileLock {
public:
  explicit FileLock(const fs::path &path) : file(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    if (file < 0 || flock(file, LOCK_EX) != 0)
      throw std::runtime_error("cannot lock " + path.string());
  }
  FileLock(const FileLock &) = delete;
  ~FileLock() { close(file); }

private:
  int file;
};

/// Runs a program; its messages. std::logic_error with them if it fails.
std::string runProgram(const std::vector<std::string> &words, const fs::path &log) {
  std::vector<char *> arguments;
  for (const std::string &word : words)
    arguments.push_back(const_cast<char *>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child = 0;
  const int spawned = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0)
    throw std::runtime_error(fmt::format("cannot start {}: {}", words[0], std::strerror(spawned)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string messages = read(log);
  std::error_code ignored;
  fs::remove(log, ignored);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::logic_error("device text does not compile:\n" + messages);
  return messages;
}

std::vector<std::string> wordsOf(const std::string &text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(word);
  return words;
}

class EmulatedCompiler : public rt::cuda::KernelCompiler {
public:
  EmulatedCompiler(const std::string &cache, int optimization)
      : cache(fs::absolute(cache.empty() ? SN_EMULATOR_CACHE : cache)) {
    static std::once_flag cleaned; // once a process is enough
    fs::create_directories(this->cache);
    if (cache.empty())
      std::call_once(cleaned, [&] { removeUnused(); });
    else
      removeUnused();
    const std::string folder = SN_EMULATOR_FOLDER;
    own["test/emulator/cuda.h"] = read(folder + "/cuda.h");
    own["test/emulator/image.h"] = read(folder + "/image.h");
    flags = wordsOf(SN_EMULATOR_FLAGS);
    flags.push_back(fmt::format("-O{}", optimization));
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      flags.push_back("-march=x86-64-v3"); // for fmaf, a call without it
    Hash hash;
    const fs::path compiler = fs::canonical(SN_EMULATOR_COMPILER);
    hash.add(kVersion).add(compiler.string()).add(std::to_string(fs::file_size(compiler)));
    for (const std::string &flag : flags)
      hash.add(flag);
    for (const auto &[name, text] : own)
      hash.add(text);
    identity = hash.hex();
  }

  std::vector<Compiled> compile(const std::vector<Unit> &units, const Headers &headers,
                                const std::string &architecture) override {
    Hash shared;
    shared.add(identity);
    for (const auto &[name, text] : headers)
      shared.add(name).add(text);
    const std::string environment = shared.hex();
    std::vector<std::string> keys;
    std::vector<size_t> missing;
    std::vector<Compiled> result(units.size());
    for (size_t i = 0; i < units.size(); ++i) {
      Hash hash;
      hash.add(environment).add(units[i].name).add(units[i].text);
      for (const std::string &kernel : units[i].kernels)
        hash.add(kernel);
      keys.push_back(hash.hex());
      if (!find(keys[i], units[i], result[i]))
        missing.push_back(i);
    }
    if (!missing.empty()) {
      make(units, keys, missing, headers, environment);
      for (size_t i : missing)
        if (!find(keys[i], units[i], result[i]))
          throw std::runtime_error("the emulator's cache " + cache.string() + " lost what was just written to it");
    }
    return result;
  }

private:
  fs::path cache;
  Headers own; // this folder's, by name
  std::vector<std::string> flags;
  std::string identity; // of all that does not come with a call

  static std::string functionName(size_t unit, size_t kernel) { return fmt::format("sn_kernel_{}_{}", unit, kernel); }
  fs::path entryPath(const std::string &key) const { return cache / (key + ".unit"); }

  /// An entry of the cache: the shared object's file name and the unit's number in it.
  bool find(const std::string &key, const Unit &unit, Compiled &result) const {
    std::istringstream entry(read(entryPath(key)));
    std::string file;
    size_t number = 0;
    if (!(entry >> file >> number))
      return false;
    const fs::path object = cache / file;
    std::error_code problem;
    fs::last_write_time(object, fs::file_time_type::clock::now(), problem); // it is in use
    if (problem)
      return false;
    touch(entryPath(key));
    result.image = object.string();
    for (size_t i = 0; i < unit.kernels.size(); ++i)
      result.names[unit.kernels[i]] = functionName(number, i);
    return true;
  }

  static void touch(const fs::path &path) {
    std::error_code ignored;
    fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  }

  void removeUnused() const {
    std::error_code ignored;
    const auto now = fs::file_time_type::clock::now();
    for (fs::directory_iterator file(cache, ignored), end; file != end; file.increment(ignored)) {
      const auto used = file->last_write_time(ignored);
      if (!ignored && now - used > kUnused)
        fs::remove_all(file->path(), ignored);
    }
  }

  std::vector<std::string> command() const {
    std::vector<std::string> words = {SN_EMULATOR_COMPILER, "-std=c++20", "-fPIC", "-w", "-fvisibility=hidden",
                                      "-fno-rtti", "-fno-exceptions", "-nostdinc++", "-fno-math-errno",
                                      "-ffp-contract=on",
                                      // Loops unrolled by #pragma take a third of the time.
                                      "-mllvm", "-pragma-unroll-threshold=0"};
    words.insert(words.end(), flags.begin(), flags.end());
    return words;
  }

  /// The folder of the templates and their precompiled header, "all.pch".
  fs::path precompile(const Headers &headers) const {
    Hash hash;
    hash.add(identity);
    std::string all = "#include \"test/emulator/image.h\"\n";
    for (const auto &[name, text] : headers)
      if (name.compare(0, kTemplates.size(), kTemplates) == 0) {
        hash.add(name).add(text);
        all += "#include \"" + name + "\"\n";
      }
    const fs::path folder = cache / ("templates-" + hash.hex()), made = folder / "all.pch";
    touch(folder); // it is in use
    if (fs::exists(made))
      return folder;
    fs::create_directories(folder);
    FileLock lock(folder / "lock");
    if (fs::exists(made))
      return folder;
    for (const auto &[name, text] : own)
      write(folder / name, text);
    for (const auto &[name, text] : headers)
      if (name.compare(0, kTemplates.size(), kTemplates) == 0)
        write(folder / name, text);
    write(folder / "all.h", all);
    std::vector<std::string> words = command();
    // Compared by content alone: the files never change once they are here.
    for (const char *word : {"-Xclang", "-fno-pch-timestamp", "-x", "c++-header"})
      words.push_back(word);
    const fs::path unfinished = folder / "unfinished.pch";
    words.insert(words.end(), {"-I", folder.string(), (folder / "all.h").string(), "-o", unfinished.string()});
    runProgram(words, folder / "log");
    fs::rename(unfinished, made);
    ++precompiledMade;
    return folder;
  }

  std::string sourceOf(const std::vector<Unit> &units, const std::vector<size_t> &which, const Headers &headers) const {
    std::string source;
    for (const auto &[name, text] : headers)
      if (name.compare(0, kTemplates.size(), kTemplates) != 0)
        source += "#include \"" + name + "\"\n";
    for (size_t n = 0; n < which.size(); ++n) {
      const Unit &unit = units[which[n]];
      source += fmt::format("namespace unit_{} {{\n#line 1 \"{}.cu\"\n{}\n", n, unit.name, unit.text);
      for (size_t i = 0; i < unit.kernels.size(); ++i)
        source += fmt::format(
            "SN_IMAGE_EXPORT void {0}(void *arguments) {{ sn::emulator::image::call(&{1}, arguments); }}\n"
            "SN_IMAGE_EXPORT const unsigned long long *const {0}_sizes = sn::emulator::image::sizesOf(&{1});\n",
            functionName(n, i), unit.kernels[i]);
      source += "}\n";
    }
    source += "SN_IMAGE_EXPORT unsigned char *const sn_shared_memory[2] = {__start_sn_shared, __stop_sn_shared};\n";
    return source;
  }

  void make(const std::vector<Unit> &units, const std::vector<std::string> &keys, const std::vector<size_t> &which,
            const Headers &headers, const std::string &environment) const {
    const fs::path templates = precompile(headers), include = cache / ("headers-" + environment);
    touch(include);
    for (const auto &[name, text] : headers)
      if (name.compare(0, kTemplates.size(), kTemplates) != 0 && !fs::exists(include / name))
        write(include / name, text);
    Hash hash;
    for (size_t i : which)
      hash.add(keys[i]);
    const std::string name = hash.hex();
    const fs::path unfinished = cache / fmt::format("{}.{}.{}", name, getpid(), static_cast<const void *>(&hash));
    const fs::path source = unfinished.string() + ".cpp";
    write(source, sourceOf(units, which, headers));
    std::vector<std::string> words = command();
    words.insert(words.end(), {"-Xclang", "-fno-pch-timestamp", "-include-pch", (templates / "all.pch").string(), "-I",
                               templates.string(), "-I", include.string(), "-shared", "-fuse-ld=lld", "-nostdlib",
                               source.string(), "-lm", "-o", unfinished.string()});
    std::error_code ignored;
    try {
      runProgram(words, unfinished.string() + ".log");
    } catch (...) {
      fs::remove(source, ignored);
      throw;
    }
    fs::remove(source, ignored);
    ++imagesMade;
    fs::rename(unfinished, cache / (name + ".so"));
    for (size_t n = 0; n < which.size(); ++n)
      write(entryPath(keys[which[n]]), fmt::format("{}.so {}\n", name, n));
  }
};
} // namespace

std::shared_ptr<rt::cuda::KernelCompiler> makeCompiler(const std::string &cache, int optimization) {
  return std::make_shared<EmulatedCompiler>(cache, optimization);
}
CompilerCounters compilerCounters() { return {imagesMade, precompiledMade}; }
} // namespace sn::emulator
