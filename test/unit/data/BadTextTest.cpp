// Text that cannot be imported: what is wrong is said with file, line and column, and no file appears.
#include "runtime/data/Import.h"
#include "test/unit/data/Support.h"

namespace sn::rt {
namespace {
using namespace test;

class BadText : public ::testing::Test {
protected:
  ImportResult run(std::string_view text, ImportOptions options = {}) {
    writeFile(folder / "in.txt", text);
    options.source = folder / "in.txt";
    options.output = folder / "out.h5";
    return importText(options);
  }
  /// What import says of a text; nothing may be left behind.
  std::string refused(std::string_view text, ImportOptions options = {}) {
    std::string said = errorOf([&] { run(text, options); });
    EXPECT_EQ(folder.files(), (std::vector<std::string>{"in.txt"}));
    EXPECT_NE(said.find("in.txt"), std::string::npos) << said;
    return said;
  }
  std::vector<std::string> columns() const {
    return listOf(*DataFile::open(folder / "out.h5").load("input")->columnNames);
  }
  Folder folder;
};
#define EXPECT_SAYS(said, part) EXPECT_NE((said).find(part), std::string::npos) << (said)

TEST_F(BadText, FilesThatAreNoText) {
  struct Case {
    std::string_view text;
    const char *says;
  };
  using namespace std::string_view_literals;
  for (const Case &c :
       {Case{"", "is empty"}, Case{"\n\r\n\n", "is empty"}, Case{"\xEF\xBB\xBF", "is empty"},
        Case{"\xFF\xFEu\0 \0i\0"sv, "is UTF-16 text; import reads UTF-8"},
        Case{"\xFE\xFF\0u\0 \0i"sv, "is UTF-16 text"}, Case{"\x89HDF\r\n", "is an HDF5 file; import reads text"},
        Case{"PK\x03\x04", "is a ZIP archive; unpack it first"},
        Case{"u i\0 j\n"sv, "is a binary file; import reads text"},
        Case{"u i j\rv i j\r", "end in carriage returns alone, as on old Macs"},
        Case{"\x1F\x8B\x08rubbish", "is a damaged or truncated gzip file"}})
    EXPECT_SAYS(refused(c.text), c.says);
  for (const char *format : {"csv", "lines", "dsstne", "libsvm"})
    EXPECT_SAYS(refused("", {.format = format}), "is empty");
  EXPECT_SAYS(refused("user,item,rating\n"), "has no entries to import");
  EXPECT_SAYS(refused("userId\n", {.format = "csv"}), "do not split into columns");
  EXPECT_SAYS(refused("one\ntwo\n"), "cannot tell its format from its first lines; name it with --format");
  EXPECT_USER_ERROR(importText({.source = folder / "", .output = folder / "out.h5"}), "is a folder; import reads one");
  EXPECT_USER_ERROR(importText({.source = folder / "none", .output = folder / "out.h5"}), "none: cannot be read");
  EXPECT_USER_ERROR(importText({.source = "/dev/null", .output = folder / "out.h5"}), "/dev/null: is empty");
}

TEST_F(BadText, BytesThatAreNotUtf8) {
  std::string lines;
  for (int i = 0; i < 3000; ++i) // beyond what the beginning of the file shows
    lines += fmt::format("user{} item{} item{}\n", i, i % 7, i % 11);
  struct Case {
    std::string_view name;
    const char *says;
  };
  using namespace std::string_view_literals;
  for (const Case &c : {Case{"caf\xE9"sv, ":3001:6: the byte 0xE9 is not UTF-8; convert the file"},
                        Case{"\xC0\xAF"sv, ":3001:3: the byte 0xC0 is not UTF-8"},          // overlong
                        Case{"a\xE0\x80\xAF"sv, ":3001:4: the byte 0xE0 is not UTF-8"},     // overlong
                        Case{"a\xED\xA0\x80"sv, ":3001:4: the byte 0xED is not UTF-8"},     // a surrogate
                        Case{"a\xF4\x90\x80\x80"sv, ":3001:4: the byte 0xF4 is not UTF-8"}, // beyond Unicode
                        Case{"\x80"sv, ":3001:3: the byte 0x80 is not UTF-8"},
                        Case{"\xE2\x82"sv, ":3001:3: the byte 0xE2 is not UTF-8"}, // cut off
                        Case{"ab\0c"sv, ":3001:5: a zero byte, which no text holds"}})
    EXPECT_SAYS(refused(lines + "u " + std::string(c.name) + "\n"), c.says);
  run("u caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8E\xAC abcdefgh\xC3\xBC\n");
  EXPECT_EQ(columns(),
            (std::vector<std::string>{"caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8E\xAC", "abcdefgh\xC3\xBC"}));
}

TEST_F(BadText, GiganticFields) {
  std::string longest(65535, 'x');
  EXPECT_SAYS(refused("u i " + longest + "x\n"), ":1:5: a field of 65536 bytes; at most 65535 are taken");
  run("u i " + longest + "\n");
  EXPECT_EQ(columns(), (std::vector<std::string>{"i", longest}));
}

TEST_F(BadText, CsvFields) {
  std::string head = "user,item,rating\n";
  for (int i = 0; i < 60; ++i)
    head += fmt::format("u{},i{},3\n", i, i % 7);
  struct Case {
    const char *line, *says;
  };
  for (const Case &c :
       {Case{"u", ":62: 1 columns instead of 3"}, Case{"u,Toy Story, The,5", ":62: 4 columns instead of 3"},
        Case{"u,\"Toy Story,5", ":62: a quote is not closed on the same line"},
        Case{",i,5", ":62:1: the user is empty"}, Case{"u,,5", ":62:3: the item is empty"},
        Case{"u,i,", ":62:5: \"\" is not a finite number"}, Case{"u,i,nan", ":62:5: \"nan\" is not a finite number"},
        Case{"u,i,-inf", ":62:5: \"-inf\" is not a finite number"},
        Case{"u,i,1e39", ":62:5: \"1e39\" is not a finite number"},
        Case{"u,i,1e999", ":62:5: \"1e999\" is not a finite number"},
        Case{"u,i,0x10", ":62:5: \"0x10\" is not a finite number"},
        Case{"u,i,\"5 \"", ":62: \"5 \" is not a finite number"},
        Case{"u,i,threethreethreethreethreethreethreethree and a half",
             "\"threethreethreethreethreethreethreethree...\" is not"}}) {
    std::string said = refused(head + c.line + "\n", {.values = true});
    EXPECT_SAYS(said, c.says);
    EXPECT_SAYS(said, "1 of 61 records cannot be read as csv");
  }
  run(head + "\"u,v\",\"say \"\"hi\"\"\",3e38\r\n", {.values = true});
  EXPECT_EQ(columns().back(), "say \"hi\"");
}

TEST_F(BadText, LibSvmNumbers) {
  for (auto [token, says] :
       {std::pair("2:nan", ":1:7: \"2:nan\" is not number:value with a column number below 2147483647"),
        {"2147483647:1", "\"2147483647:1\" is not number:value"},
        {"-1:1", "\"-1:1\" is not number:value"},
        {"2:1e39", "\"2:1e39\" is not number:value"},
        {"2147483646:1", "column numbers reach 2147483646, with only 2 entries in all"}})
    EXPECT_SAYS(refused(fmt::format("1 1:1 {}\n", token), {.format = "libsvm"}), says);
  EXPECT_SAYS(refused("5 4000000000 3\n1 1:1\n", {.format = "libsvm"}), "at most 2147483647 columns are supported");
}

TEST_F(BadText, RepeatedEntriesThatOverflow) {
  EXPECT_USER_ERROR(run("u\tx,3e38:y,1\nv\tx,1:y,1\n" + std::string("w\tz,3e38:z,3e38\n"), {.values = true}),
                    "repeated entries of column 'z' add up to inf");
}

TEST_F(BadText, OptionsThatContradictEachOther) {
  writeFile(folder / "in.txt", "u i j\n");
  ImportOptions good{.source = folder / "in.txt", .output = folder / "out.h5"};
  auto with = [&](auto change) {
    ImportOptions options = good;
    change(options);
    return errorOf([&] { importText(options); });
  };
  EXPECT_SAYS(with([](auto &o) { o.format = "xml"; }), "--format xml: is not a format; there are lines");
  EXPECT_SAYS(with([](auto &o) { o.mostRejects = "few"; }), "--max-rejects few: should be a number of records");
  EXPECT_SAYS(with([](auto &o) { o.alignRows = true; }), "--align-rows needs --vocabulary");
  for (auto change : {+[](ImportOptions &o) { o.holdOut = .5; }, +[](ImportOptions &o) { o.test = o.source; }})
    EXPECT_SAYS(with(change), "--test and --hold-out need --test-output: the file for what is kept back");
  EXPECT_SAYS(with([&](auto &o) { o.testOutput = folder / "t.h5"; }),
              "--test-output needs --test (a second source) or --hold-out (a share of the first)");
  EXPECT_SAYS(with([&](auto &o) { o.testOutput = folder / "t.h5", o.test = o.source, o.holdOut = .5; }),
              "--test and --hold-out exclude each other: both fill --test-output");
  EXPECT_SAYS(with([](auto &o) { o.vocabulary = "v.h5", o.featureIndex = "index"; }),
              "--vocabulary and --feature-index exclude each other: both fix the columns");
  EXPECT_SAYS(with([&](auto &o) { o.output = o.source, o.force = true; }), "would overwrite what is read");
  EXPECT_SAYS(with([&](auto &o) { o.output = folder / "./in.txt", o.force = true; }), "would overwrite what is read");
  EXPECT_SAYS(with([&](auto &o) { o.featureIndex = folder / "in.txt", o.output = o.featureIndex, o.force = true; }),
              "would overwrite what is read");
  EXPECT_SAYS(with([&](auto &o) { o.holdOut = .5, o.testOutput = o.output; }), "is both --output and --test-output");
  EXPECT_SAYS(with([&](auto &o) { o.values = true; }), "lines of items carry no values for --values or --min-value");
  EXPECT_SAYS(with([&](auto &o) { o.columns.user = "1"; }), "--user, --item and --value name columns of csv");
  EXPECT_EQ(folder.files(), (std::vector<std::string>{"in.txt"}));
  EXPECT_EQ(contentOf(folder / "in.txt"), "u i j\n");
}

TEST_F(BadText, NamesThatAreMissing) {
  EXPECT_SAYS(refused("u\t:i:,3:j\n", {.format = "dsstne"}), ":1:6: a feature without a name");
  const std::string csv = "user,item,rating\na,x,1\nb,y,2\n";
  for (const CsvColumns &columns : {CsvColumns{.user = "film"}, {.item = "4"}, {.value = "0"}})
    EXPECT_SAYS(refused(csv, {.columns = columns}), "there is no such column; the columns are user, item, rating");
  EXPECT_SAYS(refused("one\ntwo\n"), "with --format lines, --format dsstne, --format csv, --format libsvm");
}

TEST_F(BadText, VocabulariesWithoutNames) {
  DataSet data = binary(3, {{0}, {2}});
  auto known = [&](const char *name) {
    DataFileWriter writer(folder / name, false);
    writer.write("input", data);
    writer.commit();
    return folder / name;
  };
  writeFile(folder / "in.txt", "u a b\n");
  ImportOptions options{.source = folder / "in.txt", .output = folder / "out.h5"};
  options.vocabulary = known("none.h5");
  EXPECT_USER_ERROR(importText(options), "none.h5: input: has no column_names to import with");
  data.columnNames = names({"a", "b", "c"});
  options.vocabulary = known("columns.h5");
  options.alignRows = true;
  EXPECT_USER_ERROR(importText(options), "columns.h5: input: has no row_names to align rows with");
  options.alignRows = false;
  EXPECT_EQ(importText(options).files.at(0).columns, 3);
}

TEST_F(BadText, FeatureIndexes) {
  struct Case {
    const char *text, *says;
  };
  for (const Case &c : {Case{"a\t0\nb 2\n", "index:2: should be a label, a TAB and a number from 0"},
                        Case{"a\t-1\n", "index:1: should be a label, a TAB and a number from 0"},
                        Case{"\t1\n", "index:1: should be a label, a TAB and a number from 0"},
                        Case{"a\t0\nb\t1152\n", "index: the largest number is 1152, but there are only 2 labels"},
                        Case{"a\t0\na\t1\n", "index:2: the label \"a\" stands there twice"}}) {
    writeFile(folder / "index", c.text);
    EXPECT_USER_ERROR(readFeatureIndex(folder / "index"), c.says);
  }
  writeFile(folder / "index", "a\t0\nb\t1151\n");
  EXPECT_EQ(readFeatureIndex(folder / "index").size(), 1152);
}
} // namespace
} // namespace sn::rt
