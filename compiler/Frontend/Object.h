// A JSON object read against its key table.
#pragma once
#include "compiler/Frontend/Keys.h"
#include "compiler/Frontend/Spelling.h"
#include <optional>

namespace sn::frontend {
/// Where an object stands that has keys of some places only: masks of On and OnType, and why it is so.
struct Placement {
  unsigned on = kAnywhere, types = kAnyType;
  Diagnostic kindWhy = {}, typeWhy = {};
};

/// Nothing here throws for a mistake of the user's: it is reported, and what is wrong counts as absent from then on.
class Object {
public:
  /// Reports a value that is no object, unknown keys and repeated ones. `what` names the object in messages: "the
  /// network", "a layer", "'Training'". All four outlive this.
  Object(Diagnostics &report, const Value &value, std::span<const Key> keys, std::string_view what);

  /// Reports every member whose key is not supported or has no place here, or whose value has the wrong form or lies
  /// outside its range.
  void check(const Placement &placement = {});

  /// The member with this name or one of its aliases, case ignored, the last one if repeated; null if absent or wrong.
  const Member *find(std::string_view name);
  /// Whether the user wrote this key, in whatever state, or one that looks like it. What is missing has been asked for
  /// already if this holds and find() gives nothing.
  bool mentions(std::string_view name) const;
  Position at() const { return value.at; }
  Diagnostics &diagnostics() { return report; }

  double number(std::string_view name, double byDefault);
  bool boolean(std::string_view name, bool byDefault);
  std::string string(std::string_view name, std::string byDefault);

private:
  enum class State { Unchecked, Sound, Wrong };
  struct Slot {
    const Member *member = nullptr; // the last one with this key
    State state = State::Unchecked;
    bool mistaken = false; // an unknown key looks like this one
  };
  Diagnostics &report;
  const Value &value;
  std::span<const Key> keys;
  std::string_view what;
  std::vector<Slot> slots; // one for each key

  bool belongs(const Key &key, const Member &member, const Placement &placement);
  size_t indexOf(std::string_view name) const;
  void unknown(const Member &member);
  void reportRepeats();
  bool sound(size_t index);
};

/// Whether the value has one of the key's forms and lies in its range; reports it if not.
bool checkValue(Diagnostics &report, const Key &key, const Value &value);

/// The index of a word among choices; reports a word unknown or not supported yet.
std::optional<int> choose(Diagnostics &report, std::span<const Choice> choices, std::string_view key,
                          const Value &word);

/// The record that a word names, case ignored; null, and reported, for a word unknown or not supported. `further`:
/// names that are no records yet.
template <typename Record>
const Record *chooseRecord(Diagnostics &report, std::span<const Record> table, std::string_view key, const Value &word,
                           std::span<const Choice> further = {}) {
  if (const Record *record = vocab::find(table, word.text))
    return record;
  std::vector<Choice> choices;
  for (const Record &record : table)
    choices.push_back({.name = record.name, .aliases = record.aliases});
  choices.insert(choices.end(), further.begin(), further.end());
  for (const vocab::Planned &name : vocab::planned())
    if (name.key == key)
      choices.push_back({.name = name.name, .aliases = name.aliases, .never = name.never});
  if (choose(report, choices, key, word))
    throw std::logic_error("a record was found among the choices but not in its table");
  return nullptr;
}

/// The values of a record's parameters, in order: from `first`, else from `second`, else the default. Either may be
/// null.
std::vector<double> parameterValues(const std::vector<vocab::Param> &params, Object *first, Object *second = nullptr);
} // namespace sn::frontend
