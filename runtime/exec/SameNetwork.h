// Whether weights belong to a plan: both carry the network's JSON, and shapes alone do not tell one network from
// another (an activation changes no shape).
#pragma once
#include <string>

namespace sn::rt {
/// Compares the network a plan was compiled from with the one weights were trained with, both JSON texts as the network
/// language has them (comments; case of keys and words, 1 for 1.0 and [n] for n make no difference). The network's
/// Name, Version, ShuffleIndices, WeightsData and Training do not change what weights mean and may differ. A sentence
/// naming both files and the first other difference, as a JSON pointer with both values; "" for the same network, and
/// for weights or plans without one (an empty text). UserError for a text that is no JSON object.
std::string networkDifference(const std::string &planPath, const std::string &planNetwork,
                              const std::string &weightsPath, const std::string &weightsNetwork);
/// UserError if there is one.
void requireSameNetwork(const std::string &planPath, const std::string &planNetwork, const std::string &weightsPath,
                        const std::string &weightsNetwork);
} // namespace sn::rt
