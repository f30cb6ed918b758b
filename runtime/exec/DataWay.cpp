#include "runtime/exec/DataWay.h"
#include "runtime/data/StoredRows.h"
#include "runtime/hal/OwnMemory.h"
#include <algorithm>

namespace sn::rt {
std::string DataWay::text() const {
  if (!streamed())
    return "data in memory";
  return fmt::format("data streamed {}, up to {} a batch: {}",
                     !streaming.fromFile   ? "from memory to the device"
                     : !streaming.toDevice ? "from the file"
                                           : "from the file to the device",
                     formatBytes(batchBytes), why);
}

void to_json(nlohmann::json &json, const DataWay &way) {
  json = {{"from", way.streaming.fromFile ? "file" : "memory"}, {"streamed", way.streamed()}};
  if (way.streamed()) {
    json["batch_bytes"] = way.batchBytes;
    json["why"] = way.why;
  }
}

namespace {
/// A forecast against the host's room and, where the device has its own memory, that.
class Fit {
public:
  Fit(const WayQuestion &question, Forecast forecast)
      : question(question), theForecast(std::move(forecast)), own(dynamic_cast<const OwnMemory *>(&question.device)) {}
  /// What is missing; on the device first. With `smallest` batches of one row.
  std::string missing(MemoryShare share, bool smallest = false) {
    if (share == MemoryShare::Device && !own)
      return "";
    Settings settings = question.settings;
    if (smallest)
      settings.batch = 1;
    theForecast.setShare(share == MemoryShare::Host && !own ? MemoryShare::All : share);
    const MemoryRoom room =
        share == MemoryShare::Device ? MemoryRoom{own->freeMemory(), "the device has free"} : question.room;
    return shortage(theForecast, settings, question.optimizer, room, question.what);
  }
  std::string missing(bool smallest = false) {
    const std::string there = missing(MemoryShare::Device, smallest);
    return there.empty() ? missing(MemoryShare::Host, smallest) : there;
  }
  /// What the room of this share is, and what it would take.
  std::string reason(MemoryShare share) {
    theForecast.setShare(share == MemoryShare::Host && !own ? MemoryShare::All : share);
    const int64_t total = theForecast.needs(question.settings.batch, question.optimizer).total();
    const MemoryRoom room =
        share == MemoryShare::Device ? MemoryRoom{own->freeMemory(), "the device has free"} : question.room;
    return fmt::format("{} {}, and with the data there it would take {}", room.source, formatBytes(room.bytes),
                       formatBytes(total));
  }
  WayAnswer answer(const Streaming &streaming, const std::string &why, const std::string &entry, const Rates &rates) {
    theForecast.setShare(MemoryShare::All);
    const int64_t batch = question.settings.batch;
    return {{streaming, why, theForecast.batchBytes(batch)},
            theForecast.needs(batch, question.optimizer),
            "",
            theForecast.seconds(entry, question.settings, rates)};
  }
  bool ownMemory() const { return own != nullptr; }

private:
  const WayQuestion &question;
  Forecast theForecast;
  const OwnMemory *own;
};
} // namespace

WayAnswer chooseWay(const WayQuestion &question, const std::string &entry, const Rates &rates) {
  const bool own = dynamic_cast<const OwnMemory *>(&question.device) != nullptr;
  const Streaming fromFile{true, own}, toDevice{false, true};
  auto fitOf = [&](const Streaming &streaming) { return Fit(question, question.forecast(streaming)); };
  if (question.stream) {
    Fit fit = fitOf(fromFile);
    WayAnswer answer = fit.answer(fromFile, "--stream", entry, rates);
    answer.shortage = fit.missing();
    return answer;
  }
  Fit resident = fitOf({});
  WayAnswer answer = resident.answer({}, "", entry, rates);
  answer.shortage = resident.missing();
  if (answer.shortage.empty())
    return answer;
  const bool host = !resident.missing(MemoryShare::Host).empty();
  const Streaming &way = host ? fromFile : toDevice;
  Fit streamed = fitOf(way);
  const std::string left = streamed.missing();
  if (left.empty())
    return streamed.answer(way, resident.reason(host ? MemoryShare::Host : MemoryShare::Device), entry, rates);
  if (!resident.missing(true).empty() && streamed.missing(true).empty())
    answer.shortage = left;
  return answer;
}

std::vector<std::string> readingNotes(const Binding &data, const Settings &settings) {
  constexpr double kMuch = 4;
  std::vector<std::string> notes;
  std::set<const DataSet *> told;
  for (const auto &[name, set] : data.sets) {
    const double times = settings.shuffle ? timesRead(set->chunks, set->rows, settings.batch) : 1;
    if (set->streamed() && told.insert(set.get()).second && times > kMuch)
      notes.push_back(
          fmt::format("'{}': '{}' lies in {} chunks, and a shuffled epoch reads and unpacks it about {:.0f} "
                      "times; stored in one piece (h5repack -l CONTI), its rows are read one by one",
                      data.path, set->name, set->chunks, times));
  }
  return notes;
}
} // namespace sn::rt
