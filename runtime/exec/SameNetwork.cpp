#include "runtime/exec/SameNetwork.h"
#include "runtime/plan/Error.h"
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

namespace sn::rt {
namespace {
using nlohmann::json;
/// Keys of the network object that do not change what its weights mean, in lower case.
const std::set<std::string> kWithoutMeaning = {"name",     "version",     "shuffleindices",
                                               "training", "weightsdata", "weightdata"};

std::string lower(std::string text) {
  for (char &c : text)
    c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return text;
}

json parsed(const std::string &text, const std::string &path) {
  json network = json::parse(text, nullptr, /*allow_exceptions=*/false, /*ignore_comments=*/true);
  if (!network.is_object())
    userError("'{}': the network stored in it is not the JSON object that was written there; the file is damaged",
              path);
  return network;
}

/// Members by their keys in lower case, with the keys as they are written.
std::map<std::string, std::pair<std::string, const json *>> membersOf(const json &object, bool top) {
  std::map<std::string, std::pair<std::string, const json *>> members;
  for (const auto &[key, value] : object.items())
    if (std::string plain = lower(key); !top || !kWithoutMeaning.count(plain))
      members[plain] = {key, &value};
  return members;
}

const json &unwrapped(const json &value) { return value.is_array() && value.size() == 1 ? value[0] : value; }

bool sameScalar(const json &a, const json &b) {
  if (a.is_string() && b.is_string())
    return lower(a.get<std::string>()) == lower(b.get<std::string>());
  if (a.is_boolean() != b.is_boolean() && (a.is_number() || b.is_number()))
    return (a.is_boolean() ? double(a.get<bool>()) : a.get<double>()) ==
           (b.is_boolean() ? double(b.get<bool>()) : b.get<double>());
  return a == b;
}

struct Difference {
  json::json_pointer at;
  const json *plan = nullptr, *weights = nullptr; // null: not given
};

std::optional<Difference> firstDifference(const json &plan, const json &weights, const json::json_pointer &at) {
  const json &a = unwrapped(plan), &b = unwrapped(weights);
  if (a.is_object() && b.is_object()) {
    auto ours = membersOf(a, at.empty()), theirs = membersOf(b, at.empty());
    for (const auto &[plain, member] : ours) {
      auto other = theirs.find(plain);
      if (other == theirs.end())
        return Difference{at / member.first, member.second, nullptr};
      if (auto found = firstDifference(*member.second, *other->second.second, at / member.first))
        return found;
    }
    for (const auto &[plain, member] : theirs)
      if (!ours.count(plain))
        return Difference{at / member.first, nullptr, member.second};
    return std::nullopt;
  }
  if (a.is_array() && b.is_array()) {
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
      if (auto found = firstDifference(a[i], b[i], at / i))
        return found;
    if (a.size() == b.size())
      return std::nullopt;
    size_t i = std::min(a.size(), b.size());
    return Difference{at / i, i < a.size() ? &a[i] : nullptr, i < b.size() ? &b[i] : nullptr};
  }
  return sameScalar(a, b) ? std::nullopt : std::optional(Difference{at, &plan, &weights});
}

std::string shown(const json *value) {
  constexpr size_t kMost = 80;
  if (!value)
    return "nothing";
  std::string text = value->dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() > kMost ? text.substr(0, kMost) + "..." : text;
}
} // namespace

std::string networkDifference(const std::string &planPath, const std::string &planNetwork,
                              const std::string &weightsPath, const std::string &weightsNetwork) {
  if (planNetwork.empty() || weightsNetwork.empty())
    return "";
  json plan = parsed(planNetwork, planPath), weights = parsed(weightsNetwork, weightsPath);
  std::optional<Difference> found = firstDifference(plan, weights, json::json_pointer());
  if (!found)
    return "";
  return fmt::format("'{}' was trained with another network than '{}': at {} it has {}, the plan has {}", weightsPath,
                     planPath, found->at.to_string(), shown(found->weights), shown(found->plan));
}

void requireSameNetwork(const std::string &planPath, const std::string &planNetwork, const std::string &weightsPath,
                        const std::string &weightsNetwork) {
  if (std::string found = networkDifference(planPath, planNetwork, weightsPath, weightsNetwork); !found.empty())
    userError("{}; use the plan it was trained with, or train anew", found);
}
} // namespace sn::rt
