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

std::string describeValue(const Value &value) {
  if (value.form == kNumber || value.form == kInteger)
    return fmt::format("{}", value.number);
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
} // namespace

Object::Object(const SourceText &source, const Value &value, std::span<const Key> keys, std::string_view what)
    : source(source), value(value), keys(keys), what(what) {
  if (value.form != kObject)
    fail(source, value.at, fmt::format("{} must be an object, not {}", what, describeValue(value)));
}

void checkValue(const SourceText &source, const Key &key, const Value &value) {
  if (!hasForm(key.forms, value))
    fail(source, value.at,
         fmt::format("'{}' must be {}, not {}", key.name, describeForms(key.forms), describeValue(value)));
  bool isNumber = value.form == kNumber || value.form == kInteger;
  if (isNumber && !(key.forms & kBoolean) && !key.range.contains(value.number))
    fail(source, value.at, fmt::format("'{}' must be {}, not {}", key.name, describe(key.range), describeValue(value)));
}

void Object::check(unsigned on, const std::vector<Diagnostic> &notes) const {
  for (const Member &member : value.members) {
    const Key *key = vocab::find(keys, member.key);
    if (!key)
      unknown(member);
    if (!(key->on & on))
      fail(source, member.at,
           fmt::format("'{}' has no place on {} layers, only on {} layers", member.key, kindNames(on),
                       kindNames(key->on)),
           notes);
    if (!key->later.empty())
      fail(source, member.at, fmt::format("'{}' is not supported yet: {}", member.key, key->later));
    if (find(key->name) == &member)
      checkValue(source, *key, member.value);
  }
}

void Object::unknown(const Member &member) const {
  std::string message = fmt::format("unknown key '{}' in {}", member.key, what);
  std::string_view nearest = vocab::nearest(keys, member.key);
  struct Place {
    std::span<const Key> keys;
    std::string_view name;
  };
  for (const Place &place :
       {Place{networkKeys(), "the network object"}, {layerKeys(), "a layer"}, {trainingKeys(), "'Training'"}})
    if (const Key *key = vocab::find(place.keys, member.key); key && vocab::distance(nearest, member.key) > 1)
      fail(source, member.at, fmt::format("{}; '{}' belongs in {}", message, key->name, place.name));
  fail(source, member.at, message + didYouMean(nearest));
}

const Member *Object::find(std::string_view name) const {
  const Key *key = vocab::find(keys, name);
  if (!key)
    throw std::logic_error("key " + std::string(name) + " is not in the table of " + std::string(what));
  const Member *found = nullptr;
  for (const Member &member : value.members)
    if (vocab::find(std::span(key, 1), member.key))
      found = &member;
  return found;
}

double Object::number(std::string_view name, double byDefault) const {
  const Member *member = find(name);
  return member ? member->value.number : byDefault;
}

bool Object::boolean(std::string_view name, bool byDefault) const {
  const Member *member = find(name);
  return member ? member->value.number != 0 : byDefault;
}

std::string Object::string(std::string_view name, std::string byDefault) const {
  const Member *member = find(name);
  return member ? member->value.text : byDefault;
}

int choose(const SourceText &source, std::span<const Choice> choices, std::string_view key, const Value &word) {
  const Choice *choice = vocab::find(choices, word.text);
  if (choice && !choice->never.empty())
    fail(source, word.at, fmt::format("{} '{}' is not supported: {}", key, word.text, choice->never));
  if (choice && choice->later.empty())
    return static_cast<int>(choice - choices.data());
  if (choice)
    fail(source, word.at, fmt::format("{} '{}' is not supported yet: {}", key, word.text, choice->later));
  std::string message = fmt::format("unknown {} '{}'", key, word.text);
  if (std::string_view nearest = vocab::nearest(choices, word.text); !nearest.empty())
    fail(source, word.at, message + didYouMean(nearest));
  std::vector<std::string_view> names;
  for (const Choice &known : choices)
    if (known.later.empty() && known.never.empty())
      names.push_back(known.name);
  fail(source, word.at, fmt::format("{}; known are {}", message, listed(names)));
}

std::vector<double> parameterValues(const std::vector<vocab::Param> &params, const Object *first,
                                    const Object *second) {
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
