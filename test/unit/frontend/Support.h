// Small networks as text, and the message a text causes.
#pragma once
#include "compiler/Frontend/Keys.h"
#include <algorithm>
#include <gtest/gtest.h>

namespace sn::frontend::test {
inline const std::string kInputLayer = R"({"Kind":"Input","Name":"In","N":"auto","DataSet":"input","Sparse":true})";
inline const std::string kOutputLayer = R"({"Kind":"Output","Name":"Out","N":"auto","DataSet":"output"})";

/// `{<network keys>"Layers":[<In>,<hidden>,<Out>]}` on one line; `hidden` may be empty.
inline std::string network(const std::string &keys, const std::string &hidden = "") {
  return "{" + keys + (keys.empty() ? "" : ",") + "\"Layers\":[" + kInputLayer + "," + hidden +
         (hidden.empty() ? "" : ",") + kOutputLayer + "]}";
}
inline std::string layers(const std::string &text) { return "{\"Layers\":[" + text + "]}"; }
/// A hidden layer H with further keys.
inline std::string hidden(const std::string &keys) { return R"({"Kind":"Hidden","Name":"H",)" + keys + "}"; }

inline Network read(const std::string &text) { return readNetworkText(text, "net.json"); }

/// What was found in a text, errors or warnings.
inline Report reportOf(const std::string &text) {
  Report report;
  try {
    readNetworkText(text, "net.json", report);
  } catch (const NetworkError &error) {
    EXPECT_EQ(error.what() + std::string("\n"), error.report().text());
    return error.report();
  }
  return report;
}
/// The rendered errors and warnings, "" if there are none.
inline std::string messageOf(const std::string &text) { return reportOf(text).text(); }
/// Each finding as "line:column: severity: message", its notes after it, indented.
inline std::vector<std::string> findingsOf(const std::string &text) {
  std::vector<std::string> lines;
  auto add = [&](Position at, std::string_view severity, const std::string &message) {
    lines.push_back(fmt::format("{}:{}: {}: {}", at.line, at.column, severity, message));
  };
  Report report = reportOf(text);
  for (const Finding &finding : report.findings) {
    add(finding.at, finding.severity == Severity::Error ? "error" : "warning",
        fmt::format("{} [{}]", finding.message, labelOf(report.source, finding.rule)));
    for (const Diagnostic &note : finding.notes)
      add(note.at, "note", note.message);
  }
  return lines;
}
/// The message's first line without the file.
inline std::string firstLine(const std::string &text) {
  std::string message = messageOf(text);
  message = message.substr(0, message.find('\n'));
  return message.starts_with("net.json:") ? message.substr(9) : message;
}
/// The text has one error, `message`, where `at` (a part of the text) begins.
inline void expectError(const std::string &text, const std::string &at, const std::string &message) {
  size_t offset = text.find(at);
  ASSERT_NE(offset, std::string::npos) << at;
  int line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(offset), '\n'));
  size_t start = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  EXPECT_EQ(firstLine(text), fmt::format("{}:{}: error: {}", line, offset - start + 1, message)) << text;
  EXPECT_EQ(reportOf(text).errors, 1u) << messageOf(text);
}
} // namespace sn::frontend::test
