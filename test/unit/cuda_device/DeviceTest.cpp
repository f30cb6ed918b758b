#include "runtime/exec/Needs.h"
#include "runtime/hal/OwnMemory.h"
#include "runtime/plan/CudaManifest.h"
#include "runtime/plan/Error.h"
#include "test/unit/cuda_device/Fixture.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::test {
namespace {
using rt::cuda::makeCudaDevice;

/// The machine is as in `settings` while this lives.
struct Machine {
  explicit Machine(const emulator::DriverSettings &settings) { emulator::configure(settings); }
  ~Machine() { emulator::configure({}); }
};
std::string refusalOn(const emulator::DriverSettings &settings, int ordinal = 0) {
  Machine machine(settings);
  return refusal([&] { makeCudaDevice(autoencoder().archive, emulator::driverApi(), compiler(), ordinal); });
}
/// The archive with its list of kernels changed.
plan::Archive changed(const std::function<void(plan::CudaManifest &)> &change) {
  plan::Archive archive = autoencoder().archive;
  std::string &text = archive.entries.at(plan::kCudaManifest);
  auto manifest = nlohmann::json::parse(text).get<plan::CudaManifest>();
  change(manifest);
  text = nlohmann::json(manifest).dump();
  return archive;
}
/// What prepares the entry "evaluate" of the autoencoder from this archive.
void prepare(const plan::Archive &archive, std::unique_ptr<rt::Device> device) {
  const auto data = tastes(20, 30);
  rt::Session session(archive, autoencoder().plan, std::move(device), 1);
  const rt::Binding binding = bindingOf(data, data);
  rt::Model model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &binding, nullptr),
                  session.workers());
  rt::EntryRun run(model, "evaluate", binding, 10, nullptr);
  const std::vector<int64_t> ids = {1, 2, 3};
  model.initialize(1);
  const rt::BatchSums sums =
      run.run({3, ids.data(), 1, 0}, rt::stepScalars(rt::settle(session.plan(), {}), 1, 1, 1, 3));
  EXPECT_TRUE(std::isfinite(sums.reports.begin()->second));
}
void prepare(const plan::Archive &archive, std::shared_ptr<rt::cuda::KernelCompiler> kernels) {
  prepare(archive, makeCudaDevice(archive, emulator::driverApi(), std::move(kernels)));
}
std::string prepareRefusal(const plan::Archive &archive) {
  return refusal([&] { prepare(archive, compiler()); });
}

TEST(CudaMachine, WithoutADevice) {
  EXPECT_HAS(refusalOn({.devices = 0}), "the NVIDIA driver sees no device (CUDA_VISIBLE_DEVICES hides those");
  EXPECT_HAS(refusalOn({.started = 100}), "the NVIDIA driver sees no device");
}
TEST(CudaMachine, WithoutADriverThatStarts) {
  const std::string said = refusalOn({.started = 803});
  EXPECT_HAS(said, "--device cuda: the NVIDIA driver does not start: ");
  EXPECT_HAS(said, "803");
  EXPECT_HAS(said, "--device cpu runs here");
}
TEST(CudaMachine, WithoutThatDevice) {
  EXPECT_HAS(refusalOn({}, 1), "--device cuda:1: there is 1 CUDA device here, numbered from 0");
  EXPECT_HAS(refusalOn({.devices = 2}, 2), "--device cuda:2: there are 2 CUDA devices here");
}
TEST(CudaMachine, OfAnOldGeneration) {
  EXPECT_HAS(refusalOn({.major = 7, .minor = 0}),
             "Emulated GPU has compute capability 7.0; 7.5 (Turing) or later is needed, or --device cpu");
}
TEST(CudaMachine, IsDescribed) {
  Machine machine({.devices = 2, .major = 8, .minor = 6, .memory = size_t(1) << 30});
  auto device = makeCudaDevice(autoencoder().archive, emulator::driverApi(), compiler(), 1);
  EXPECT_EQ(device->description(), "CUDA device 1: Emulated GPU, compute capability 8.6, 1.0 GiB");
  const rt::Rates rates = device->measureRates();
  EXPECT_GT(rates.flops, 0);
  EXPECT_GT(rates.bytes, 0);
}

TEST(CudaMemory, IsZeroedCopiedAndReleased) {
  emulator::configure({});
  {
    auto device = emulated(autoencoder().archive);
    float *memory = device->allocate(1000);
    std::vector<float> values(1000, 7);
    device->download(values.data(), memory, 1000);
    EXPECT_EQ(values, std::vector<float>(1000, 0));
    const std::vector<float> some = {1, 2, 3};
    device->upload(memory, 10, some.data(), 3);
    device->download(values.data(), memory, 9, 5);
    EXPECT_EQ(std::vector<float>(values.begin(), values.begin() + 5), (std::vector<float>{0, 1, 2, 3, 0}));
    EXPECT_NE(device->allocate(0), nullptr);
  }
  EXPECT_EQ(emulator::driverCounters().allocations, 0);
  EXPECT_EQ(emulator::lastFault(), "");
}

TEST(CudaMemory, ThatDoesNotSuffice) {
  Machine machine({.memory = size_t(64) << 20});
  auto device = emulated(autoencoder().archive);
  device->allocate(4 << 20);
  EXPECT_EQ(dynamic_cast<rt::OwnMemory &>(*device).freeMemory(), 48 << 20);
  const std::string said = refusal([&] { device->allocate(16 << 20); });
  EXPECT_HAS(said, "64.0 MiB (67108864 bytes) of memory were asked for, and of the 64.0 MiB of Emulated GPU only "
                   "48.0 MiB are free");
  EXPECT_HAS(said, "a smaller --batch, an optimizer with fewer states, a smaller network or --device cpu would help");
}

TEST(CudaMemory, ForDataIsTakenOnce) {
  emulator::configure({});
  auto device = emulated(autoencoder().archive);
  const auto set = tastes(30, 20);
  const rt::DataView view = rt::viewOf(*set, 25), placed = device->place(view);
  const int64_t before = emulator::driverCounters().allocations;
  const rt::DataView again = device->place(rt::viewOf(*set, 20)), same = device->place(placed);
  EXPECT_EQ(emulator::driverCounters().allocations, before);
  EXPECT_EQ(again.indptr, placed.indptr);
  EXPECT_EQ(again.indices, placed.indices);
  EXPECT_EQ(same.indptr, placed.indptr);
  EXPECT_EQ(placed.columns, 25);
  EXPECT_EQ(again.columns, 20);
  EXPECT_EQ(placed.values, nullptr); // binary
  std::vector<float> indices(set->indices.size());
  device->download(indices.data(), reinterpret_cast<const float *>(placed.indices),
                   static_cast<int64_t>(indices.size()));
  EXPECT_EQ(std::memcmp(indices.data(), set->indices.data(), indices.size() * sizeof(float)), 0);

  rt::DataSet empty; // analog without entries is not binary
  empty.loader = rt::Loader::CsrAnalog;
  empty.rows = 2;
  empty.columns = 3;
  empty.indptr = {0, 0, 0};
  EXPECT_NE(device->place(rt::viewOf(empty, 3)).values, nullptr);
}

TEST(CudaPlan, WithoutKernels) {
  plan::Archive archive = autoencoder().archive;
  archive.entries.erase(plan::kCudaManifest);
  EXPECT_HAS(prepareRefusal(archive), "the plan holds no CUDA kernels; compile its network again with this version");
  archive = changed([](plan::CudaManifest &manifest) { manifest.entries.erase("evaluate"); });
  EXPECT_HAS(prepareRefusal(archive),
             "the plan holds no CUDA kernels for its entry 'evaluate'; `snc explain` says why");
}
TEST(CudaPlan, OfAnotherVersion) {
  EXPECT_HAS(prepareRefusal(changed([](plan::CudaManifest &manifest) { manifest.abi += 1; })),
             "compile the network again with the snc that came with it");
}
TEST(CudaPlan, ThatIsDamaged) {
  plan::Archive archive = autoencoder().archive;
  archive.entries.at(plan::kCudaManifest) = "{";
  EXPECT_HAS(prepareRefusal(archive), "the list of the plan's CUDA kernels (cuda/manifest.json) is damaged");
  archive = changed([](plan::CudaManifest &manifest) { manifest.entries.at("evaluate").pop_back(); });
  EXPECT_HAS(prepareRefusal(archive), "the plan is damaged: its entry 'evaluate' has");
  archive = changed([](plan::CudaManifest &manifest) { manifest.names.clear(); });
  EXPECT_HAS(prepareRefusal(archive), "the plan is damaged: its CUDA kernel '");
  std::string kernel;
  archive = changed([&](plan::CudaManifest &manifest) { kernel = manifest.entries.at("evaluate").front().front(); });
  archive.entries.erase(plan::kCudaKernels + kernel + ".cu");
  EXPECT_HAS(prepareRefusal(archive), "the text of its CUDA kernel '" + kernel + "' is missing");
}

/// The emulated driver whose launches fail as on a broken machine.
const rt::cuda::DriverApi &failingDriver() {
  static rt::cuda::DriverApi api = emulator::driverApi();
  api.launchKernel = [](rt::cuda::FunctionHandle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                        rt::cuda::StreamHandle, void **, void **) { return 214; };
  return api;
}
TEST(CudaMachine, ThatBreaksDown) {
  const std::string said = refusal([] {
    auto device = makeCudaDevice(autoencoder().archive, failingDriver(), compiler());
    prepare(autoencoder().archive, std::move(device));
  });
  EXPECT_HAS(said, "--device cuda: launching a kernel failed: ");
  EXPECT_HAS(said, "214");
}
TEST(CudaMachine, WithLittleSharedMemory) {
  Machine machine({.sharedOptin = 16});
  const auto data = tastes(20, 30);
  Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "sgd", .batch = 8});
  const std::string said = refusal([&] { rt::Trainer(job.model, job.settings, job.binding); });
  EXPECT_HAS(said,
             "the plan's CUDA kernels for its entry 'train' do not run on Emulated GPU (compute capability 9.0, 16 "
             "bytes of shared memory for each block); --device cpu runs them");
}

const std::shared_ptr<rt::cuda::KernelCompiler> noCompiler;

/// Compiles and keeps what it compiled as images.
class Recording final : public rt::cuda::KernelCompiler {
public:
  std::vector<std::pair<rt::cuda::Unit, rt::cuda::Compiled>> made;
  std::vector<rt::cuda::Compiled> compile(const std::vector<rt::cuda::Unit> &units, const rt::cuda::Headers &headers,
                                          const std::string &architecture) override {
    EXPECT_EQ(architecture, "sm_90a");
    std::vector<rt::cuda::Compiled> result = compiler()->compile(units, headers, architecture);
    for (size_t i = 0; i < units.size(); ++i)
      made.emplace_back(units[i], result[i]);
    return result;
  }
};
/// The archive with images of all kernels that the entry "evaluate" takes on sparse data.
plan::Archive withImages(const std::string &architecture) {
  auto recording = std::make_shared<Recording>();
  prepare(autoencoder().archive, recording);
  std::map<std::string, std::string> entries;
  plan::Archive archive = changed([&](plan::CudaManifest &manifest) {
    for (const auto &[unit, compiled] : recording->made) {
      std::string kernel = plan::kCudaCommon, loader = unit.name == kernel ? "" : "NoData";
      for (const auto &[id, name] : manifest.names)
        if (unit.name == name)
          kernel = id;
      for (const char *one : {"Csr", "CsrStoredOnly", "Dense"})
        if (unit.kernels.front().find("cuda::" + std::string(one) + ",") != std::string::npos)
          loader = one;
      const std::string entry = "cuda/" + architecture + "/" + std::to_string(entries.size());
      entries[entry] = compiled.image;
      manifest.images.push_back({kernel, architecture, loader, "", entry, compiled.names, {}});
    }
  });
  archive.entries.insert(entries.begin(), entries.end());
  return archive;
}

TEST(CudaPlan, ImagesMadeAheadNeedNoCompiler) {
  prepare(withImages("sm_90a"), noCompiler);
  prepare(withImages("compute_75"), noCompiler);
  plan::Archive archive = withImages("sm_90a");
  auto manifest = nlohmann::json::parse(archive.entries.at(plan::kCudaManifest)).get<plan::CudaManifest>();
  archive.entries.erase(manifest.images.back().entry);
  EXPECT_HAS(refusal([&] { prepare(archive, noCompiler); }), "of a CUDA kernel is missing");
}
/// NVRTC on a machine that has none.
class Unavailable final : public rt::cuda::KernelCompiler {
public:
  std::vector<rt::cuda::Compiled> compile(const std::vector<rt::cuda::Unit> &, const rt::cuda::Headers &,
                                          const std::string &) override {
    userError("it was looked for in vain");
  }
};
TEST(CudaPlan, ACompilerThatCannotBeOpened) {
  const plan::Archive portable = withImages("compute_75");
  prepare(portable, std::make_shared<Unavailable>());
  EXPECT_HAS(refusal([] { prepare(autoencoder().archive, std::make_shared<Unavailable>()); }),
             "and it cannot be compiled here: it was looked for in vain. snc compile --arch sm_90a");
}

TEST(CudaForecast, CountsWhatLiesOnTheDevice) {
  Machine machine({});
  const auto data = tastes(60, 50);
  Job job(autoencoder(), true, bindingOf(data, data), {.optimizer = "adam", .batch = 32});
  rt::Outline outline{job.binding, {}, 1000, 500};
  for (const char *name : {"input", "output"})
    outline.shapes[name] = {.rows = 60, .columns = 50, .entries = data->entries(), .bytes = 500};
  rt::Forecast forecast(job.session->plan(), job.session->device(), job.model.symbols());
  forecast.setProgram(7 << 20);
  forecast.add("train", outline);
  const rt::Needs all = forecast.needs(32, job.settings.optimizer);
  forecast.setShare(rt::MemoryShare::Device);
  const rt::Needs device = forecast.needs(32, job.settings.optimizer);
  forecast.setShare(rt::MemoryShare::Host);
  const rt::Needs host = forecast.needs(32, job.settings.optimizer);
  EXPECT_EQ(device.parameters, job.model.parameterBytes());
  EXPECT_EQ(device.states, job.model.stateBytes());
  EXPECT_EQ(device.program + device.passing, 0);
  EXPECT_GT(device.workspace, 0);
  EXPECT_EQ(host.parameters + host.states + host.buffers, 0);
  EXPECT_EQ(host.program, 7 << 20);
  EXPECT_EQ(host.data, 1000);
  EXPECT_EQ(device.data, 1000);
  EXPECT_EQ(host.workspace + device.workspace, all.workspace);
  EXPECT_EQ(device.buffers, all.buffers);
}

TEST(CudaPlan, WithoutImagesNeedsACompiler) {
  EXPECT_HAS(refusal([&] { prepare(withImages("sm_80"), noCompiler); }),
             "for Emulated GPU (compute capability 9.0) and it cannot be compiled here: there is no compiler of "
             "kernels. snc compile --arch sm_90a puts images into the plan");
}
} // namespace
} // namespace sn::test
