// The network as the user wrote it, checked and with every default filled in; each part keeps where it stood in the
// file. Made by readNetwork (Frontend), turned into the net dialect by importNetwork (Conversion/Import).
#pragma once
#include "dialects/Vocabulary/Records.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Expr.h"
#include "runtime/plan/Precision.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sn::frontend {
struct Position {
  int line = 1, column = 1; // 1-based; columns count bytes
};

/// A record with the values of its parameters, in the order of Record::params.
template <typename Record> struct Chosen {
  const Record *record = nullptr;
  std::vector<double> params;
  Position at;
};

enum class LayerKind { Input, Hidden, Output };
enum class LayerType { FullyConnected, Pooling };

/// One of a layer's sources uses another pair's matrix (reference 1.9). Biases are never shared.
struct Sharing {
  int source = 0;                 // of the layer, an index of Layer::sources
  int ownerFrom = 0, ownerTo = 0; // the pair of layers that owns the matrix; never a sharing pair itself
  bool transposed = false;
  Position at;
};

struct Layer {
  std::string name;
  Position at; // of the layer object
  LayerKind kind = LayerKind::Hidden;
  bool automatic = false; // N "auto": the columns of `dataSet`
  int64_t units = 1;      // otherwise
  Position unitsAt;
  std::string dataSet;      // Input, Output
  std::vector<int> sources; // indices of earlier layers (files may name later ones; cycles are errors)
  std::vector<Position> sourcesAt;
  std::vector<int> skips; // their values are added to the pre-activation (reference 1.8); inputs may be among them
  std::vector<Position> skipsAt;
  std::vector<Sharing> shared;
  LayerType type = LayerType::FullyConnected;
  /// Pooling layers: no weights, no biases, no activation (Linear); `units` is derived from the sources.
  Chosen<vocab::Pooling> pooling;
  bool sparse = false;
  double pDropout = 0;
  Chosen<vocab::Activation> activation; // Hidden, Output
  Chosen<vocab::Initializer> weightInit;
  double initScale = 1, initBias = 0;
  double sparsenessP = 0, sparsenessBeta = 0; // resolved: active iff beta > 0 (Hidden and sparse)
  double weightNorm = 0;                      // of the matrices it owns; 0: none
  double deltaNorm = 0;                       // 0: none
  bool batchNormalization = false;            // Hidden
  std::optional<plan::Precision> precision;   // its own; else the network's
};

struct Network {
  std::string file; // as given, for locations
  std::string text; // the JSON itself, stored in the plan
  std::string name;
  std::vector<Layer> layers; // in the file's order
  std::vector<int> order;    // forward order: by longest distance from an input, then file order
  Chosen<vocab::Loss> loss;
  double denoisingP = 0;
  double boostOne = 1, boostZero = 1; // DeltaBoost
  bool shuffleIndices = true;
  plan::Precision precision = plan::Precision::Fp32; // of the products of layers without their own
  /// "Compatibility": "dsstne": Constant's sign, Adam's exponent, optimizer state cleared every epoch, the divergence
  /// brake (T-35, T-38, T-39, T-62).
  bool dsstne = false;
  std::string weightsData; // a weights file training starts from, as written in the file; "" = none
  // Training object (defaults: DSSTNE's train)
  Chosen<vocab::Optimizer> optimizer;
  Chosen<vocab::Schedule> schedule;
  std::map<std::string, double> hyper;    // Alpha Lambda Lambda1 Mu Mu1, with the optimizer's defaults applied
  std::map<std::string, bool> hyperGiven; // set explicitly in the file
  int64_t batch = 1024, epochs = 40;
  uint64_t seed = 12134;
};

/// One message with a position: a note of a finding (Diagnostics.h).
struct Diagnostic {
  Position at;
  std::string message;
};
/// Reads and checks a network. Throws NetworkError (a UserError, Diagnostics.h): every error with its notes, as text.
Network readNetwork(const std::string &file);
Network readNetworkText(const std::string &text, const std::string &file);
} // namespace sn::frontend
