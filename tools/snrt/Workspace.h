// What commands share that work with a network's text and DSSTNE's files: a folder for files in between, snc beside us.
#pragma once
#include "runtime/plan/Error.h"
#include <string>
#include <vector>

namespace sn::snrt {
/// A new folder, removed at the end with all that is in it, unless kept.
class Workspace {
public:
  /// Beside the file `beside`, where there is room for the like of it. UserError if no folder can be made there.
  explicit Workspace(const std::string &beside);
  ~Workspace();
  Workspace(const Workspace &) = delete;
  Workspace &operator=(const Workspace &) = delete;
  /// The path of a file in it.
  std::string operator()(const std::string &name) const { return folder + "/" + name; }
  const std::string &path() const { return folder; }
  void keep() { kept = true; }
  void write(const std::string &name, const std::string &text) const;

private:
  std::string folder;
  bool kept = false;
};

/// Compiles a network with the snc that stands beside this program or in the folder above it, else on the PATH. What
/// snc has to say goes to stderr. UserError if it cannot be started; CLI::RuntimeError with its exit code if it fails.
void compileNetwork(const std::string &network, const std::string &plan);
/// The same for a command of snrt: its words.
void runSnrt(const std::vector<std::string> &words);

/// One data file with the data sets of all of these: the file itself if there is only one, else a file of the
/// workspace. Of two data sets of one name the first counts, which is said on stderr.
std::string combinedData(const std::vector<std::string> &files, const Workspace &workspace);
} // namespace sn::snrt
