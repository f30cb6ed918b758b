#include "tools/snrt/Workspace.h"
#include "runtime/data/DataFile.h"
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace sn::snrt {
namespace fs = std::filesystem;

Workspace::Workspace(const std::string &beside) {
  const fs::path parent = fs::absolute(beside).parent_path();
  folder = (parent / ".snc-XXXXXX").string();
  if (!::mkdtemp(folder.data()))
    userError("'{}': no folder for files in between can be made there: {}", parent.string(), std::strerror(errno));
}

Workspace::~Workspace() {
  std::error_code ignored;
  if (!kept)
    fs::remove_all(folder, ignored);
}

void Workspace::write(const std::string &name, const std::string &text) const {
  std::ofstream file((*this)(name), std::ios::binary);
  file << text;
  file.close();
  if (!file)
    userError("'{}', a file in between, cannot be written: {}", (*this)(name), std::strerror(errno));
}

namespace {
std::string siblingProgram(const std::string &name) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path &folder : {self, self.parent_path()})
    if (!error && ::access((folder / name).c_str(), X_OK) == 0)
      return (folder / name).string();
  return name;
}

/// Its exit code, 128 + n if the signal n ended it. Its output goes to our stderr.
int runProgram(std::vector<std::string> words) {
  std::vector<char *> argv;
  for (std::string &word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  std::fflush(stdout);
  pid_t child = 0;
  const int problem = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (problem != 0)
    userError("'{}' cannot be started: {}; it is expected beside this program or on the PATH", words[0],
              std::strerror(problem));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
} // namespace

void compileNetwork(const std::string &network, const std::string &plan) {
  if (int code = runProgram({siblingProgram("snc"), "compile", network, "-o", plan, "--force", "--quiet"}))
    throw CLI::RuntimeError(code);
}

void runSnrt(const std::vector<std::string> &words) {
  std::vector<std::string> all = {siblingProgram("snrt")};
  all.insert(all.end(), words.begin(), words.end());
  if (int code = runProgram(all))
    throw CLI::RuntimeError(code);
}

std::string combinedData(const std::vector<std::string> &files, const Workspace &workspace) {
  std::vector<std::string> distinct;
  for (const std::string &file : files) {
    std::error_code error;
    if (std::none_of(distinct.begin(), distinct.end(),
                     [&](const std::string &other) { return fs::equivalent(file, other, error); }))
      distinct.push_back(file);
  }
  if (distinct.size() == 1)
    return distinct.front();
  const std::string combined = workspace("data.h5");
  rt::DataFileWriter writer(combined, true);
  std::set<std::string> written;
  for (const std::string &path : distinct) {
    rt::DataFile file = rt::DataFile::open(path);
    for (const std::string &name : file.names())
      if (written.insert(name).second)
        writer.write(name, *file.load(name));
      else
        fmt::print(stderr, "'{}': its data set '{}' is not used, a file before has one of this name\n", path, name);
  }
  writer.finish();
  writer.commit();
  return combined;
}
} // namespace sn::snrt
