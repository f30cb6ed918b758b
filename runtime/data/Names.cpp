#include "runtime/data/Names.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <functional>

namespace sn::rt {
int64_t Names::longest() const {
  int64_t most = 0;
  for (int64_t i = 0; i < size(); ++i)
    most = std::max(most, static_cast<int64_t>((*this)[i].size()));
  return most;
}

namespace {
constexpr uint64_t kUpper = 0xFFFFFFFF00000000u;
uint64_t hashOf(std::string_view name) { return std::hash<std::string_view>{}(name); }
} // namespace

NameIndex::NameIndex(Names names) : names_(std::move(names)) { grow(std::max<size_t>(64, size_t(names_.size()) * 2)); }

uint64_t *NameIndex::place(std::string_view name, uint64_t hash) {
  size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    uint64_t slot = slots_[at];
    if (slot == 0 || (((slot ^ hash) & kUpper) == 0 && names_[int64_t(uint32_t(slot)) - 1] == name))
      return &slots_[at];
  }
}

void NameIndex::grow(size_t slots) {
  size_t size = 64;
  while (size < slots)
    size *= 2;
  slots_.assign(size, 0);
  for (int64_t i = 0; i < names_.size(); ++i) {
    uint64_t hash = hashOf(names_[i]);
    if (uint64_t *slot = place(names_[i], hash); *slot == 0)
      *slot = (hash & kUpper) | uint64_t(i + 1);
  }
}

int64_t NameIndex::find(std::string_view name) const {
  if (slots_.empty())
    return -1;
  return int64_t(uint32_t(*const_cast<NameIndex *>(this)->place(name, hashOf(name)))) - 1;
}

int64_t NameIndex::add(std::string_view name) {
  if (size_t(names_.size()) * 2 >= slots_.size())
    grow(std::max<size_t>(64, slots_.size() * 2));
  uint64_t hash = hashOf(name), *slot = place(name, hash);
  if (*slot == 0) {
    if (names_.size() >= 0xFFFFFFFE)
      userError("more than {} distinct names", names_.size());
    names_.add(name);
    *slot = (hash & kUpper) | uint64_t(names_.size());
  }
  return int64_t(uint32_t(*slot)) - 1;
}
} // namespace sn::rt
