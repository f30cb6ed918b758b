// What a command is about to need: from headers, told and checked before anything large is loaded or allocated.
#pragma once
#include "runtime/exec/DataWay.h"
#include "runtime/exec/Session.h"

namespace sn::snrt {
/// Options of the commands that run a plan.
struct RunOptions {
  rt::DeviceChoice device;
  int64_t memoryLimit = 0; // bytes; 0 = what the machine has
  bool json = false, profile = false;
  bool stream = false; // rows from the file, whether or not they fit in memory
  std::vector<std::string> bind;
};

/// A data set that a command loads beside those its entry reads: the first of these names that the file has.
struct HeldData {
  std::string file;
  std::vector<std::string> names;
};

/// The forecast of a run, made when it is known to fit.
struct RunForecast {
  rt::Needs needs;
  rt::DataWay way;    // which the data take; the file is set to it
  double seconds = 0; // of one pass over the data, about
};

/// Of training on `file`; with `validation` ("" = none) also its loss; with `held` also lists. `from`: a weights file
/// that is loaded, "" = none. Prints on stderr. UserError if it does not fit.
RunForecast forecastTraining(rt::Session &session, const rt::Settings &settings, rt::DataFile &file,
                             const std::string &from, const std::string &validation, const std::vector<HeldData> &held,
                             const RunOptions &options);
/// Of an entry without updates, with trained weights.
RunForecast forecastUse(rt::Session &session, const rt::Settings &settings, rt::DataFile &file,
                        const rt::CheckpointHeader &weights, const std::string &entry,
                        const std::vector<HeldData> &held, const RunOptions &options);
/// Of untrained weights for the data sets that give widths; says nothing.
void requireRoomToInitialize(rt::Session &session, const rt::Settings &settings, rt::DataFile &file,
                             const std::set<std::string> &names, const RunOptions &options);
} // namespace sn::snrt
