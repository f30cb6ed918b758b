// sn-docgen: writes the reference pages of records and keys, or proves those at hand fresh.
#include "runtime/plan/Error.h"
#include "tools/docgen/Pages.h"
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {
using namespace sn;
namespace fs = std::filesystem;

std::string contentOf(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Every page that is missing, stale, or written by nobody, in one message.
void check(const fs::path &folder) {
  std::map<std::string, std::string> pages = docgen::pages();
  std::string stale;
  for (const auto &[name, text] : pages)
    if (contentOf(folder / name) != text)
      stale += (stale.empty() ? "" : ", ") + name;
  std::error_code problem;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, problem))
    if (std::string name = entry.path().filename().string(); name != "README.md" && !pages.count(name))
      stale += (stale.empty() ? "" : ", ") + name;
  if (!stale.empty())
    userError("{}: not what the tables say: {}; `sn-docgen {}` writes them anew", folder.string(), stale,
              folder.string());
  fmt::print("{}: {} pages are what the tables say\n", folder.string(), pages.size());
}

void write(const fs::path &folder) {
  for (const auto &[name, text] : docgen::pages()) {
    std::ofstream file(folder / name, std::ios::binary);
    file << text;
    if (!file.flush())
      userError("{}: cannot be written", (folder / name).string());
  }
}
} // namespace

int main(int argc, char **argv) {
  CLI::App app("Writes the reference pages of records and keys into a folder that exists (docs/generated).",
               "sn-docgen");
  std::string folder;
  bool checks = false;
  app.add_option("folder", folder, "Where the pages are")->required();
  app.add_flag("--check", checks, "Write nothing; fail if a page is not what the tables say");
  CLI11_PARSE(app, argc, argv);
  try {
    checks ? check(folder) : write(folder);
  } catch (const UserError &error) {
    fmt::print(stderr, "sn-docgen: {}\n", error.what());
    return 1;
  }
  return 0;
}
