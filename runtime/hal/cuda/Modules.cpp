#include "runtime/hal/cuda/Modules.h"
#include "kernels-templates/cuda/abi.cuh"
#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/plan/Error.h"
#include <algorithm>

namespace sn::rt::cuda {
namespace {
constexpr std::string_view kFolder = "cuda/";

plan::CudaManifest manifestOf(const std::map<std::string, std::string> &texts) {
  auto found = texts.find(plan::kCudaManifest);
  if (found == texts.end())
    userError("the plan holds no CUDA kernels; compile its network again with this version of snc, or take --device "
              "cpu");
  plan::CudaManifest manifest;
  try {
    manifest = nlohmann::json::parse(found->second).get<plan::CudaManifest>();
  } catch (const nlohmann::json::exception &problem) {
    userError("the list of the plan's CUDA kernels ({}) is damaged: {}", plan::kCudaManifest, problem.what());
  }
  if (manifest.abi != sn::cuda::kAbiVersion)
    userError("the plan's CUDA kernels are of version {} and this snrt runs version {}; compile the network again with "
              "the snc that came with it",
              manifest.abi, sn::cuda::kAbiVersion);
  return manifest;
}
} // namespace

Modules::Modules(const plan::Archive &archive, const Context &context, std::shared_ptr<KernelCompiler> compiler)
    : context(context), compiler(std::move(compiler)) {
  for (auto entry = archive.entries.lower_bound(std::string(kFolder));
       entry != archive.entries.end() && entry->first.compare(0, kFolder.size(), kFolder) == 0; ++entry)
    texts.insert(*entry);
  manifest = manifestOf(texts);
  const std::string include = plan::kCudaInclude;
  for (const auto &[name, text] : texts)
    if (name.compare(0, include.size(), include) == 0)
      headers[name.substr(include.size())] = text;
}

Modules::~Modules() {
  for (const auto &[hash, module] : modules)
    context.driver.moduleUnload(module);
}

std::vector<std::string> Modules::kernelsOf(const std::string &entry, size_t steps) const {
  auto found = manifest.entries.find(entry);
  if (found == manifest.entries.end())
    userError("the plan holds no CUDA kernels for its entry '{}'; `snc explain` says why in its remarks. --device cpu "
              "runs it",
              entry);
  if (found->second.size() != steps)
    userError("the plan is damaged: its entry '{}' has {} steps and {} CUDA kernels", entry, steps,
              found->second.size());
  const int shared = context.attribute(Attribute::MaxSharedMemoryPerBlockOptin);
  std::vector<std::string> chosen;
  for (const std::vector<std::string> &kernels : found->second) {
    std::vector<std::string> running;
    for (const std::string &kernel : kernels)
      if (runsOn(manifest, kernel, context.major() * 10 + context.minor(), shared))
        running.push_back(kernel);
    if (running.empty())
      userError("the plan's CUDA kernels for its entry '{}' do not run on {} (compute capability {}.{}, {} "
                "bytes of shared memory for each block); --device cpu "
                "runs them",
                entry, context.name(), context.major(), context.minor(), shared);
    // The best; where it can neither be loaded nor compiled, the best that can be loaded.
    const auto ready = std::find_if(running.begin(), running.end(), [this](const std::string &kernel) {
      return hasImage(kernel, &ImageSelection::cubin) || canCompile() || hasImage(kernel, &ImageSelection::ptx);
    });
    chosen.push_back(ready == running.end() ? running.front() : *ready);
  }
  return chosen;
}

bool Modules::hasImage(const std::string &kernel, const plan::CudaImage *ImageSelection::*kind) const {
  return std::any_of(manifest.images.begin(), manifest.images.end(), [&](const plan::CudaImage &image) {
    return image.kernel == kernel &&
           selectImage(manifest, context.major(), context.minor(), kernel, image.loader, image.optimizer).*kind !=
               nullptr;
  });
}
bool Modules::canCompile() const {
  if (!compiles) {
    compiles = compiler != nullptr;
    try {
      if (compiler)
        compiler->compile({}, headers, deviceArchitecture(context.major(), context.minor()));
    } catch (const UserError &) { // it cannot be opened; whoever needs it is told why
      compiles = false;
    }
  }
  return *compiles;
}

const Variant *Modules::variantOf(const std::string &kernel) const { return cuda::variantOf(manifest, kernel); }

const std::string &Modules::nameOf(const std::string &kernel) const {
  auto found = manifest.names.find(kernel);
  if (found == manifest.names.end())
    userError("the plan is damaged: its CUDA kernel '{}' has no name", kernel);
  return found->second;
}

void Modules::load(const std::vector<KernelUse> &uses) {
  // Several steps may share a kernel: what is missing, together.
  std::map<std::tuple<std::string, std::string, std::string>, KernelUse> missing;
  for (const KernelUse &use : uses)
    for (const std::string &name : use.names)
      if (!functions.count(keyOf(use, name))) {
        KernelUse &one = missing[{use.kernel, use.loader, use.optimizer}];
        one.kernel = use.kernel;
        one.loader = use.loader;
        one.optimizer = use.optimizer;
        one.names.insert(name);
      }
  std::vector<KernelUse> left;
  for (const auto &[key, use] : missing)
    if (!loadImage(
            use, selectImage(manifest, context.major(), context.minor(), use.kernel, use.loader, use.optimizer).cubin))
      left.push_back(use);
  if (!left.empty())
    compile(left);
}

Unit Modules::unitOf(const KernelUse &use) const {
  Unit unit;
  auto text = texts.find(plan::kCudaKernels + use.kernel + ".cu");
  unit.name = use.kernel == plan::kCudaCommon ? plan::kCudaCommon : nameOf(use.kernel);
  if (text == texts.end())
    userError("the plan is damaged: the text of its CUDA kernel '{}' is missing", use.kernel);
  unit.text = text->second;
  unit.kernels.assign(use.names.begin(), use.names.end());
  return unit;
}

void Modules::compile(const std::vector<KernelUse> &uses) {
  std::string problem = "there is no compiler of kernels";
  if (compiler) {
    std::vector<Unit> units;
    for (const KernelUse &use : uses)
      units.push_back(unitOf(use));
    try {
      const std::vector<Compiled> compiled =
          compiler->compile(units, headers, deviceArchitecture(context.major(), context.minor()));
      for (size_t i = 0; i < uses.size(); ++i)
        add(uses[i], compiled.at(i).image, compiled[i].names);
      return;
    } catch (const UserError &refused) { // it cannot be opened
      problem = refused.what();
    }
  }
  for (const KernelUse &use : uses)
    if (!loadImage(use,
                   selectImage(manifest, context.major(), context.minor(), use.kernel, use.loader, use.optimizer).ptx))
      userError("the plan holds no image of its CUDA kernel '{}' for {} (compute capability {}.{}) and it cannot be "
                "compiled here: {}. snc compile --arch {} puts images into the plan",
                unitOf(use).name, context.name(), context.major(), context.minor(), problem,
                deviceArchitecture(context.major(), context.minor()));
}

bool Modules::loadImage(const KernelUse &use, const plan::CudaImage *image) {
  if (!image)
    return false;
  for (const std::string &name : use.names)
    if (!image->names.count(name))
      return false;
  auto content = texts.find(image->entry);
  if (content == texts.end())
    userError("the plan is damaged: the image '{}' of a CUDA kernel is missing", image->entry);
  add(use, content->second, image->names);
  return true;
}

void Modules::add(const KernelUse &use, const std::string &image, const std::map<std::string, std::string> &names) {
  ModuleHandle &module = modules[plan::sha256Hex(image)];
  if (!module)
    context.require(context.driver.moduleLoadDataEx(&module, image.c_str(), 0, nullptr, nullptr), "loading kernels");
  for (const std::string &name : use.names) {
    auto symbol = names.find(name);
    if (symbol == names.end())
      throw std::logic_error("the compiler of CUDA kernels gave no function for " + name);
    Function function;
    context.require(context.driver.moduleGetFunction(&function.handle, module, symbol->second.c_str()),
                    "finding a kernel");
    auto ask = [&](FunctionAttribute which, int &value) {
      context.require(context.driver.funcGetAttribute(&value, static_cast<int>(which), function.handle),
                      "asking for a property of a kernel");
    };
    ask(FunctionAttribute::Registers, function.registers);
    ask(FunctionAttribute::LocalBytes, function.localBytes);
    functions[keyOf(use, name)] = {function};
  }
}

const Function &Modules::function(const std::string &name, const KernelUse &use, int64_t shared) {
  auto found = functions.find(keyOf(use, name));
  if (found == functions.end())
    throw std::logic_error("the CUDA kernel " + name + " was not loaded");
  Loaded &loaded = found->second;
  if (shared > loaded.shared) {
    const int most = context.attribute(Attribute::MaxSharedMemoryPerBlockOptin);
    if (shared > most)
      userError("--device cuda: {} needs {} bytes of shared memory for each block and {} has {}; --device cpu runs it",
                name, shared, context.name(), most);
    context.require(context.driver.funcSetAttribute(loaded.function.handle,
                                                    static_cast<int>(FunctionAttribute::MaxDynamicSharedBytes),
                                                    static_cast<int>(shared)),
                    "allowing a kernel more shared memory");
    loaded.shared = shared;
  }
  return loaded.function;
}
} // namespace sn::rt::cuda
