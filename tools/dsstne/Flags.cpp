#include "tools/dsstne/Flags.h"
#include "compiler/Frontend/Spelling.h"
#include "runtime/data/TextFormats.h"
#include "runtime/plan/Error.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

namespace sn::dsstne {
namespace {
/// "-alpha" and "--alpha" as "alpha"; "" for a word that is no flag.
std::string flagName(const std::string &word) {
  const size_t dashes = word.rfind("--", 0) == 0 ? 2 : word.rfind("-", 0) == 0 ? 1 : 0;
  return dashes > 0 ? word.substr(dashes) : "";
}
} // namespace

Flags::Flags(const std::string &program, const std::string &summary, std::vector<Flag> known, int argc, char **argv)
    : program(program), flags(std::move(known)) {
  flags.push_back({"h", "", "Show this and end", false});
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (size_t i = 0; i < words.size(); ++i) {
    const Flag *flag = find(words[i]);
    if (!flag)
      unknown(words[i]);
    if (flag->name == "h")
      usage(summary);
    std::string value;
    if (!flag->value.empty()) {
      if (i + 1 == words.size() || find(words[i + 1]))
        userError("-{} needs a value: {}", flag->name, flag->value);
      value = words[++i];
    }
    if (!given.emplace(flag->name, value).second)
      userError("-{} is given twice", flag->name);
  }
  for (const Flag &flag : flags)
    if (flag.required && !has(flag.name))
      userError("-{} {} is missing: {} (-h shows all flags)", flag.name, flag.value, flag.help);
}

const Flag *Flags::find(const std::string &word) const {
  const std::string name = flagName(word);
  auto found = std::find_if(flags.begin(), flags.end(), [&](const Flag &flag) { return flag.name == name; });
  return name.empty() || found == flags.end() ? nullptr : &*found;
}

void Flags::unknown(const std::string &word) const {
  if (flagName(word).empty())
    userError("'{}' belongs to no flag (-h shows them)", word);
  std::vector<std::string_view> names;
  for (const Flag &flag : flags)
    names.push_back(flag.name);
  const std::string name = flagName(word);
  const std::string_view near = frontend::nearest(names, name);
  userError("there is no flag {}{} (-h shows all)", word, near.empty() ? "" : fmt::format("; did you mean -{}?", near));
}

void Flags::usage(const std::string &summary) const {
  fmt::print("{}\nusage: {}", summary, program);
  for (const Flag &flag : flags)
    if (flag.required)
      fmt::print(" -{} {}", flag.name, flag.value);
  fmt::print(" [flags]\n");
  for (const Flag &flag : flags)
    fmt::print("  {:<22} {}{}\n", fmt::format("-{} {}", flag.name, flag.value), flag.help,
               flag.required ? " (required)" : "");
  throw CLI::RuntimeError(1);
}

std::string Flags::text(const std::string &name) const { return text(name, ""); }
std::string Flags::text(const std::string &name, const std::string &otherwise) const {
  auto found = given.find(name);
  return found == given.end() ? otherwise : found->second;
}

std::optional<int64_t> Flags::integer(const std::string &name, int64_t least) const {
  if (!has(name))
    return std::nullopt;
  const std::string value = text(name);
  int64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < least)
    userError("-{} {}: a whole number of at least {} is expected", name, value, least);
  return number;
}

std::optional<double> Flags::number(const std::string &name) const {
  if (!has(name))
    return std::nullopt;
  double number = 0;
  if (!rt::parseNumber(text(name), number))
    userError("-{} {}: a number is expected", name, text(name));
  return number;
}
} // namespace sn::dsstne
