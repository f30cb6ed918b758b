// A JSON object read against its key table.
#pragma once
#include "compiler/Frontend/Keys.h"

namespace sn::frontend {
class Object {
public:
  /// `what` names the object in messages: "the network", "a layer", "'Training'". All three outlive this.
  Object(const SourceText &source, const Value &value, std::span<const Key> keys, std::string_view what);

  /// Every key known, supported, legal on this kind of layer, and its value of the right form and range; else throws.
  /// `notes` go with a message about the layer's kind.
  void check(unsigned on = kAnywhere, const std::vector<Diagnostic> &notes = {}) const;

  /// The member with this name or one of its aliases, case ignored; the last one if repeated; null if absent.
  const Member *find(std::string_view name) const;
  Position at() const { return value.at; }
  const SourceText &text() const { return source; }

  double number(std::string_view name, double byDefault) const;
  bool boolean(std::string_view name, bool byDefault) const;
  std::string string(std::string_view name, std::string byDefault) const;

private:
  const SourceText &source;
  const Value &value;
  std::span<const Key> keys;
  std::string_view what;

  [[noreturn]] void unknown(const Member &member) const;
};

/// Throws unless the value has one of the key's forms and lies in its range.
void checkValue(const SourceText &source, const Key &key, const Value &value);

/// The index of a word among choices; throws for a word unknown or not supported yet.
int choose(const SourceText &source, std::span<const Choice> choices, std::string_view key, const Value &word);

/// The record that a word names, case ignored; throws for a word unknown or planned.
template <typename Record>
const Record *chooseRecord(const SourceText &source, std::span<const Record> table, std::string_view key,
                           const Value &word) {
  if (const Record *record = vocab::find(table, word.text))
    return record;
  std::vector<Choice> choices;
  for (const Record &record : table)
    choices.push_back({.name = record.name, .aliases = record.aliases});
  for (const vocab::Planned &name : vocab::planned())
    if (name.key == key)
      choices.push_back({.name = name.name,
                         .aliases = name.aliases,
                         .later = name.never.empty() ? "it comes with the rest of the fully connected language" : "",
                         .never = name.never});
  choose(source, choices, key, word);
  throw std::logic_error("a record was found among the choices but not in its table");
}

/// The values of a record's parameters, in order: from `first`, else from `second`, else the default. Either may be
/// null.
std::vector<double> parameterValues(const std::vector<vocab::Param> &params, const Object *first,
                                    const Object *second = nullptr);
} // namespace sn::frontend
