// Lists of names (users, items) kept compactly, ten million of them if need be, and their index.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sn::rt {
/// A list of strings: one arena of bytes and the end of each.
class Names {
public:
  Names() = default;
  Names(std::initializer_list<std::string_view> names) {
    for (std::string_view name : names)
      add(name);
  }
  int64_t size() const { return static_cast<int64_t>(ends_.size()); }
  bool empty() const { return ends_.empty(); }
  /// Valid until the next add.
  std::string_view operator[](int64_t i) const {
    int64_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(arena_).substr(begin, ends_[i] - begin);
  }
  void add(std::string_view name) {
    arena_.append(name);
    ends_.push_back(static_cast<int64_t>(arena_.size()));
  }
  void reserve(int64_t count, int64_t bytes) {
    ends_.reserve(count);
    arena_.reserve(bytes);
  }
  /// Bytes of all names together, and of the longest.
  int64_t bytes() const { return static_cast<int64_t>(arena_.size()); }
  int64_t longest() const;
  bool operator==(const Names &) const = default;

private:
  std::string arena_;
  std::vector<int64_t> ends_;
};

/// Names with their positions: an open-addressing hash table over the arena. At most 2^32 - 2 names.
class NameIndex {
public:
  NameIndex() = default;
  /// Of two equal names the first is the one found.
  explicit NameIndex(Names names);
  /// Position of `name`, or -1.
  int64_t find(std::string_view name) const;
  /// Position of `name`, appended if it is new.
  int64_t add(std::string_view name);
  const Names &names() const { return names_; }
  int64_t size() const { return names_.size(); }

private:
  uint64_t *place(std::string_view name, uint64_t hash);
  void grow(size_t slots);
  Names names_;
  std::vector<uint64_t> slots_; // 0 = free, else the hash's upper half and position + 1
};
} // namespace sn::rt
