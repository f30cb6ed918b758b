// Options that several commands share.
#pragma once
#include "tools/snrt/Commands.h"
#include "tools/snrt/RunForecast.h"

namespace sn::snrt {
/// --device --level --threads --memory-limit --stream --json --profile --bind
void addRunOptions(CLI::App &command, RunOptions &options);
/// --epochs --batch --optimizer --alpha --lambda --lambda1 --mu --mu1 --seed
void addTrainingOptions(CLI::App &command, rt::Overrides &overrides);
/// --batch, for commands that only run forward.
void addBatchOption(CLI::App &command, rt::Overrides &overrides);

/// The layer to rank: the one wished for, else the one named Output if the plan ranks it, else "": the only one.
std::string rankedLayer(const plan::Plan &plan, const std::string &wish);
/// "dir/ae.plan" -> "dir/ae.weights.h5".
std::string weightsPathFor(const std::string &planPath);
/// UserError if the file exists and may not be overwritten: asked before work begins, not after it.
void refuseExisting(const std::string &path, bool force);
/// A device that times its steps only if asked to does so with --profile.
void timeSteps(rt::Session &session, const RunOptions &options);
/// Bound data sets whose loading mended something say so.
void printNotes(const rt::Binding &data);

/// Streamed data that will be slow to read say so.
void sayReading(const rt::Binding &data, const rt::Settings &settings, const RunForecast &forecast);

/// Data, weights and model of a command that uses a trained network. What it needs is told, and refused if it does not
/// fit, before data and parameters are loaded.
struct Trained {
  /// `entry`: what will run. `held`: data sets that the command loads besides.
  Trained(const std::string &planPath, const std::string &weightsPath, const std::string &dataPath,
          const RunOptions &options, const rt::Overrides &overrides, const std::string &entry = "predict",
          const std::vector<HeldData> &held = {});
  rt::Session session;
  rt::Settings settings;
  rt::CheckpointReader weights;
  rt::DataFile file;
  rt::Aliases aliases;
  RunForecast forecast;
  rt::Binding inputs; // what entry "predict" reads
  rt::Model model;
  /// A data set of the file by its name there. UserError naming the option that asked if there is none.
  /// `whole`: in memory, though the others are streamed.
  std::shared_ptr<const rt::DataSet> load(const std::string &name, const char *option, bool whole = false);
  /// Names of a data set's columns: the weights' (those trained with), else the data file's, else null.
  const rt::Names *columnNames(const std::string &dataset);
};
} // namespace sn::snrt
