// The located tree, from nlohmann's SAX parser. The parser reports a token once it has read it; where the token began
// follows from where the previous one ended: only blanks, comments, commas and colons lie between.
#include "compiler/Frontend/Json.h"
#include "compiler/Frontend/Spelling.h"
#include <algorithm>
#include <cmath>
#include <iterator>

namespace sn::frontend {
namespace {
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Tells how far the parser has read.
class CountingIterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char *;
  using reference = const char &;
  CountingIterator(const char *begin, const char *at, size_t *consumed) : begin(begin), at(at), consumed(consumed) {}
  reference operator*() const { return *at; }
  CountingIterator &operator++() {
    *consumed = static_cast<size_t>(++at - begin);
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator &other) const { return at == other.at; }

private:
  const char *begin, *at;
  size_t *consumed;
};

/// The number itself, or the next one above that a double can hold: limits refuse what would be rounded down to them.
double notBelow(uint64_t value) {
  double number = static_cast<double>(value);
  bool below = number < 0x1p64 && static_cast<uint64_t>(number) < value;
  return below ? std::nextafter(number, 0x1p65) : number;
}

Value ofForm(Form form, double number = 0) {
  Value value;
  value.form = form;
  value.number = number;
  return value;
}

class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
public:
  TreeBuilder(const SourceText &source, const size_t &consumed) : source(source), consumed(consumed) {}
  Value take() { return std::move(root); }

  bool null() override { return scalar(ofForm(kNull)); }
  bool boolean(bool truth) override { return scalar(ofForm(kBoolean, truth)); }
  bool number_integer(number_integer_t value) override { return numeric(ofForm(kInteger, static_cast<double>(value))); }
  bool number_unsigned(number_unsigned_t value) override { return numeric(ofForm(kInteger, notBelow(value))); }
  bool number_float(number_float_t value, const string_t &) override { return numeric(ofForm(kNumber, value)); }
  bool string(string_t &text) override {
    Value value = ofForm(kText);
    value.text = text;
    return scalar(std::move(value));
  }
  bool binary(binary_t &) override { throw std::logic_error("binary value in JSON text"); }
  bool start_object(std::size_t) override { return open(kObject); }
  bool start_array(std::size_t) override { return open(kArray); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t &name) override {
    nesting.back()->members.push_back({name, position(tokenStart()), {}});
    end = consumed;
    return true;
  }
  bool parse_error(std::size_t, const std::string &, const nlohmann::detail::exception &error) override;

private:
  const SourceText &source;
  const size_t &consumed;
  size_t end = 0;     // of the token before
  size_t counted = 0; // `line` and `lineStart` hold at this offset
  int line = 1;
  size_t lineStart = 0;
  Value root;
  std::vector<Value *> nesting;

  size_t tokenStart() const;
  size_t skipComment(size_t offset) const;
  Position position(size_t offset);
  std::vector<Diagnostic> waiting(std::string_view message) const;
  Value &place(Value value);
  bool scalar(Value value) {
    value.at = position(tokenStart());
    place(std::move(value));
    end = consumed;
    return true;
  }
  // The parser has read one character too many to see that a number ends.
  bool numeric(Value value) {
    size_t start = tokenStart();
    value.at = position(start);
    place(std::move(value));
    end = std::min(source.text.find_first_not_of("+-.0123456789eE", start), source.text.size());
    return true;
  }
  bool open(Form form) {
    Value value = ofForm(form);
    value.at = position(tokenStart());
    if (nesting.size() == kMaxDepth)
      fail(source, Rule::File, value.at, fmt::format("nested more than {} deep: this is no network", kMaxDepth));
    nesting.push_back(&place(std::move(value)));
    end = consumed;
    return true;
  }
  bool close() {
    nesting.pop_back();
    end = consumed;
    return true;
  }
};

size_t TreeBuilder::skipComment(size_t offset) const {
  bool toLineEnd = source.text[offset + 1] == '/';
  size_t close = source.text.find(toLineEnd ? "\n" : "*/", offset + 2);
  return close == std::string::npos ? source.text.size() : close + (toLineEnd ? 1 : 2);
}

size_t TreeBuilder::tokenStart() const {
  const std::string &text = source.text;
  size_t offset = end == 0 && text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : end;
  while (offset < text.size()) {
    char c = text[offset];
    bool comment = c == '/' && offset + 1 < text.size() && (text[offset + 1] == '/' || text[offset + 1] == '*');
    if (comment)
      offset = skipComment(offset);
    else if (std::string_view(" \t\r\n,:").find(c) != std::string_view::npos)
      ++offset;
    else
      break;
  }
  return offset;
}

Position TreeBuilder::position(size_t offset) {
  if (offset < counted)
    counted = 0, line = 1, lineStart = 0;
  for (; counted < offset; ++counted)
    if (source.text[counted] == '\n')
      ++line, lineStart = counted + 1;
  return {line, static_cast<int>(offset - lineStart) + 1};
}

Value &TreeBuilder::place(Value value) {
  if (nesting.empty())
    return root = std::move(value);
  Value &parent = *nesting.back();
  if (parent.form == kArray)
    return parent.items.emplace_back(std::move(value));
  return parent.members.back().value = std::move(value);
}

constexpr std::string_view kUnclosedString = "this string does not end on its line";

// The parser's own words without its prefix and its quotation of what it read: the line is shown anyway.
std::string plainWords(std::string message) {
  for (std::string_view prefix : {"] ", ": "})
    if (prefix == "] " || message.starts_with("parse error"))
      if (size_t at = message.find(prefix); at != std::string::npos)
        message = message.substr(at + prefix.size());
  size_t read = message.find("; last read: '");
  if (read != std::string::npos) {
    size_t after = message.find("'; expected ", read + 14);
    message = message.substr(0, read) + (after == std::string::npos ? "" : message.substr(after + 1));
  }
  if (message.starts_with("syntax error while parsing "))
    if (size_t dash = message.find(" - "); dash != std::string::npos)
      message = message.substr(dash + 3);
  if (message.starts_with("number overflow"))
    return "no number is this large: they end at 1.8e308";
  if (message.find("missing closing quote") != std::string::npos || message.find("U+000A (LF)") != std::string::npos ||
      message.find("U+000D (CR)") != std::string::npos)
    return std::string(kUnclosedString);
  if (message.starts_with("invalid string") || message.starts_with("invalid comment"))
    message = message.substr(0, message.find("; expected "));
  for (auto [theirs, ours] : {std::pair("expected '}'", "expected ',' or '}'"),
                              {"expected ']'", "expected ',' or ']'"},
                              {"expected '[', '{', or a literal", "expected a value"},
                              {"expected string literal", "expected a key in double quotes"}})
    if (message.ends_with(theirs))
      message.replace(message.size() - std::string_view(theirs).size(), std::string::npos, ours);
  return message;
}

// A missing bracket is noticed far from where it would have to stand, so the bracket that waits for it is pointed at.
std::vector<Diagnostic> TreeBuilder::waiting(std::string_view message) const {
  bool cutShort = message.starts_with("unexpected end of input");
  bool otherBracket = message.starts_with("unexpected '}'; expected ',' or ']'") ||
                      message.starts_with("unexpected ']'; expected ',' or '}'");
  if (nesting.empty() || !(cutShort || otherBracket))
    return {};
  char bracket = nesting.back()->form == kObject ? '{' : '[';
  return {{nesting.back()->at, fmt::format("this '{}' is not closed", bracket)}};
}

bool TreeBuilder::parse_error(std::size_t, const std::string &, const nlohmann::detail::exception &error) {
  std::string message = plainWords(error.what());
  bool punctuation = message.starts_with("unexpected ','") || message.starts_with("unexpected ':'");
  bool wholeToken = message.starts_with("unexpected") || message.starts_with("no number") ||
                    message.starts_with("invalid literal") || message == kUnclosedString;
  size_t offset = wholeToken && !punctuation ? tokenStart() : consumed > 0 ? consumed - 1 : 0;
  if (message.starts_with("unexpected end of input")) // behind the last thing there is
    offset = source.text.find_last_not_of(" \t\r\n") + 1;
  if (message.starts_with("unexpected '}'; expected a key"))
    message = "unexpected '}' after a comma; remove the comma";
  fail(source, Rule::File, position(offset), message, waiting(message));
}

Position positionOf(std::string_view text, size_t offset) {
  std::string_view before = text.substr(0, offset);
  size_t lineStart = before.rfind('\n') + 1; // npos + 1 = 0
  return {1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
          static_cast<int>(offset - lineStart) + 1};
}

// The parser takes a NUL byte for the end, and reads over what is wrong inside comments.
void requireText(const SourceText &source) {
  std::string_view text = source.text;
  if (text.find_first_not_of(" \t\r\n", text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0) ==
      std::string_view::npos)
    fail(source, Rule::File, {}, "the file is empty; a network is one JSON object");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    fail(source, Rule::File, {}, "the file is UTF-16; save it as UTF-8");
  for (size_t offset = 0; offset < text.size();) {
    size_t length = utf8Length(text.substr(offset, 4));
    if (length == 0 || text[offset] == '\0')
      fail(source, Rule::File, positionOf(text, offset),
           fmt::format("byte 0x{:02x} has no place in text; a network is JSON, saved as UTF-8",
                       static_cast<unsigned char>(text[offset])));
    offset += length;
  }
}
} // namespace

Value parseJson(const SourceText &source) {
  requireText(source);
  size_t consumed = 0;
  TreeBuilder builder(source, consumed);
  const char *begin = source.text.data();
  CountingIterator first(begin, begin, &consumed), last(begin, begin + source.text.size(), &consumed);
  nlohmann::json::sax_parse(first, last, &builder, nlohmann::json::input_format_t::json, true, true);
  return builder.take();
}
} // namespace sn::frontend
