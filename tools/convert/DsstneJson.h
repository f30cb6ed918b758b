// Between a network of our language and a trained network of DSSTNE's: the same network, told in attributes.
#pragma once
#include "compiler/Frontend/Network.h"
#include "runtime/checkpoint/DsstneNetwork.h"

namespace sn::convert {
/// The JSON of a trained network: reading it gives the network that the attributes describe, with every extent given.
/// UserError naming `file` for numbers that no record has.
std::string networkJson(const rt::DsstneNetwork &network, const std::string &file);

/// A network as the attributes of a trained network. `widths`: columns of the data sets of layers with "N": "auto", by
/// name. UserError naming `file` for what DSSTNE's files have no number or place for.
rt::DsstneNetwork dsstneNetwork(const frontend::Network &network, const std::map<std::string, int64_t> &widths,
                                const std::string &file);

/// Writes a weights file as DSSTNE's trained network, from the network's JSON that it holds. UserError if it holds
/// none, if `output` exists and `force` is not set.
void exportWeights(const std::string &weights, const std::string &output, bool force);

/// Writes a trained network of DSSTNE's as a weights file with the network's JSON, which is returned. `columnNames`: by
/// data set.
std::string importNetwork(const std::string &source, const std::string &output, bool force,
                          const std::map<std::string, std::shared_ptr<const rt::Names>> &columnNames = {});
} // namespace sn::convert
