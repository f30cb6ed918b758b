// What is wrong with a network file: findings are collected while it is read, so that one run shows all of them, and
// looked at in two forms: text as good compilers write it (file:line:column: error: message, the line, a caret under
// the token, notes in the same form) and JSON for machines. Columns count bytes from 1.
#pragma once
#include "compiler/Frontend/Network.h"

namespace sn::frontend {
/// A file's name and content; every located thing of the front end points into one.
struct SourceText {
  std::string file;
  std::string text;
  std::string_view rules = "net_"; // what labels begin with; "" for a language whose messages have none
};

/// The rule that a message is about: net_n of docs/spec/network.md. tools/check/rules.py holds the two together, and
/// demands a test for each.
enum class Rule {
  File = 1,
  Repeated = 2,
  Unknown = 3,
  Value = 4,
  Version = 6,
  NoEffect = 7,
  Place = 9,
  Kinds = 10,
  Names = 11,
  Units = 12,
  Sources = 13,
  Order = 14,
  Sparseness = 16,
  Dropout = 17,
  DataSets = 19,
  UnitInterval = 20,
  RowWise = 22,
  Boost = 23,
  Skips = 24,
  Sharing = 25,
  Pooling = 26,
  Norms = 28,
  ActivationParameters = 29,
  Schedule = 33,
  WeightsData = 34,
  PredictionOnly = 35,
};

enum class Severity { Error, Warning };

/// Where a message is about the file as a whole.
inline constexpr Position kWholeFile{0, 0};

/// An error or a warning, and its notes, which point at the other parties.
struct Finding {
  Severity severity = Severity::Error;
  Rule rule = Rule::File;
  Position at;
  std::string message;
  std::vector<Diagnostic> notes;
  std::string suggestion; // the spelling to put in place of what stands at `at`, without quotes; "" if there is none
};

/// Everything that was found, in the file's order.
struct Report {
  SourceText source;
  std::vector<Finding> findings;   // the first kShown errors, and as many warnings
  size_t errors = 0, warnings = 0; // found, whether shown or not

  /// Each message ends in its rule's label, as in "... [net_3]", each line in a newline; "" if nothing was found.
  /// Closes with a count if there is more than one finding.
  std::string text() const;
  /// One JSON object on one line, without a newline: {"diagnostics": [...], "errors": n, "warnings": n}; the fields of
  /// a diagnostic are listed in docs/spec/network.md, net_5.
  std::string json() const;
};
inline constexpr size_t kShown = 20;

/// A network file that cannot be compiled. what() is the report as text, without the last newline.
class NetworkError : public UserError {
public:
  explicit NetworkError(Report report);
  const Report &report() const { return found; }

private:
  Report found;
};

/// Like Report::json, for any mistake of the user, together with the warnings that were found before it. A mistake that
/// is not about a network file has null for its file, line and columns.
std::string jsonOf(const UserError &error, const Report &warnings);

/// Collects the findings of one file.
class Diagnostics {
public:
  /// `source` outlives this.
  explicit Diagnostics(const SourceText &source) : source(source) {}

  void error(Rule rule, Position at, std::string message, std::vector<Diagnostic> notes = {},
             std::string suggestion = {});
  void warning(Rule rule, Position at, std::string message, std::vector<Diagnostic> notes = {});
  const SourceText &text() const { return source; }
  /// How many errors there are so far.
  size_t errors() const { return errorCount; }
  Report report() const;

private:
  void add(Finding finding);

  const SourceText &source;
  std::vector<Finding> findings; // by place
  size_t errorCount = 0, warningCount = 0;
};

/// "net_3", or "" if the language has no labels.
std::string labelOf(const SourceText &source, Rule rule);

/// Throws NetworkError with this one error.
[[noreturn]] void fail(const SourceText &source, Rule rule, Position at, std::string message,
                       std::vector<Diagnostic> notes = {});

/// The token (string, number, word or bracket) that begins at this place; "" at the end of a line.
std::string_view tokenAt(const SourceText &source, Position at);

/// Like readNetwork and readNetworkText; `warnings` is what was found, which is no error.
Network readNetwork(const std::string &file, Report &warnings);
Network readNetworkText(const std::string &text, const std::string &file, Report &warnings);
} // namespace sn::frontend
