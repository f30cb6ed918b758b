// Checks that hold for every object of the language.
#include "compiler/Frontend/Object.h"
#include <cmath>

namespace sn::frontend {
namespace {
struct FormName {
  unsigned form;
  std::string_view name;
};
constexpr FormName kFormNames[] = {{kText, "a string"},
                                   {kNumber, "a number"},
                                   {kInteger, "a whole number"},
                                   {kBoolean, "true or false"},
                                   {kObject, "an object"},
                                   {kArray, "an array"},
                                   {kNull, "null"}};

std::string describeForms(unsigned forms) {
  std::string text;
  for (auto [form, name] : kFormNames) {
    if (!(forms & form) || (form == kInteger && (forms & kNumber)))
      continue;
    text += (text.empty() ? "" : " or ") + std::string(name);
  }
  return text;
}

std::string describeValue(const Diagnostics &report, const Value &value) {
  if (value.form == kNumber || value.form == kInteger) { // as it is written
    std::string number(tokenAt(report.text(), value.at));
    return number.size() > 40 ? number.substr(0, 40) + "..." : number;
  }
  for (auto [form, name] : kFormNames)
    if (form == value.form)
      return std::string(name);
  throw std::logic_error("a JSON value without a form");
}

bool isWhole(const Value &value) {
  return value.form == kInteger || (value.form == kNumber && value.number == std::floor(value.number));
}

bool hasForm(unsigned forms, const Value &value) {
  if (value.form & forms)
    return true;
  if ((forms & kNumber) && value.form == kInteger)
    return true;
  if ((forms & kInteger) && isWhole(value)) // 128.0
    return true;
  return (forms & kBoolean) && value.form == kInteger && (value.number == 0 || value.number == 1);
}

bool looksLike(const Key &key, std::string_view spelling) {
  return vocab::find(std::span(&key, 1), spelling) != nullptr;
}

std::vector<std::string_view> spellings(std::span<const Key> keys) {
  std::vector<std::string_view> names;
  for (const Key &key : keys) {
    names.push_back(key.name);
    names.insert(names.end(), key.aliases.begin(), key.aliases.end());
  }
  return names;
}
} // namespace

Object::Object(Diagnostics &report, const Value &value, std::span<const Key> keys, std::string_view what)
    : report(report), value(value), keys(keys), what(what), slots(keys.size()) {
  if (value.form != kObject)
    report.error(Rule::Value, value.at,
                 fmt::format("{} must be an object, not {}", what, describeValue(report, value)));
  for (const Member &member : value.members)
    if (const Key *key = vocab::find(keys, member.key))
      slots[static_cast<size_t>(key - keys.data())].member = &member;
    else
      unknown(member);
  reportRepeats();
}

void Object::reportRepeats() {
  for (const Member &member : value.members) {
    const Key *key = vocab::find(keys, member.key);
    if (!key)
      continue;
    const Member &last = *slots[static_cast<size_t>(key - keys.data())].member;
    if (&last != &member)
      report.warning(Rule::Repeated, member.at,
                     fmt::format("{} is given again, so this one has no effect", inQuotes(member.key)),
                     {{last.at, "the last one counts"}});
  }
}

bool checkValue(Diagnostics &report, const Key &key, const Value &value) {
  if (!hasForm(key.forms, value)) {
    report.error(
        Rule::Value, value.at,
        fmt::format("'{}' must be {}, not {}", key.name, describeForms(key.forms), describeValue(report, value)));
    return false;
  }
  bool isNumber = value.form == kNumber || value.form == kInteger;
  if (isNumber && !(key.forms & kBoolean) && !key.range.contains(value.number)) {
    report.error(Rule::Value, value.at,
                 fmt::format("'{}' must be {}, not {}", key.name, describe(key.range), describeValue(report, value)));
    return false;
  }
  return true;
}

bool Object::sound(size_t index) {
  Slot &slot = slots[index];
  if (slot.state == State::Unchecked)
    slot.state = checkValue(report, keys[index], slot.member->value) ? State::Sound : State::Wrong;
  return slot.state == State::Sound;
}

bool Object::belongs(const Key &key, const Member &member, const Placement &placement) {
  if (!(key.on & placement.on)) {
    report.error(Rule::Place, member.at,
                 fmt::format("'{}' has no place on {} layers, only on {} layers", member.key, kindNames(placement.on),
                             kindNames(key.on)),
                 {placement.kindWhy});
    return false;
  }
  if (!(key.types & placement.types)) {
    report.error(Rule::Place, member.at,
                 fmt::format("'{}' has no place on {} layers, only on {} layers", member.key,
                             typeNames(placement.types), typeNames(key.types)),
                 {placement.typeWhy});
    return false;
  }
  if (!key.later.empty())
    report.error(Rule::Unknown, member.at, fmt::format("'{}' is not supported yet: {}", member.key, key.later));
  return key.later.empty();
}

void Object::check(const Placement &placement) {
  for (size_t i = 0; i < slots.size(); ++i) {
    if (!slots[i].member)
      continue;
    if (belongs(keys[i], *slots[i].member, placement))
      sound(i);
    else
      slots[i].state = State::Wrong;
  }
}

void Object::unknown(const Member &member) {
  std::string message = fmt::format("unknown key {} in {}", inQuotes(member.key), what);
  std::string_view near = nearest(spellings(keys), member.key);
  struct Place {
    std::span<const Key> keys;
    std::string_view name;
  };
  for (const Place &place :
       {Place{networkKeys(), "the network object"}, {layerKeys(), "a layer"}, {trainingKeys(), "'Training'"}})
    if (const Key *key = vocab::find(place.keys, member.key);
        key && (near.empty() || vocab::distance(near, member.key) > 1))
      return report.error(Rule::Unknown, member.at,
                          fmt::format("{}; '{}' belongs in {}", message, key->name, place.name));
  for (size_t i = 0; i < keys.size(); ++i)
    slots[i].mistaken |= !near.empty() && looksLike(keys[i], near);
  report.error(Rule::Unknown, member.at, message + didYouMean(near), {}, std::string(near));
}

size_t Object::indexOf(std::string_view name) const {
  const Key *key = vocab::find(keys, name);
  if (!key)
    throw std::logic_error("key " + std::string(name) + " is not in the table of " + std::string(what));
  return static_cast<size_t>(key - keys.data());
}

bool Object::mentions(std::string_view name) const {
  const Slot &slot = slots[indexOf(name)];
  return slot.member || slot.mistaken || value.form != kObject;
}

const Member *Object::find(std::string_view name) {
  size_t index = indexOf(name);
  return slots[index].member && sound(index) ? slots[index].member : nullptr;
}

double Object::number(std::string_view name, double byDefault) {
  const Member *member = find(name);
  return member ? member->value.number : byDefault;
}

bool Object::boolean(std::string_view name, bool byDefault) {
  const Member *member = find(name);
  return member ? member->value.number != 0 : byDefault;
}

std::string Object::string(std::string_view name, std::string byDefault) {
  const Member *member = find(name);
  return member ? member->value.text : byDefault;
}

std::optional<int> choose(Diagnostics &report, std::span<const Choice> choices, std::string_view key,
                          const Value &word) {
  const Choice *choice = vocab::find(choices, word.text);
  if (choice && choice->never.empty() && choice->later.empty())
    return static_cast<int>(choice - choices.data());
  if (choice) {
    report.error(Rule::Unknown, word.at,
                 choice->never.empty() ? fmt::format("{} '{}' is not supported yet: {}", key, word.text, choice->later)
                                       : fmt::format("{} '{}' is not supported: {}", key, word.text, choice->never));
    return std::nullopt;
  }
  std::vector<std::string_view> names, supported;
  for (const Choice &known : choices) {
    names.push_back(known.name);
    names.insert(names.end(), known.aliases.begin(), known.aliases.end());
    if (known.later.empty() && known.never.empty())
      supported.push_back(known.name);
  }
  std::string_view near = nearest(names, word.text);
  report.error(Rule::Unknown, word.at,
               fmt::format("unknown {} {}{}", key, inQuotes(word.text),
                           near.empty() ? fmt::format("; known are {}", listed(supported)) : didYouMean(near)),
               {}, std::string(near));
  return std::nullopt;
}

std::vector<double> parameterValues(const std::vector<vocab::Param> &params, Object *first, Object *second) {
  std::vector<double> values;
  for (const vocab::Param &param : params) {
    double value = param.byDefault;
    if (second)
      value = second->number(param.key, value);
    if (first && (param.layerKey || !second))
      value = first->number(param.key, value);
    values.push_back(value);
  }
  return values;
}
} // namespace sn::frontend
