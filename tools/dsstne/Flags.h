// Command lines as DSSTNE's programs have them: -flag value.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sn::dsstne {
struct Flag {
  std::string name;  // without dashes
  std::string value; // what it takes, for the usage; "" = nothing: it is there or not
  std::string help;
  bool required = false;
};

/// The flags of one call. -h prints the usage and exits with 1, as DSSTNE's programs do.
class Flags {
public:
  /// UserError for an unknown flag (with the nearest one), one that lacks its value or is given twice, a word that
  /// belongs to no flag, and a required flag that is missing. One or two dashes.
  Flags(const std::string &program, const std::string &summary, std::vector<Flag> flags, int argc, char **argv);

  bool has(const std::string &name) const { return given.count(name) > 0; }
  /// The value, "" if it was not given.
  std::string text(const std::string &name) const;
  std::string text(const std::string &name, const std::string &otherwise) const;
  /// UserError for what is no whole number of at least `least`, or no number.
  std::optional<int64_t> integer(const std::string &name, int64_t least) const;
  std::optional<double> number(const std::string &name) const;

private:
  const Flag *find(const std::string &word) const;
  [[noreturn]] void unknown(const std::string &word) const;
  [[noreturn]] void usage(const std::string &summary) const;

  std::string program;
  std::vector<Flag> flags;
  std::map<std::string, std::string> given;
};
} // namespace sn::dsstne
