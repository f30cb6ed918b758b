// DSSTNE's CDL files (reference 4.6): what to do with a network and data, as JSON. Keys that its documentation lists
// and its program refuses are read, too (T-64).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sn::convert {
struct Cdl {
  enum class Command { Train, Predict, Validate };
  Command command = Command::Train;
  std::string network;           // JSON (Train, Validate) or a trained network (Predict)
  std::vector<std::string> data; // data files; the first counts where two have a data set of one name
  std::optional<uint64_t> seed;
  std::optional<int64_t> batch;
  std::optional<bool> shuffle;
  // TrainingParameters
  int64_t epochs = 0;
  std::optional<std::string> optimizer;
  std::map<std::string, double> hyper; // Alpha, Lambda, Lambda1, Mu, Mu1, as far as they are given
  int64_t alphaInterval = 0;           // epochs between changes of the learning rate; 0: it is constant
  double alphaMultiplier = 0.5;
  int64_t checkpointInterval = 1; // epochs; 0: none
  std::string checkpointName = "check", results = "network.nc";
  // PredictionParameters
  int64_t k = 10;    // longest list that is measured
  std::string layer; // the ranked one; "" = Output, or the only one

  std::string warnings; // as text, for the user
};

/// Reads and checks a CDL file; warnings go to stderr. UserError with every mistake at its line and column.
Cdl readCdl(const std::string &path);
/// The same of a text; `path` is for messages.
Cdl readCdlText(const std::string &text, const std::string &path);
} // namespace sn::convert
