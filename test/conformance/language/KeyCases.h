// What EveryKey tries: a network, and a change of one key of it.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sn::test {
using KeyJson = nlohmann::ordered_json;

struct KeyCase {
  std::string key;                                    // "network/Decay": table and name in the table's spelling
  std::vector<std::pair<std::string, KeyJson>> setup; // changes of the base network before: path, value
  std::string path;                                   // of the key: "Training/Mu", "@H/Skip"
  KeyJson value;
  bool refused = false; // the change is a located error
};

/// Input X, Hidden H and G, Output Out; parts of it set as said. Null as a value removes a key.
KeyJson keyBase(const std::vector<std::pair<std::string, KeyJson>> &setup);
/// "@H/Skip" is the key Skip of the layer named H.
void setAt(KeyJson &network, const std::string &path, const KeyJson &value);

inline std::ostream &operator<<(std::ostream &out, const KeyCase &made) {
  return out << made.key << " = " << made.value;
}

const std::vector<KeyCase> &keyCases();
/// Keys without effect, and why that is right.
const std::map<std::string, std::string> &keyExemptions();
} // namespace sn::test
