// The key tables: every key of the network language at each level, what its value may be and where it is legal.
// One row is all there is to a key: recognition, spelling help, type, range and legality checks follow from it.
#pragma once
#include "compiler/Frontend/Json.h"
#include <span>

namespace sn::frontend {
/// Accepted numbers; an open end is not accepted itself.
struct Range {
  double low = -1e300, high = 1e300;
  bool openLow = false, openHigh = false;
  bool contains(double x) const { return (openLow ? x > low : x >= low) && (openHigh ? x < high : x <= high); }
};
/// "at least 0 and below 1"
std::string describe(const Range &range);

enum On : unsigned { kInput = 1, kHidden = 2, kOutput = 4, kAnywhere = 7 };
enum OnType : unsigned { kFullyConnected = 1, kPooling = 2, kAnyType = 3 };

struct Key {
  std::string_view name;
  std::vector<std::string_view> aliases = {};
  unsigned forms = 0;              // accepted Forms; kInteger alone = a whole number
  Range range = {};                // of numbers
  unsigned on = kAnywhere;         // layer kinds (layer keys only)
  unsigned types = kAnyType;       // layer types (layer keys only)
  std::string_view byDefault = {}; // for people
  std::string_view later = {};     // not supported yet: what it waits for
  int issue = 1;                   // from which on it is supported
};

/// Keys of the network object, including the parameter objects of the losses.
std::span<const Key> networkKeys();
/// Keys of a layer object.
std::span<const Key> layerKeys();
std::span<const Key> penaltyKeys();    // SparsenessPenalty
std::span<const Key> denoisingKeys();  // Denoising
std::span<const Key> boostKeys();      // DeltaBoost
std::span<const Key> maxOutKeys();     // MaxOut
std::span<const Key> sharingKeys();    // one entry of SharedWeights
std::span<const Key> weightInitKeys(); // WeightInit
std::span<const Key> trainingKeys();   // Training
/// Keys of the object that holds a record's parameters; `withKind`: also "Kind", the record's name.
std::vector<Key> parameterKeys(const std::vector<vocab::Param> &params, bool withKind);

/// One of a fixed set of words.
struct Choice {
  std::string_view name;
  std::vector<std::string_view> aliases = {};
  std::string_view later = {}; // not supported yet: what it waits for
  std::string_view never = {}; // not supported and not planned: why
};
std::span<const Choice> networkKinds();
std::span<const Choice> layerKinds();
std::span<const Choice> layerTypes();
std::span<const Choice> compatibilities();
/// In the order of plan::Precision.
std::span<const Choice> precisions();
/// Functions of Pooling layers that wait for images; the others are records.
std::span<const Choice> imageFunctions();

/// "Input and Hidden" for a mask of On.
std::string kindNames(unsigned on);
/// The same for a mask of OnType.
std::string typeNames(unsigned types);
} // namespace sn::frontend
