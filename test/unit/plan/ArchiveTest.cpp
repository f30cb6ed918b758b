#include "runtime/plan/Archive.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/ZipMemory.h"
#include "test/unit/plan/SmallPlan.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace sn::plan {
namespace {
namespace fs = std::filesystem;

class ArchiveTest : public testing::Test {
protected:
  fs::path folder = fs::temp_directory_path() / ("sn-archive-" + std::to_string(::getpid()));
  std::string path = (folder / "net.plan").string();
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }

  static std::string bytesOf(const std::string &name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void put(const std::string &name, const std::string &bytes) { std::ofstream(name, std::ios::binary) << bytes; }
  template <typename F> static std::string refusal(F call) {
    try {
      call();
    } catch (const UserError &error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(ArchiveTest, RoundTripAndEqualBytes) {
  Archive archive{{{"plan.json", "{}"}, {"cpu/x86-64-v3.so", std::string(100000, '\0') + "code"}, {"empty", ""}}};
  writeArchive(archive, path, false);
  EXPECT_EQ(readArchive(path).entries, archive.entries);
  writeArchive(archive, path + "2", false);
  EXPECT_EQ(bytesOf(path), bytesOf(path + "2"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 2) << "no temporary file stays behind";
}

TEST_F(ArchiveTest, IsAZipFileAnyoneCanRead) {
  writeArchive({{{"plan.json", "{\"a\": 1}"}}}, path, false);
  std::string out = path + ".txt";
  ASSERT_EQ(std::system(("python3 -c \"import "
                         "zipfile,sys;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),z.read('plan.json').decode(),"
                         "z.infolist()[0].date_time[:3],'manifest.json' in z.namelist())\" '" +
                         path + "' > '" + out + "'")
                            .c_str()),
            0);
  EXPECT_EQ(bytesOf(out), "None {\"a\": 1} (1980, 1, 1) True\n");
}

TEST_F(ArchiveTest, NothingIsOverwrittenWithoutForce) {
  writeArchive({{{"plan.json", "1"}}}, path, false);
  EXPECT_NE(refusal([&] {
              writeArchive({{{"plan.json", "2"}}}, path, false);
            }).find("'" + path + "' exists and is not overwritten; give another name or --force"),
            std::string::npos);
  EXPECT_EQ(readArchive(path).entries.at("plan.json"), "1");
  writeArchive({{{"plan.json", "2"}}}, path, true);
  EXPECT_EQ(readArchive(path).entries.at("plan.json"), "2");
}

TEST_F(ArchiveTest, EveryFlippedByteIsRefused) {
  writeArchive({{{"plan.json", "{\"schema\": 1}"}, {"net.mlir", "module {}"}}}, path, false);
  std::string bytes = bytesOf(path);
  ASSERT_GT(bytes.size(), 300u);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  auto set = [&](size_t at, int value) { file.seekp(std::streamoff(at)).put(static_cast<char>(value)).flush(); };
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) { // each bit, and all of them
      set(i, bytes[i] ^ flip);
      std::string said = refusal([&] { readArchive(path); });
      ASSERT_NE(said.find(path), std::string::npos) << "byte " << i << " by " << flip;
    }
    set(i, bytes[i]);
  }
  EXPECT_EQ(refusal([&] { readArchive(path); }), "");
}

TEST_F(ArchiveTest, EveryTruncationIsRefused) {
  writeArchive({{{"plan.json", "{\"schema\": 1}"}}}, path, false);
  std::string bytes = bytesOf(path), other = path + ".bad";
  for (size_t size = 0; size < bytes.size(); ++size) {
    put(other, bytes.substr(0, size));
    ASSERT_NE(refusal([&] { readArchive(other); }), "") << size;
  }
  put(other, bytes + "x");
  EXPECT_NE(refusal([&] { readArchive(other); }), "");
}

TEST_F(ArchiveTest, MissingAndForeignFiles) {
  EXPECT_NE(refusal([&] { readArchive(path); }).find("cannot open the plan '" + path), std::string::npos);
  EXPECT_NE(refusal([&] { readArchive(folder.string()); }).find("is a folder"), std::string::npos);
  for (auto [bytes, says] : {std::pair("\x89HDF\r\n", "is no plan but an HDF5 file, as data and weights are"),
                             {"{\"Version\": 0.7}", "looks like a network's JSON. Compile it: snc compile"},
                             {"\xEF\xBB\xBF{}", "looks like a network's JSON"},
                             {"user,item\n", "is no plan (or its beginning is damaged)"},
                             {"PK", "is damaged or truncated (its checksum does not match)"},
                             {"", "is empty and no plan"}}) {
    put(path, bytes);
    std::string said = refusal([&] { readArchive(path); });
    EXPECT_NE(said.find(says), std::string::npos) << said;
    EXPECT_NE(said.find(path), std::string::npos) << said;
  }
  for (const char *device : {"/dev/null", "/dev/zero"}) {
    EXPECT_NE(refusal([&] { readArchive(device); }).find("' is a device or a pipe; a plan file written by"),
              std::string::npos);
    EXPECT_NE(refusal([&] { writeArchive({}, device, true); }).find("it is a folder, a device or a pipe"),
              std::string::npos);
  }
  EXPECT_NE(refusal([&] { writeArchive({}, (folder / "no/such/x.plan").string(), false); }).find("cannot write"),
            std::string::npos);
}

TEST_F(ArchiveTest, AFileThatCannotBeRead) {
  const std::string speed = "/sys/class/net/lo/speed"; // a regular file; the loopback device has no speed to read
  if (!std::ifstream(speed) || std::ifstream(speed).get() != EOF)
    GTEST_SKIP() << "no " << speed;
  EXPECT_NE(refusal([&] { readArchive(speed); }).find("cannot read the plan '" + speed + "': "), std::string::npos);
}

TEST_F(ArchiveTest, RightChecksumWrongContent) { // as a program other than snc writes it
  auto sealed = [](std::string body) { return body + sha256Hex(body); };
  const std::string comment = "snc plan; SHA-256 of all bytes before it: ";
  auto zipped = [&](const std::map<std::string, std::string> &entries) {
    std::string bytes = zipEntries(entries, comment + std::string(64, '0'));
    return sealed(bytes.substr(0, bytes.size() - 64));
  };
  for (const std::string &bytes : {sealed("PK, but no archive; " + comment), zipped({{"plan.json", "{}"}})}) {
    put(path, bytes);
    EXPECT_EQ(refusal([&] { readArchive(path); }),
              "'" + path + "' is no plan; a file written by 'snc compile' is expected");
  }
  put(path, zipped({{"plan.json", "{}"}, {"manifest.json", "{\"entries\": {}}\n"}}));
  EXPECT_EQ(refusal([&] { readArchive(path); }),
            "the plan '" + path + "' does not hold what its manifest lists; compile it anew");
}

TEST_F(ArchiveTest, ReadPlanChecks) {
  nlohmann::json document = test::smallPlan();
  auto read = [&] { return refusal([&] { readPlan({{{"plan.json", document.dump()}}}, "n.plan"); }); };
  EXPECT_EQ(read(), "");
  document["parameters"][0]["layout"] = "diagonal";
  EXPECT_EQ(read(), "the plan 'n.plan' is inconsistent: parameter 'Input->Hidden/weights' has layout 'diagonal'; "
                    "\"rows\" or \"columns\" is expected");
  document["parameters"][1]["layout"] = "diagonal";
  EXPECT_NE(read().find("(and 1 more problems)"), std::string::npos) << read();
  document["parameters"][0].erase("layout");
  EXPECT_NE(read().find("'n.plan': plan.parameters[0]: the field 'layout' is missing"), std::string::npos);
  document = test::smallPlan();
  document["parameters"][0]["out"] = int64_t(1) << 31;
  EXPECT_NE(read().find("has the extent 2147483648; at most 2147483647 are supported"), std::string::npos) << read();
  document["schema"] = 5;
  document["novelty"] = "unknown to us";
  EXPECT_NE(read().find("'n.plan' has plan schema 5"), std::string::npos);
  EXPECT_NE(refusal([&] {
              readPlan({{{"plan.json", "{"}}}, "n.plan");
            }).find("'n.plan': plan.json cannot be read: "),
            std::string::npos);
  EXPECT_NE(
      refusal([&] { readPlan({}, "n.plan"); }).find("'n.plan' holds no plan.json; a file written by 'snc compile'"),
      std::string::npos);
}

TEST_F(ArchiveTest, NamesThatAreNoUtf8) { // as damage makes them
  Archive archive{{{"\xff", "content"}}};
  writeArchive(archive, path, false);
  EXPECT_EQ(readArchive(path).entries, archive.entries);
}

TEST_F(ArchiveTest, DeepNestingIsRefused) {
  std::string text = nlohmann::json(test::smallPlan()).dump(), alpha = "\"alpha\":[\"div\",";
  ASSERT_NE(text.find(alpha), std::string::npos);
  std::string deep;
  for (int i = 0; i < 200000; ++i)
    deep += "[\"neg\",";
  text.replace(text.find(alpha), 0, "\"deep\":" + deep + "1" + std::string(200000, ']') + ",");
  EXPECT_NE(refusal([&] {
              readPlan({{{"plan.json", text}}}, "n.plan");
            }).find("'n.plan': plan.json is nested more than 100 levels deep"),
            std::string::npos);
}

TEST(Sha256, KnownDigest) { // FIPS 180-2, appendix B.1
  EXPECT_EQ(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
} // namespace
} // namespace sn::plan
