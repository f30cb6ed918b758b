#include "compiler/Frontend/Json.h"
#include "test/unit/frontend/Support.h"
#include <algorithm>

namespace sn::frontend::test {
namespace {
Value parse(const std::string &text) { return parseJson({"net.json", text}); }
void expectAt(Position at, int line, int column) {
  EXPECT_EQ(at.line, line);
  EXPECT_EQ(at.column, column);
}
} // namespace

TEST(Json, EveryKeyAndValueKnowsItsPlace) {
  Value root =
      parse("{ \"a\": 1/*x*/, // b: 2\n \"b\" : [1,2 ,-3.5e1],\r\n\t\"c\":{\"d\":true,\"e\":\"x\\\"y\"},\"f\":null}");
  expectAt(root.at, 1, 1);
  ASSERT_EQ(root.members.size(), 4u);
  expectAt(root.members[0].at, 1, 3);
  expectAt(root.members[0].value.at, 1, 8);
  const Member &b = root.members[1];
  expectAt(b.at, 2, 2);
  expectAt(b.value.at, 2, 8);
  ASSERT_EQ(b.value.items.size(), 3u);
  expectAt(b.value.items[1].at, 2, 11);
  expectAt(b.value.items[2].at, 2, 14);
  EXPECT_EQ(b.value.items[2].number, -35);
  EXPECT_EQ(b.value.items[2].form, kNumber);
  const Member &c = root.members[2];
  expectAt(c.at, 3, 2);
  expectAt(c.value.members[1].value.at, 3, 20);
  EXPECT_EQ(c.value.members[1].value.text, "x\"y");
  EXPECT_EQ(c.value.members[0].value.form, kBoolean);
  EXPECT_EQ(root.members[3].value.form, kNull);
}

TEST(Json, CommentsStandAnywhereBetweenTokens) {
  Value root = parse("// first\n/* {\n */ {\"a\"/*:*/:/**/7//\n}// last");
  expectAt(root.at, 3, 5);
  expectAt(root.members[0].value.at, 3, 19);
  EXPECT_EQ(root.members[0].value.number, 7);
}

TEST(Json, CommentMarksInStringsAreText) {
  Value root = parse(R"({"a":"/*","b":"//"})");
  EXPECT_EQ(root.members[0].value.text, "/*");
  expectAt(root.members[1].value.at, 1, 15);
}

TEST(Json, ByteOrderMarkIsSkipped) { expectAt(parse("\xEF\xBB\xBF{}").at, 1, 4); }

TEST(Json, RepeatedKeysAreKeptInOrder) {
  Value root = parse(R"({"a":1,"a":2})");
  ASSERT_EQ(root.members.size(), 2u);
  EXPECT_EQ(root.members[1].value.number, 2);
}

TEST(Json, WhatIsNotJsonIsPlaced) {
  expectError(R"({"a": 1 "b": 2})", "\"b\"", "unexpected string literal; expected ',' or '}' [net_1]");
  expectError("{\"a\":1,}", "}", "unexpected '}' after a comma; remove the comma [net_1]");
  expectError("{\"a\":[1,]}", "]", "unexpected ']'; expected a value [net_1]");
  expectError("{\"a\":[1,,2]}", ",2", "unexpected ','; expected a value [net_1]");
  expectError("{\"a\":[1 2]}", "2", "unexpected number literal; expected ',' or ']' [net_1]");
  expectError("{\"a\" 1}", "1", "unexpected number literal; expected ':' [net_1]");
  expectError("{'a':1}", "'a'", "invalid literal; expected a key in double quotes [net_1]");
  expectError("{\"a\":\n tru}", "tru", "invalid literal [net_1]");
  expectError("{\"a\":1} {}", "{}", "unexpected '{'; expected end of input [net_1]");
  expectError("{\"a\":1e999}", "1e999", "no number is this large: they end at 1.8e308 [net_1]");
  expectError("{\"a\":\"\\q\"}", "q", "invalid string: forbidden character after backslash [net_1]");
  EXPECT_EQ(firstLine("{\"a\":1,"), "1:8: error: unexpected end of input; expected a key in double quotes [net_1]");
  EXPECT_EQ(firstLine("{\"a\":\n"), "1:6: error: unexpected end of input; expected a value [net_1]");
  for (const char *blank : {"", " \n\t\r\n ", "\xEF\xBB\xBF", "\xEF\xBB\xBF\n"})
    EXPECT_EQ(firstLine(blank), "1:1: error: the file is empty; a network is one JSON object [net_1]");
  EXPECT_EQ(firstLine("{ /* x"), "1:6: error: invalid comment; missing closing '*/' [net_1]");
}

TEST(Json, DepthIsLimited) {
  std::string deep(100000, '[');
  EXPECT_EQ(firstLine(deep), "1:65: error: nested more than 64 deep: this is no network [net_1]");
  EXPECT_NO_THROW(parse(std::string(64, '[') + std::string(64, ']')));
}

} // namespace sn::frontend::test
