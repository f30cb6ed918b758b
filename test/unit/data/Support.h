// Shared by the tests of data files, imports and weights files.
#pragma once
#include "runtime/data/DataFile.h"
#include "runtime/plan/Error.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace sn::rt::test {
/// A folder that lives as long as the test.
class Folder {
public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sn-data-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string &name) const { return (path_ / name).string(); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(path_))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

private:
  std::filesystem::path path_;
};

inline std::string contentOf(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}
inline void writeFile(const std::string &path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// The message of the UserError that `action` throws; fails the test if there is none.
template <typename Action> std::string errorOf(Action action) {
  try {
    action();
  } catch (const UserError &error) {
    return error.what();
  }
  ADD_FAILURE() << "no UserError";
  return "";
}
#define EXPECT_USER_ERROR(action, ...)                                                                                 \
  do {                                                                                                                 \
    std::string message = sn::rt::test::errorOf([&] { action; });                                                      \
    for (const std::string &part : std::vector<std::string>{__VA_ARGS__})                                              \
      EXPECT_NE(message.find(part), std::string::npos) << message;                                                     \
  } while (false)

/// A CSR data set from rows of (column, value) pairs.
inline DataSet csr(int64_t columns, const std::vector<std::vector<std::pair<int32_t, float>>> &rows, bool analog) {
  DataSet data;
  data.loader = analog ? Loader::CsrAnalog : Loader::CsrBinary;
  data.rows = int64_t(rows.size());
  data.columns = columns;
  data.indptr = {0};
  for (const auto &row : rows) {
    for (auto [column, value] : row) {
      data.indices.push_back(column);
      if (analog)
        data.values.push_back(value);
    }
    data.indptr.push_back(int64_t(data.indices.size()));
  }
  return data;
}
inline DataSet binary(int64_t columns, const std::vector<std::vector<int32_t>> &rows) {
  std::vector<std::vector<std::pair<int32_t, float>>> pairs(rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    for (int32_t column : rows[i])
      pairs[i].push_back({column, 1});
  return csr(columns, pairs, false);
}
inline std::shared_ptr<const Names> names(std::initializer_list<std::string_view> list) {
  return std::make_shared<const Names>(list);
}
inline std::vector<std::string> listOf(const Names &names) {
  std::vector<std::string> list;
  for (int64_t i = 0; i < names.size(); ++i)
    list.emplace_back(names[i]);
  return list;
}
/// The file's bytes must not depend on the clock: waits until its second has passed.
inline void nextSecond() {
  std::time_t now = std::time(nullptr);
  while (std::time(nullptr) == now)
    usleep(20000);
}
} // namespace sn::rt::test
