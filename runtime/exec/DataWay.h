// Which way the data of a run take: in memory, streamed from the file, streamed to a device with memory of its own.
#pragma once
#include "runtime/exec/Needs.h"

namespace sn::rt {
struct DataWay {
  Streaming streaming;
  std::string why;        // of streaming: "--stream", or what does not fit
  int64_t batchBytes = 0; // streamed: the most that one batch brings along
  bool streamed() const { return streaming.fromFile || streaming.toDevice; }
  /// "data in memory", "data streamed from the file, up to 1.2 MiB a batch: --stream".
  std::string text() const;
};
void to_json(nlohmann::json &json, const DataWay &way); // as in docs/spec/metrics.md

/// What a run is measured by.
struct WayQuestion {
  /// The forecast of the run with data that take this way; what it refers to stays alive as long as the question.
  std::function<Forecast(const Streaming &)> forecast;
  Device &device;
  const Settings &settings;
  const plan::Optimizer *optimizer; // null: no states
  MemoryRoom room;                  // of the host
  bool stream = false;              // the user's wish
  std::string what;                 // "training", ...
};
struct WayAnswer {
  DataWay way;
  Needs needs;
  std::string shortage; // what is missing, or ""
  double seconds = 0;   // of a pass of `entry`
};
/// In memory and on the device if they fit there, else streamed if that fits. A shortage speaks of data in memory,
/// unless only streamed data could ever fit. `entry` and `rates`: for WayAnswer::seconds.
WayAnswer chooseWay(const WayQuestion &question, const std::string &entry, const Rates &rates);

/// What streaming from these data sets costs in time where it costs much: a sentence for each whose chunks a shuffled
/// epoch unpacks again and again.
std::vector<std::string> readingNotes(const Binding &data, const Settings &settings);
} // namespace sn::rt
