// How messages about a network file look: `file:line:column: error: message`, the line, a caret, then notes in the same
// form.
#pragma once
#include "compiler/Frontend/Network.h"

namespace sn::frontend {
/// A file's name and content; every located thing of the front end points into one.
struct SourceText {
  std::string file;
  std::string text;
};

/// One located message with its line and caret, ending in a newline. `severity` is "error" or "note".
std::string render(const SourceText &source, std::string_view severity, const Diagnostic &diagnostic);

/// Throws UserError: the error and its notes, rendered.
[[noreturn]] void fail(const SourceText &source, Position at, std::string message, std::vector<Diagnostic> notes = {});

/// "; did you mean 'x'?" or "" if there is no suggestion.
std::string didYouMean(std::string_view suggestion);
/// "a, b and c", each in quotes.
std::string listed(const std::vector<std::string_view> &names);
} // namespace sn::frontend
