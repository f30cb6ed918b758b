// minizip on memory instead of files: both directions work on one std::string.
#pragma once
#include <map>
#include <optional>
#include <string>

namespace sn::plan {
/// A ZIP file of these entries in the order of their names, dated 1980-01-01 (the format's earliest), ending in
/// `comment`.
std::string zipEntries(const std::map<std::string, std::string> &entries, const std::string &comment);
/// The entries of a ZIP file; nothing if it is no ZIP file or is damaged.
std::optional<std::map<std::string, std::string>> unzipEntries(const std::string &bytes);
} // namespace sn::plan
