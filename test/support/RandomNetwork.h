// Random networks: JSON of the network language, data to go with it, and the batches to run.
#pragma once
#include "test/support/Network.h"
#include <set>

namespace sn::test {
/// What a network is run on.
struct Case {
  uint64_t seed = 0;
  std::string json;
  Tables tables;
  std::vector<std::vector<int64_t>> batches; // data-set rows of each step; the last batch is smaller
  Adjust adjust = {};                        // puts records into the network that no table knows
  std::string name = {};                     // for messages
};

struct CaseLimits {
  int64_t parameters = 300000; // weights of all layers together
  int64_t widest = 2000;
  int64_t largestBatch = 40; // of most cases; one in twenty has more rows than one lane
  /// Features that are not drawn (the rest of the case stays as it is). Those named in SN_WITHOUT, separated by commas,
  /// never are: "skip", "share", "pooling", "batch normalization", "delta norm", "weight norm", "boost",
  /// "compatibility", "weighted", "indexed", "ignored zeros", "offset".
  std::set<std::string> without = {};
};
/// 1 to 5 trained layers, several inputs, outputs and sources, skips, shared matrices, poolings and norms, every record
/// of the vocabulary in turn, on data sets of every kind. Nothing in it names a record.
Case randomCase(uint64_t seed, const CaseLimits &limits = {});
} // namespace sn::test
