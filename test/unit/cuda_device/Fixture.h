// A network compiled by the real pipeline, data for it, and its session on the CPU or on the emulated GPU.
#pragma once
#include "runtime/exec/Recommender.h"
#include "runtime/exec/Session.h"
#include "runtime/exec/Trainer.h"
#include "runtime/hal/cuda/CudaDevice.h"
#include "test/emulator/EmulatedDriver.h"
#include "test/emulator/Launch.h"

namespace sn::test {
struct Network {
  plan::Plan plan;
  plan::Archive archive;
};
/// input -> 12 sigmoid units with dropout -> output, cross entropy; denoised. Compiled once.
const Network &autoencoder();
/// The same with a softmax output.
const Network &classifier();

/// `rows` rows over `columns` columns in two tastes; every fifth row is empty if `gaps`. Analog if `values`.
std::shared_ptr<rt::DataSet> tastes(int64_t rows, int64_t columns, bool gaps = false, bool values = false);
rt::Binding bindingOf(std::shared_ptr<const rt::DataSet> input, std::shared_ptr<const rt::DataSet> output);

/// The compiler of the emulator, the same for all devices of the process.
std::shared_ptr<rt::cuda::KernelCompiler> compiler();
std::unique_ptr<rt::Device> emulated(const plan::Archive &archive);

/// A model of a network on a device, initialized, with the optimizer's states.
struct Job {
  Job(const Network &network, bool cuda, rt::Binding data, const rt::Overrides &overrides);
  std::unique_ptr<rt::Session> session;
  rt::Settings settings;
  rt::Binding binding;
  rt::Model model;
};

/// The message of the UserError that `call` throws, "" if it throws none.
std::string refusal(const std::function<void()> &call);
} // namespace sn::test

#define EXPECT_HAS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << "'" << (text) << "'"
