#include "runtime/hal/nvrtc/KernelCache.h"
#include "test/unit/nvrtc/Compiler.h"

namespace sn::rt::cuda {
namespace {
namespace fs = std::filesystem;
const Compiled kCompiled = {std::string("\0\xff image", 8), {{"f<int>", "_Z1f"}}, "log\xfe"};

bool same(const Compiled &a, const Compiled &b) { return a.image == b.image && a.names == b.names && a.log == b.log; }

TEST(KernelCache, KeepsWhatItIsGiven) {
  Scratch scratch;
  const std::string folder = scratch.path + "/a/b";
  const KernelCache cache(folder);
  EXPECT_FALSE(cache.find("key"));
  cache.store("key", kCompiled);
  ASSERT_TRUE(cache.find("key"));
  EXPECT_TRUE(same(*cache.find("key"), kCompiled));
  EXPECT_FALSE(KernelCache(folder).find("another"));
  EXPECT_TRUE(KernelCache(folder).find("key"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "no temporary file stays";
}

TEST(KernelCache, EveryDamagedByteIsSeen) {
  Scratch scratch;
  const KernelCache cache(scratch.path);
  cache.store("key", kCompiled);
  const fs::path file = fs::directory_iterator(scratch.path)->path();
  const std::string bytes = readText(file);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    std::ofstream(file, std::ios::binary) << damaged;
    EXPECT_FALSE(cache.find("key")) << i;
    std::ofstream(file, std::ios::binary) << bytes.substr(0, i);
    EXPECT_FALSE(cache.find("key")) << i;
  }
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_TRUE(cache.find("key"));
}

TEST(KernelCache, TheLatestUsedStay) {
  Scratch scratch;
  Compiled large = kCompiled;
  large.image.assign(1000, 'x');
  const KernelCache cache(scratch.path, 2500);
  const auto now = fs::file_time_type::clock::now();
  for (const char *key : {"a", "b", "c"}) {
    cache.store(key, large);
    fs::last_write_time(scratch.path + "/" + key + ".kernel", now - std::chrono::hours('z' - key[0]));
  }
  std::ofstream(scratch.path + "/foreign") << std::string(5000, 'x');
  std::ofstream(scratch.path + "/dead.kernel.tmp") << "half";
  std::ofstream(scratch.path + "/living.kernel.tmp") << "half";
  fs::last_write_time(scratch.path + "/dead.kernel.tmp", now - std::chrono::hours(48));
  EXPECT_TRUE(cache.find("a")); // used now, so b is the oldest
  cache.shrink();
  EXPECT_TRUE(cache.find("a"));
  EXPECT_FALSE(cache.find("b"));
  EXPECT_TRUE(cache.find("c"));
  EXPECT_TRUE(fs::exists(scratch.path + "/foreign"));
  EXPECT_FALSE(fs::exists(scratch.path + "/dead.kernel.tmp"));
  EXPECT_TRUE(fs::exists(scratch.path + "/living.kernel.tmp"));
}

TEST(KernelCache, AFolderThatCannotBeIsNoMatter) {
  Scratch scratch;
  std::ofstream(scratch.path + "/file") << "no folder";
  for (const std::string &folder : {scratch.path + "/file", scratch.path + "/file/below", std::string()}) {
    const KernelCache cache(folder);
    cache.store("key", kCompiled);
    EXPECT_FALSE(cache.find("key"));
    cache.shrink();
  }
  EXPECT_EQ(readText(scratch.path + "/file"), "no folder");
}

TEST(KernelCache, WhereItLies) {
  const auto with = [](const char *cache, const char *xdg, const char *home) {
    const auto set = [](const char *name, const char *value) { value ? ::setenv(name, value, 1) : ::unsetenv(name); };
    const auto get = [](const char *name) { return std::getenv(name) ? std::getenv(name) : ""; };
    const std::string before[] = {get("SNRT_CACHE"), get("XDG_CACHE_HOME"), get("HOME")};
    set("SNRT_CACHE", cache), set("XDG_CACHE_HOME", xdg), set("HOME", home);
    const std::string found = defaultKernelCache();
    set("SNRT_CACHE", before[0].empty() ? nullptr : before[0].c_str());
    set("XDG_CACHE_HOME", before[1].empty() ? nullptr : before[1].c_str());
    set("HOME", before[2].c_str());
    return found;
  };
  EXPECT_EQ(with("/a", "/b", "/c"), "/a");
  EXPECT_EQ(with("", "/b", "/c"), "");
  EXPECT_EQ(with(nullptr, "/b", "/c"), "/b/snrt");
  EXPECT_EQ(with(nullptr, nullptr, "/c"), "/c/.cache/snrt");
  EXPECT_EQ(with(nullptr, nullptr, nullptr), "");
}
} // namespace
} // namespace sn::rt::cuda
