// DSSTNE's trained networks: NetCDF files of network, layers and parameters (the reference's section 3, in
// docs/spec/weights.md). What is here is what the file says; enumerations stay the numbers of reference 1.23.
#pragma once
#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/data/Netcdf.h"

namespace sn::rt {
struct DsstneLayer {
  enum Kind { Input, Hidden, Output, Target };
  enum Type { FullyConnected, Convolutional, Pooling };
  enum Attribute : uint32_t { Sparse = 1, Denoising = 2, BatchNormalization = 4 };
  std::string name, dataSet;
  int64_t kind = Hidden, type = FullyConnected, activation = 0, weightInit = 0, pooling = 0;
  int64_t extents[4] = {1, 1, 1, 1}; // Nx, Ny, Nz, Nw
  int64_t dimensions = 1;
  double pDropout = 0, weightInitScale = 1, biasInit = 0, weightNorm = 0, deltaNorm = 0;
  double reluSlope = 1, eluAlpha = 1, seluLambda = 1.050701;
  double sparsenessP = 0, sparsenessBeta = 0; // the layer's own; of files without them the network's
  uint32_t attributes = 0;
  std::vector<std::string> sources, skips;
  int64_t units() const { return extents[0] * extents[1] * extents[2] * extents[3]; }
  bool is(Attribute attribute) const { return attributes & attribute; }
};

/// A pair of layers with a matrix, its own or one it borrows, and a bias of its own.
struct DsstneWeight {
  std::string input, output;
  bool shared = false, transposed = false, locked = false;
  double norm = 0;
  std::string sourceInput, sourceOutput; // shared: the pair that owns the matrix
};

struct DsstneNetwork {
  std::string name;
  int64_t kind = 0, errorFunction = 0;
  double decay = 0;
  bool sparsenessPenalty = false, denoising = false, shuffleIndices = true;
  double sparsenessP = 0, sparsenessBeta = 0, denoisingP = 0, boostOne = 1, boostZero = 1;
  double oneTarget = 0.9, zeroTarget = 0.1, oneScale = 1, zeroScale = 1;
  int64_t epochs = 0; // done, where the file says so
  std::vector<DsstneLayer> layers;
  std::vector<DsstneWeight> weights; // layer by layer, source by source
  /// The position of a layer, or -1.
  int64_t find(const std::string &layer) const;
};

/// Whether a file holds a trained network (and not, say, data sets).
bool holdsDsstneNetwork(const h5::File &file);
bool holdsDsstneNetwork(const nc::Reader &file);
/// The same of a path, which may lead to anything.
bool isDsstneNetwork(const std::string &path);

/// UserError naming file and attribute for one that is missing or makes no sense, and for convolutions.
DsstneNetwork readDsstneNetwork(const nc::Reader &file);

/// Where a parameter of ours lies in the file.
struct DsstneParameter {
  TensorSpec spec;      // under our name
  std::string variable; // float, one-dimensional: the tensor row by row
};
/// Every parameter of a network, in the order of our plans: pair by pair weights and bias, then batch normalisation.
std::vector<DsstneParameter> parametersOf(const DsstneNetwork &network);

/// Writes a trained network with the parameters of `weights` as DSSTNE does; it appears whole or not at all. UserError
/// if `path` exists and `force` is not set, and where `weights` lacks a parameter of the network.
void writeDsstneNetwork(const std::string &path, bool force, const DsstneNetwork &network,
                        const CheckpointReader &weights);
} // namespace sn::rt
