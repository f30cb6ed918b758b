// What a run needs, predicted and measured: sizes by hand, equality with what model and device report, refusals.
#include "runtime/exec/Needs.h"
#include "test/unit/exec/Networks.h"
#include <fstream>
#include <gtest/gtest.h>

namespace sn {
namespace {
using namespace sn::test;

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

/// A data file of an autoencoder: `output` is `input`.
std::string dataFile(const Folder &folder, int64_t rows, int64_t columns) {
  const std::string path = folder("data" + std::to_string(columns) + ".h5");
  rt::DataFileWriter writer(path, false);
  writer.write("input", *tastes(rows, columns, 1));
  writer.link("input", "output");
  writer.commit();
  return path;
}

/// A forecast of training the two-layer plan.
struct Planned {
  Planned(const std::string &path, int64_t hidden, int threads)
      : session(sessionOf(twoLayerPlan(hidden), threads)), file(rt::DataFile::open(path)),
        outline(rt::outlineData(session->plan(), {"input", "output"}, file, {})),
        symbols(rt::resolveSymbols(session->plan(), &outline.binding, nullptr)),
        forecast(session->plan(), session->device(), symbols) {
    forecast.add("train", outline);
  }
  const plan::Optimizer *optimizer(const std::string &name) const {
    for (const plan::Optimizer &one : session->plan().optimizers)
      if (one.name == name)
        return &one;
    return nullptr;
  }
  std::unique_ptr<rt::Session> session;
  rt::DataFile file;
  rt::Outline outline;
  rt::SymbolValues symbols;
  rt::Forecast forecast;
};

TEST(Needs, EqualWhatModelAndDeviceReport) {
  Folder folder;
  const std::string path = dataFile(folder, 300, 900);
  for (const auto &[batch, threads] : {std::pair(64, 1), std::pair(300, 2), std::pair(1000, 3)}) {
    Planned planned(path, 24, threads);
    const plan::Optimizer *adam = planned.optimizer("Adam");
    const rt::Needs needs = planned.forecast.needs(batch, adam);
    rt::Memory nowhere;
    for (const plan::Buffer &buffer : planned.session->entry("train").buffers)
      nowhere.buffers[buffer.name] = nullptr;
    for (const plan::Parameter &parameter : planned.session->plan().parameters) {
      nowhere.parameters[parameter.name] = nullptr;
      nowhere.states[parameter.name] = {nullptr, nullptr};
    }
    const rt::Extents extents{planned.symbols, std::min(batch, 300)};
    for (const char *name : {"input", "output"})
      nowhere.data[name] = rt::boundView(planned.session->plan(), planned.outline.binding, name, extents);
    const rt::WorkspaceNeed workspace = planned.session->device().workspaceNeed(
        planned.session->plan(), planned.session->entry("train"), adam, nowhere, extents);

    rt::Binding data = rt::bindData(planned.session->plan(), {"input", "output"}, planned.file, {});
    rt::Model model(planned.session->plan(), planned.session->device(), planned.symbols, planned.session->workers());
    model.allocateStates(*adam);
    rt::EntryRun run(model, "train", data, std::min<int64_t>(batch, data.rows), adam);
    EXPECT_EQ(needs.parameters, model.parameterBytes());
    EXPECT_EQ(needs.states, model.stateBytes());
    EXPECT_EQ(needs.buffers, model.arenaBytes());
    EXPECT_EQ(needs.data, data.bytes());
    EXPECT_EQ(workspace.prepared, planned.session->device().workspaceBytes()) << batch;
    EXPECT_GE(needs.workspace, workspace.prepared + workspace.running);
  }
}

TEST(Needs, AreLinearInTheOutputs) {
  Folder folder;
  const std::string one = dataFile(folder, 100, 4000), two = dataFile(folder, 100, 8000);
  Planned narrow(one, 16, 2), wide(two, 16, 2);
  const rt::Needs a = narrow.forecast.needs(32, narrow.optimizer("Adam")),
                  b = wide.forecast.needs(32, wide.optimizer("Adam"));
  // [in x 16] + [16] + [16 x out] + [out], floats.
  EXPECT_EQ(a.parameters, 4 * (4000 * 16 + 16 + 16 * 4000 + 4000));
  EXPECT_EQ(b.parameters - 4 * 16, 2 * (a.parameters - 4 * 16));
  EXPECT_EQ(b.states, 2 * b.parameters);
  EXPECT_EQ(a.buffers, b.buffers);
  EXPECT_LT(b.workspace, 2 * a.workspace);
  EXPECT_EQ(wide.forecast.needs(32, wide.optimizer("SGD")).states, 0);
  EXPECT_GT(wide.forecast.needs(64, wide.optimizer("SGD")).buffers, b.buffers);
}

TEST(Needs, KindsAsTextAndJson) {
  rt::Needs needs{.parameters = 1 << 20, .data = 3 << 20, .program = 1 << 19};
  EXPECT_EQ(rt::describe(needs), "4.5 MiB: 1.0 MiB parameters, 3.0 MiB data, 512.0 KiB program");
  nlohmann::json json = needs;
  EXPECT_EQ(json["total"], 9 << 19);
  EXPECT_EQ(json["states"], 0);
}

TEST(Needs, OutlinesAreWhatLoadingGives) {
  Folder folder;
  const std::string path = folder("kinds.h5");
  auto names = std::make_shared<const rt::Names>(rt::Names{"aaaa", "bbbb", "cccc"});
  rt::DataSet binary = *sparse(3, {{0, 2}, {}, {1}}), analog = binary, dense;
  analog.loader = rt::Loader::CsrAnalog;
  analog.values = {1, 2, 3};
  binary.columnNames = names;
  dense.loader = rt::Loader::Dense;
  dense.rows = 3;
  dense.columns = 5;
  dense.values.assign(15, 1);
  rt::DataSet indexed = *sparse(3, {{0, 2}, {}, {1}});
  indexed.index = {0, 2, 2, 0, 1, 0};
  indexed.rows = 6;
  rt::DataFileWriter writer(path, false);
  writer.write("indexed", indexed);
  writer.write("binary", binary);
  writer.write("analog", analog);
  writer.write("dense", dense);
  writer.commit();
  rt::DataFile file = rt::DataFile::open(path);
  for (const auto &[name, bytes] : {std::pair("binary", 4 * 8 + 3 * 4 + 3 * (4 + 8)),
                                    std::pair("analog", 4 * 8 + 3 * 8), std::pair("dense", 15 * 4)}) {
    const rt::DataShape shape = file.describe(name);
    auto loaded = file.load(name);
    EXPECT_EQ(shape.loader, loaded->loader) << name;
    EXPECT_EQ(shape.rows, loaded->rows) << name;
    EXPECT_EQ(shape.columns, loaded->columns) << name;
    EXPECT_EQ(shape.entries, loaded->entries()) << name;
    EXPECT_EQ(shape.bytes, bytes) << name;
  }
  EXPECT_EQ(file.describe("indexed").rows, 6);
  EXPECT_EQ(file.describe("indexed").entries, 6) << "one in each row on average, of six examples";
  EXPECT_EQ(file.describe("indexed").bytes, 4 * 8 + 3 * 4 + 6 * 4);
  EXPECT_HAS(refusal([&] { file.describe("other"); }), "has no data set \"other\"");
}

TEST(Needs, ADataSetWithoutAShapeIsRefused) {
  Folder folder;
  const std::string path = folder("shapeless.h5");
  {
    rt::h5::File file = rt::h5::File::create(path, path);
    file.createGroup("input");
    file.setAttribute("input", "encoding-type", std::string("csr_matrix"));
    file.close();
  }
  EXPECT_HAS(refusal([&] { rt::DataFile::open(path).describe("input"); }),
             "input: has no attribute shape = [rows, columns] or no array indices");
}

TEST(Needs, ShortagesSayWhatWouldHelp) {
  Folder folder;
  Planned planned(dataFile(folder, 600, 6000), 32, 2);
  rt::Settings settings;
  settings.batch = 512;
  settings.optimizer = planned.optimizer("Adam");
  const rt::Forecast &forecast = planned.forecast;
  const int64_t total = forecast.needs(512, settings.optimizer).total(),
                smaller = forecast.needs(100, settings.optimizer).total(),
                least = forecast.needs(1, planned.optimizer("SGD")).total();
  auto shortage = [&](int64_t room) {
    return rt::shortage(forecast, settings, settings.optimizer, {room, "--memory-limit allows"}, "training");
  };
  EXPECT_EQ(shortage(total), "");
  EXPECT_HAS(shortage(total - 1), "1 bytes) too little");
  EXPECT_HAS(shortage(total - 1), "training needs about " + rt::formatBytes(total) +
                                      " of memory and --memory-limit allows " + rt::formatBytes(total - 1));
  EXPECT_HAS(shortage(smaller), "--batch 100 is the largest that fits");
  EXPECT_HAS(shortage(forecast.needs(512, planned.optimizer("SGD")).total()), "--optimizer SGD fits with");
  EXPECT_HAS(shortage(least), "--optimizer SGD with --batch 1 fits");
  EXPECT_HAS(shortage(least - 1),
             "a smaller batch or another optimizer is not enough: with a batch of 1 it still needs");
  rt::Forecast idle(planned.session->plan(), planned.session->device(), planned.symbols);
  EXPECT_HAS(rt::shortage(idle, settings, nullptr, {1, "this machine has free"}, "writing untrained weights"),
             "What would help: smaller hidden layers or a machine with more memory");
}

TEST(Needs, TimeFollowsRatesAndRows) {
  Folder folder;
  Planned planned(dataFile(folder, 640, 3000), 32, 1);
  rt::Settings settings = rt::settle(planned.session->plan(), {});
  settings.batch = 64;
  const double slow = planned.forecast.seconds("train", settings, {1e9, 1e9});
  EXPECT_GT(slow, 640 * 3000 * 32 * 6 / 1e9); // three products of the wide layer
  EXPECT_NEAR(planned.forecast.seconds("train", settings, {2e9, 2e9}), slow / 2, slow * 1e-9);
  EXPECT_EQ(planned.forecast.seconds("evaluate", settings, {1e9, 1e9}), 0) << "not among the runs";
  const rt::Rates rates = planned.session->device().measureRates();
  EXPECT_GT(rates.flops, 1e8);
  EXPECT_GT(rates.bytes, 1e7);
}

TEST(Memory, AmountsAreRead) {
  for (const auto &[text, bytes] : std::map<std::string, int64_t>{{"24GiB", int64_t(24) << 30},
                                                                  {"8G", int64_t(8) << 30},
                                                                  {"500MiB", int64_t(500) << 20},
                                                                  {"1.5M", 3 << 19},
                                                                  {"2GB", 2000000000},
                                                                  {"10 KiB", 10240},
                                                                  {"4096", 4096},
                                                                  {"7B", 7}})
    EXPECT_EQ(rt::parseBytes(text, "--memory-limit"), bytes) << text;
  for (const char *text : {"", "GiB", "12X", "-1", "0", "1e400", "5 5", "8GiBs", "0.1", "inf", "99999999TiB"})
    EXPECT_HAS(refusal([&] { rt::parseBytes(text, "--memory-limit"); }), "an amount of memory is expected, as in 24GiB")
        << text;
  EXPECT_HAS(refusal([&] { rt::parseBytes("12X", "--memory-limit"); }), "--memory-limit 12X: ");
}

TEST(Memory, RoomIsTheLeastOfMachineAndGroups) {
  Folder folder;
  auto write = [&](const std::string &name, const std::string &text) {
    std::filesystem::create_directories((folder.path / name).parent_path());
    std::ofstream(folder.path / name) << text;
  };
  auto room = [&] { return rt::memoryRoom(0, folder("proc"), folder("cgroup")); };
  write("proc/self/status", "Name:\tsnrt\nVmRSS:\t    1024 kB\n");
  EXPECT_EQ(room().bytes, INT64_MAX) << "a system that tells nothing";
  write("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable:    8192 kB\n");
  EXPECT_EQ(room().bytes, 9 << 20);
  EXPECT_EQ(room().source, "this machine has free");

  write("proc/self/cgroup", "0::/a/b\n"); // version 2; the group above it limits
  write("cgroup/a/b/memory.max", "max\n");
  write("cgroup/a/memory.high", "7340032\n");
  write("cgroup/a/memory.current", "4194304\n");
  write("cgroup/a/memory.stat", "anon 1\ninactive_file 1048576\n");
  EXPECT_EQ(room().bytes, (1 + 7 - 4 + 1) << 20);
  EXPECT_EQ(room().source, "the control group allows");

  write("proc/self/cgroup", "9:cpu:/x\n4:cpuset,memory:/c\n"); // version 1
  write("cgroup/memory/c/memory.limit_in_bytes", "3145728\n");
  write("cgroup/memory/c/memory.usage_in_bytes", "1048576\n");
  write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(room().bytes, 3 << 20);
  write("cgroup/memory/c/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(room().bytes, 9 << 20);
  EXPECT_EQ(rt::memoryRoom(77, folder("proc"), folder("cgroup")).bytes, 77);
  EXPECT_GT(rt::residentBytes(), 1 << 20);
}
} // namespace
} // namespace sn
