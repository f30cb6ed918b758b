#include "runtime/hal/cpu/SlotTable.h"
#include "runtime/base/DynamicLibrary.h"
#include "runtime/hal/Device.h"
#include "runtime/hal/cpu/OneDnn.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace sn::test {
namespace {
using rt::cpu::SlotTable;

std::string objectBytes() {
  std::ifstream file(SN_TEST_SLOTS, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}
plan::Archive archiveWith(const std::vector<std::string> &levels) {
  plan::Archive archive;
  for (const std::string &level : levels)
    archive.entries["cpu/" + level + ".so"] = objectBytes();
  return archive;
}
plan::Plan planWith(const std::vector<std::string> &slots) {
  plan::Plan plan;
  for (const std::string &slot : slots)
    plan.functions.push_back({slot, 1, 1, 0, false});
  return plan;
}
template <typename Call> std::string messageOf(Call call) {
  try {
    call();
  } catch (const UserError &error) {
    return error.what();
  }
  return "no error";
}
} // namespace

TEST(SlotTable, LoadsSlotsFromThePlan) {
  SlotTable table = SlotTable::fromArchive(archiveWith({"x86-64-v2"}), planWith({"sn_test_double", "sn_test_sum"}), "");
  EXPECT_EQ(table.level(), "x86-64-v2");
  float x[3] = {1, 2, 3}, y[3];
  const float *in[] = {x};
  float *out[] = {y};
  double sum = 10;
  table.find("sn_test_double")(3, in, out, nullptr, nullptr);
  EXPECT_EQ(y[2], 6);
  table.find("sn_test_sum")(3, in, nullptr, nullptr, &sum);
  EXPECT_EQ(sum, 16);
}

TEST(SlotTable, TheRichestLevelThatRunsIsTaken) {
  std::string best;
  for (const char *level : plan::kCpuLevels)
    if (rt::cpu::machineRuns(level))
      best = level;
  EXPECT_EQ(SlotTable::fromArchive(archiveWith({"x86-64-v2", "x86-64-v3", "x86-64-v4"}), planWith({}), "").level(),
            best);
  EXPECT_EQ(SlotTable::fromArchive(archiveWith({"x86-64-v2", best}), planWith({}), "x86-64-v2").level(), "x86-64-v2");
  EXPECT_EQ(SlotTable().level(), best);
}

TEST(SlotTable, WhatIsMissingIsNamed) {
  auto load = [](const plan::Archive &archive, std::vector<std::string> slots, const std::string &level = "") {
    return messageOf([&] { SlotTable::fromArchive(archive, planWith(slots), level); });
  };
  EXPECT_NE(load(archiveWith({"x86-64-v2"}), {"sn_test_gone"}).find("has no slot 'sn_test_gone': the plan is damaged"),
            std::string::npos);
  EXPECT_NE(load(archiveWith({}), {})
                .find("the plan holds no compiled slots for this machine (cpu/x86-64-v2.so, -v3 or -v4)"),
            std::string::npos);
  EXPECT_NE(load(archiveWith({"x86-64-v2"}), {}, "x86-64-v3").find("x86-64-v3"), std::string::npos);
  EXPECT_NE(load(archiveWith({"x86-64-v2"}), {}, "sparc").find("unknown instruction set level 'sparc'"),
            std::string::npos);
  plan::Archive damaged;
  damaged.entries["cpu/x86-64-v2.so"] = objectBytes().substr(0, 100);
  EXPECT_NE(load(damaged, {}).find("the plan's cpu/x86-64-v2.so cannot be loaded: "), std::string::npos);
  EXPECT_NE(messageOf([] {
              SlotTable().find("sn_other");
            }).find("the plan uses the slot 'sn_other', which is not among its functions"),
            std::string::npos);
}

TEST(SlotTable, ALevelBeyondTheMachineIsRefused) {
  const char *const *beyond = std::find_if_not(std::begin(plan::kCpuLevels), std::end(plan::kCpuLevels),
                                               [](const char *level) { return rt::cpu::machineRuns(level); });
  if (beyond == std::end(plan::kCpuLevels))
    GTEST_SKIP() << "this machine runs every level";
  EXPECT_EQ(messageOf([&] { SlotTable table{*beyond}; }), std::string("this machine does not run code for ") + *beyond);
}

TEST(CpuDevice, DescribesItselfAndHoldsMemory) {
  auto device = rt::makeCpuDevice(archiveWith({"x86-64-v2"}), planWith({"sn_test_double"}), 2);
  EXPECT_EQ(device->description(), "CPU, 2 threads, x86-64-v2");
  float *memory = device->allocate(100);
  std::vector<float> back(100, 1), values(100, 3);
  device->download(back.data(), memory, 100);
  EXPECT_EQ(back, std::vector<float>(100, 0));
  device->upload(memory, values.data(), 100);
  device->download(back.data(), memory, 100);
  EXPECT_EQ(back, values);
}

TEST(CpuDevice, AnUnknownSchemaIsNamed) {
  auto device = rt::makeCpuDevice(archiveWith({"x86-64-v2"}), planWith({}), 1);
  plan::Step step;
  step.kernel = "conv";
  EXPECT_NE(messageOf([&] {
              device->prepare({}, step, nullptr, {}, {});
            }).find("needs the kernel schema 'conv', which the CPU device does not have"),
            std::string::npos);
}

TEST(OneDnn, MultipliesRowMajor) {
  rt::cpu::Contraction product = rt::cpu::openOneDnn();
  rt::cpu::makeProductsSingleThreaded();
  float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 2, 1, 0, 1}, c[4] = {9, 9, 9, 9};
  product('N', 'N', 2, 2, 3, 1, a, 3, b, 2, 0, c, 2);
  EXPECT_EQ(std::vector<float>(c, c + 4), (std::vector<float>{5, 5, 14, 11}));
  product('N', 'T', 2, 2, 3, 2, a, 3, a, 3, 1, c, 2);
  EXPECT_EQ(std::vector<float>(c, c + 4), (std::vector<float>{33, 69, 78, 165}));
  product('N', 'N', 2, 2, 0, 1, a, 3, b, 2, 0, c, 2); // an empty sum
  EXPECT_EQ(std::vector<float>(c, c + 4), (std::vector<float>{0, 0, 0, 0}));
  EXPECT_THROW(product('N', 'N', 2, 2, 3, 1, a, 1, b, 2, 0, c, 2), std::logic_error); // a stride below the width
}

// oneDNN is opened once in a program's life: another run of this program finds something else under its name.
class BadOneDnn : public testing::Test {
protected:
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("sn-no-onednn-" + std::to_string(::getpid()));
  std::string library = (folder / "libdnnl.so.2").string();
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string outputWithLibrary() const {
    const std::string output = (folder / "output").string(), self = std::filesystem::read_symlink("/proc/self/exe");
    EXPECT_NE(std::system(("LD_LIBRARY_PATH='" + folder.string() + "' '" + self +
                           "' --gtest_filter=OneDnn.MultipliesRowMajor >'" + output + "' 2>&1")
                              .c_str()),
              0);
    std::stringstream text;
    text << std::ifstream(output).rdbuf();
    return text.str();
  }
};

TEST_F(BadOneDnn, NoLibraryAtAll) {
  std::ofstream(library) << "not a library";
  std::string said = outputWithLibrary();
  EXPECT_NE(said.find("the CPU device needs oneDNN for matrix products, and libdnnl.so.2 cannot be opened ("),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("): install libdnnl2"), std::string::npos) << said;
}

TEST_F(BadOneDnn, AnotherLibrary) {
  std::filesystem::create_symlink(SN_TEST_SLOTS, library);
  std::string said = outputWithLibrary();
  EXPECT_NE(said.find("libdnnl.so.2 has no dnnl_sgemm: install libdnnl2 (oneDNN 2.x built with OpenMP)"),
            std::string::npos)
      << said;
}

TEST(DynamicLibrary, SaysWhyItCannotOpen) {
  std::string reason;
  EXPECT_EQ(rt::DynamicLibrary::open("libsn-does-not-exist.so.1", reason), nullptr);
  EXPECT_NE(reason.find("libsn-does-not-exist"), std::string::npos);
}
} // namespace sn::test
