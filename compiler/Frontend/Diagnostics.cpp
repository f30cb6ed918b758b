// Collecting findings.
#include "compiler/Frontend/Diagnostics.h"
#include <algorithm>

namespace sn::frontend {
namespace {
constexpr size_t kKept = 1000; // of the findings; a file with more of them is no network, and the rest is only counted

std::string withoutLastNewline(std::string text) {
  text.pop_back();
  return text;
}
} // namespace

void Diagnostics::add(Finding finding) {
  auto place = std::upper_bound(findings.begin(), findings.end(), finding, [](const Finding &a, const Finding &b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  findings.insert(place, std::move(finding));
}

void Diagnostics::error(Rule rule, Position at, std::string message, std::vector<Diagnostic> notes,
                        std::string suggestion) {
  if (++errorCount <= kKept)
    add({Severity::Error, rule, at, std::move(message), std::move(notes), std::move(suggestion)});
}

void Diagnostics::warning(Rule rule, Position at, std::string message, std::vector<Diagnostic> notes) {
  if (++warningCount <= kKept)
    add({Severity::Warning, rule, at, std::move(message), std::move(notes), {}});
}

Report Diagnostics::report() const {
  Report report{source, findings, errorCount, warningCount};
  size_t shown[2] = {0, 0};
  std::erase_if(report.findings,
                [&](const Finding &finding) { return ++shown[finding.severity == Severity::Warning] > kShown; });
  return report;
}

NetworkError::NetworkError(Report report) : UserError(withoutLastNewline(report.text())), found(std::move(report)) {}

std::string labelOf(const SourceText &source, Rule rule) {
  return source.rules.empty() ? "" : std::string(source.rules) + std::to_string(static_cast<int>(rule));
}

void fail(const SourceText &source, Rule rule, Position at, std::string message, std::vector<Diagnostic> notes) {
  Diagnostics diagnostics(source);
  diagnostics.error(rule, at, std::move(message), std::move(notes));
  throw NetworkError(diagnostics.report());
}
} // namespace sn::frontend
