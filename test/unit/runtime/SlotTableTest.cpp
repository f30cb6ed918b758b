#include "runtime/hal/cpu/SlotTable.h"
#include "runtime/base/DynamicLibrary.h"
#include "runtime/hal/Device.h"
#include "runtime/hal/cpu/OneDnn.h"
#include "runtime/plan/Error.h"
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

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
  EXPECT_NE(load(archiveWith({"x86-64-v2"}), {"sn_test_gone"}).find("'sn_test_gone'"), std::string::npos);
  EXPECT_NE(load(archiveWith({}), {}).find("no compiled slots"), std::string::npos);
  EXPECT_NE(load(archiveWith({"x86-64-v2"}), {}, "x86-64-v3").find("x86-64-v3"), std::string::npos);
  EXPECT_NE(load(archiveWith({"x86-64-v2"}), {}, "sparc").find("unknown instruction set level 'sparc'"),
            std::string::npos);
  plan::Archive damaged;
  damaged.entries["cpu/x86-64-v2.so"] = objectBytes().substr(0, 100);
  EXPECT_NE(load(damaged, {}).find("cannot be loaded"), std::string::npos);
  EXPECT_NE(messageOf([] { SlotTable().find("sn_other"); }).find("'sn_other'"), std::string::npos);
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
  EXPECT_NE(messageOf([&] { device->prepare({}, step, nullptr, {}, {}); }).find("'conv'"), std::string::npos);
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

TEST(DynamicLibrary, SaysWhyItCannotOpen) {
  std::string reason;
  EXPECT_EQ(rt::DynamicLibrary::open("libsn-does-not-exist.so.1", reason), nullptr);
  EXPECT_NE(reason.find("libsn-does-not-exist"), std::string::npos);
}
} // namespace sn::test
