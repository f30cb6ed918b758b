#include "test/fuzz/support/JsonMutator.h"
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace sn::fuzz {
namespace {
using nlohmann::json;
constexpr int kDeepest = 400; // the library writes by recursion

/// Every value below and including `root`; nothing if it is nested too deeply.
std::vector<json *> nodesOf(json &root) {
  std::vector<json *> nodes;
  std::vector<std::pair<json *, int>> open{{&root, 0}};
  while (!open.empty()) {
    auto [node, depth] = open.back();
    open.pop_back();
    if (depth > kDeepest)
      return {};
    nodes.push_back(node);
    if (node->is_structured())
      for (json &child : *node)
        open.emplace_back(&child, depth + 1);
  }
  return nodes;
}

json parsed(const uint8_t *data, size_t size) {
  return json::parse(data, data + size, nullptr, /*allow_exceptions=*/false, /*ignore_comments=*/true);
}

class Change {
public:
  Change(json &root, unsigned seed) : engine_(seed), nodes_(nodesOf(root)) {}

  bool possible() const { return !nodes_.empty(); }
  void make() {
    json &node = *nodes_[below(nodes_.size())];
    switch (below(8)) {
    case 0:
      return leaf(node);
    case 1:
      return remove(node);
    case 2:
      return repeat(node);
    case 3:
      return copy(node, *nodes_[below(nodes_.size())]);
    case 4:
      return retype(node);
    case 5:
      return exchange(node);
    case 6:
      return sameKind(node);
    default:
      return leaf(*nodes_[below(nodes_.size())]);
    }
  }
  void insert(const json &part) { *nodes_[below(nodes_.size())] = part; }
  size_t below(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(engine_); }

private:
  void leaf(json &node) {
    static const json kNumbers[] = {0,
                                    1,
                                    -1,
                                    2,
                                    3,
                                    16,
                                    0.5,
                                    1e300,
                                    -0.0,
                                    2147483647,
                                    2147483648,
                                    -2147483649,
                                    9007199254740993,
                                    INT64_MAX,
                                    INT64_MIN,
                                    UINT64_MAX};
    if (node.is_number())
      node = below(4) ? kNumbers[below(std::size(kNumbers))] : json(node.get<double>() + (below(2) ? 1 : -1));
    else if (node.is_boolean())
      node = !node.get<bool>();
    else if (node.is_string())
      text(node.get_ref<std::string &>());
  }
  void text(std::string &value) {
    if (below(3) == 0 && !value.empty())
      value[below(value.size())] = char(' ' + below(95));
    else
      sameKindText(value);
  }
  void sameKindText(std::string &value) {
    for (int tries = 0; tries < 20; ++tries)
      if (const json &other = *nodes_[below(nodes_.size())]; other.is_string()) {
        value = other.get<std::string>();
        return;
      }
  }
  void remove(json &node) {
    if (!node.is_structured() || node.empty())
      return;
    auto gone = node.begin();
    std::advance(gone, below(node.size()));
    node.erase(gone);
  }
  void repeat(json &node) {
    if (!node.is_array() || node.empty())
      return;
    json again = node[below(node.size())];
    for (size_t times = below(20) ? 1 : 40; times > 0; --times)
      node.insert(node.begin() + below(node.size() + 1), again);
  }
  void exchange(json &node) {
    if (node.is_array() && node.size() > 1)
      std::swap(node[below(node.size())], node[below(node.size())]);
  }
  void copy(json &node, const json &other) {
    json part = other; // `other` may hold `node`
    node = std::move(part);
  }
  /// A value of the same kind from elsewhere: the change most likely to be accepted.
  void sameKind(json &node) {
    for (int tries = 0; tries < 20; ++tries)
      if (const json &other = *nodes_[below(nodes_.size())]; other.type() == node.type())
        return copy(node, other);
  }
  void retype(json &node) {
    static const json kOthers[] = {nullptr, true, 0, "", "x", json::array(), json::object(), json::array({0})};
    size_t which = below(std::size(kOthers) + 1);
    if (which < std::size(kOthers))
      node = kOthers[which];
    else
      for (size_t depth = 1 + below(200); depth > 0; --depth)
        node = json::array({std::move(node)});
  }

  std::mt19937 engine_;
  std::vector<json *> nodes_;
};

/// Writes the document to `out`; 0 if it does not fit.
size_t write(const json &root, uint8_t *out, size_t maxSize) {
  std::string text = root.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > maxSize)
    return 0;
  std::memcpy(out, text.data(), text.size());
  return text.size();
}
} // namespace

size_t mutateJson(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  json root = seed % 8 == 0 ? json(json::value_t::discarded) : parsed(data, size);
  if (root.is_discarded())
    return LLVMFuzzerMutate(data, size, maxSize);
  for (unsigned round = 0; round < 1 + seed % 3; ++round) {
    Change change(root, seed + round);
    if (!change.possible())
      return LLVMFuzzerMutate(data, size, maxSize);
    change.make();
  }
  if (nodesOf(root).empty())
    return LLVMFuzzerMutate(data, size, maxSize);
  size_t written = write(root, data, maxSize);
  return written ? written : LLVMFuzzerMutate(data, size, maxSize);
}

size_t crossJson(const uint8_t *first, size_t firstSize, const uint8_t *second, size_t secondSize, uint8_t *out,
                 size_t maxSize, unsigned seed) {
  json root = parsed(first, firstSize), other = parsed(second, secondSize);
  if (root.is_discarded() || other.is_discarded())
    return 0;
  Change change(root, seed);
  std::vector<json *> parts = nodesOf(other);
  if (!change.possible() || parts.empty())
    return 0;
  change.insert(*parts[change.below(parts.size())]);
  return nodesOf(root).empty() ? 0 : write(root, out, maxSize);
}
} // namespace sn::fuzz
