#include "runtime/plan/Archive.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/ZipMemory.h"
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sn::plan {
namespace {
using nlohmann::json;
constexpr const char *kManifest = "manifest.json";
constexpr std::string_view kComment = "snc plan; SHA-256 of all bytes before it: ";
constexpr size_t kDigits = 64;
constexpr int kDeepest = 100; // levels of plan.json; what walks a document does so by recursion

std::string manifestOf(const Archive &archive) {
  json manifest = json::object();
  for (const auto &[name, content] : archive.entries)
    manifest[name] = {{"bytes", content.size()}, {"sha256", sha256Hex(content)}};
  // A damaged name need not be UTF-8; what stands for it does not match any manifest.
  return json{{"entries", manifest}}.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

constexpr std::string_view kExpected = "a plan file written by 'snc compile' is expected";

/// What is no plan is named after what it is instead.
[[noreturn]] void refuseOther(const std::string &path, std::string_view start) {
  if (start.starts_with("\x89HDF"))
    userError("'{}' is no plan but an HDF5 file, as data and weights are; the order is: snrt COMMAND PLAN [WEIGHTS] "
              "DATA",
              path);
  if (start.starts_with("{") || start.starts_with("\xEF\xBB\xBF{"))
    userError("'{}' is no plan; it looks like a network's JSON. Compile it: snc compile NETWORK.json -o NETWORK.plan",
              path);
  userError("'{}' is no plan (or its beginning is damaged); {}", path, kExpected);
}

std::string readWholeFile(const std::string &path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    userError("'{}' is a folder; {}", path, kExpected);
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored))
    userError("'{}' is a device or a pipe; {}", path, kExpected);
  std::ifstream file(path, std::ios::binary);
  if (!file)
    userError("cannot open the plan '{}': {}", path, std::strerror(errno));
  if (fs::file_size(path, ignored) == 0)
    userError("'{}' is empty and no plan; {}", path, kExpected);
  // Read by the stream, not by its buffer: the buffer throws where reading fails, the stream tells.
  std::string bytes(4, '\0');
  file.read(bytes.data(), 4);
  bytes.resize(static_cast<size_t>(file.gcount()));
  if (!file.bad() && !bytes.starts_with("PK")) // before the rest of a large file is read
    refuseOther(path, bytes);
  char block[1 << 16];
  while (file.read(block, sizeof block), file.gcount() > 0)
    bytes.append(block, static_cast<size_t>(file.gcount()));
  if (file.bad())
    userError("cannot read the plan '{}': {}", path, std::strerror(errno));
  return bytes;
}
} // namespace

void writeArchive(const Archive &archive, const std::string &path, bool force) {
  if (!force && std::filesystem::exists(path))
    userError("'{}' exists and is not overwritten; give another name or --force", path);
  std::map<std::string, std::string> entries = archive.entries;
  entries[kManifest] = manifestOf(archive);
  std::string bytes = zipEntries(entries, std::string(kComment) + std::string(kDigits, '0'));
  size_t hashed = bytes.size() - kDigits;
  bytes.replace(hashed, kDigits, sha256Hex(std::string_view(bytes).substr(0, hashed)));
  writeFileAtomically(path, bytes);
}

Archive readArchive(const std::string &path) {
  std::string bytes = readWholeFile(path);
  size_t hashed = bytes.size() < kDigits ? 0 : bytes.size() - kDigits;
  std::string_view body = std::string_view(bytes).substr(0, hashed);
  if (!body.ends_with(kComment) || sha256Hex(body) != std::string_view(bytes).substr(hashed))
    userError("the plan '{}' is damaged or truncated (its checksum does not match); copy it again or compile it anew",
              path);
  auto entries = unzipEntries(bytes);
  if (!entries || !entries->count(kManifest))
    userError("'{}' is no plan; a file written by 'snc compile' is expected", path);
  std::string manifest = std::move((*entries)[kManifest]);
  entries->erase(kManifest);
  Archive archive{std::move(*entries)};
  if (manifest != manifestOf(archive))
    userError("the plan '{}' does not hold what its manifest lists; compile it anew", path);
  return archive;
}

Plan readPlan(const Archive &archive, const std::string &path) {
  auto text = archive.entries.find("plan.json");
  if (text == archive.entries.end())
    userError("'{}' holds no plan.json; a file written by 'snc compile' is expected", path);
  json document;
  int64_t schema = 0;
  Plan plan;
  try {
    document = json::parse(text->second, [&](int depth, json::parse_event_t, const json &) {
      if (depth > kDeepest)
        userError("'{}': plan.json is nested more than {} levels deep; compile it anew", path, kDeepest);
      return true;
    });
    const json &number = document.at("schema");
    schema = number.is_number_integer() ? number.get<int64_t>() : 0; // anything else is refused with its place below
  } catch (const json::exception &problem) {
    userError("'{}': plan.json cannot be read: {}", path, problem.what());
  }
  if (schema > kSchemaVersion)
    userError("'{}' has plan schema {}, this program knows schemas up to {}; use the snrt that came with the snc that "
              "wrote it",
              path, schema, kSchemaVersion);
  try {
    plan = document.get<Plan>();
  } catch (const UserError &problem) {
    userError("'{}': {}", path, problem.what());
  }
  if (auto problems = verify(plan); !problems.empty())
    userError("the plan '{}' is inconsistent: {}{}", path, problems.front(),
              problems.size() > 1 ? fmt::format(" (and {} more problems)", problems.size() - 1) : "");
  return plan;
}
} // namespace sn::plan
