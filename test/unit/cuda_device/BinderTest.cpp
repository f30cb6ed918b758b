// What a plan that is damaged, though its archive is whole, leaves unresolved.
#include "runtime/plan/Error.h"
#include "test/unit/cuda_device/Fixture.h"
#include <gtest/gtest.h>

namespace sn::test {
namespace {
using Change = std::function<void(plan::Plan &, plan::Step &)>;

plan::Step &stepOf(plan::Plan &plan, const std::string &kernel) {
  for (plan::Entry &entry : plan.entries)
    for (plan::Step &step : entry.steps)
      if (entry.name == "train" && step.kernel == kernel)
        return step;
  throw std::logic_error("the network has no step " + kernel);
}

plan::SlotArg column(const std::string &name) {
  plan::SlotArg arg;
  arg.role = plan::Role::Column;
  arg.ref = name;
  return arg;
}

/// What is said of the entry "train" whose first step of this schema is changed.
std::string said(const Network &network, const std::string &kernel, const Change &change) {
  plan::Plan plan = network.plan;
  change(plan, stepOf(plan, kernel));
  const auto data = tastes(20, 30);
  auto device = emulated(network.archive);
  const rt::Binding binding = bindingOf(data, data);
  const rt::Extents extents{rt::resolveSymbols(plan, &binding, nullptr), 8};
  rt::Memory memory;
  const plan::Optimizer &optimizer = plan.optimizers.front();
  const plan::Entry &entry = *plan::findEntry(plan, "train");
  for (const plan::Buffer &buffer : entry.buffers)
    memory.buffers[buffer.name] = nullptr;
  for (const plan::Parameter &parameter : plan.parameters) {
    memory.parameters[parameter.name] = nullptr;
    memory.states[parameter.name].resize(optimizer.states.size());
  }
  for (const char *name : {"input", "output"})
    memory.data[name] = device->place(rt::boundView(plan, binding, name, extents));
  return refusal([&] { device->workspaceNeed(plan, entry, &optimizer, memory, extents); });
}

TEST(CudaBinder, TakesAWholePlan) {
  EXPECT_EQ(said(autoencoder(), "csr_gather", [](plan::Plan &, plan::Step &) {}), "");
  EXPECT_EQ(said(classifier(), "wide_softmax", [](plan::Plan &, plan::Step &) {}), "");
}
TEST(CudaBinder, NamesThatDoNotResolve) {
  EXPECT_HAS(said(autoencoder(), "csc_update", [](auto &, plan::Step &step) { step.delta = "nowhere"; }),
             "names the buffer 'nowhere', which does not exist");
  EXPECT_HAS(said(autoencoder(), "csr_gather", [](auto &, plan::Step &step) { step.sources[0].weights = "none"; }),
             "names the parameter 'none', which does not exist");
  EXPECT_HAS(said(autoencoder(), "csr_gather", [](auto &, plan::Step &step) { step.sources[0].ref = "pictures"; }),
             "reads the data set 'pictures', which is not bound");
  EXPECT_HAS(said(autoencoder(), "csr_gather", [](auto &, plan::Step &step) { step.kernel = "convolution"; }),
             "needs the kernel schema 'convolution', which the CUDA device does not have");
}
TEST(CudaBinder, WhatSchemasAskFor) {
  EXPECT_HAS(said(autoencoder(), "wide_output", [](auto &, plan::Step &step) { step.sweep = "sideways"; }),
             "has the unknown sweep 'sideways'");
  EXPECT_HAS(
      said(autoencoder(), "csr_gather", [](auto &, plan::Step &step) { step.sources.push_back(step.sources[0]); }),
      "csr_gather takes one source, not 2");
  EXPECT_HAS(said(autoencoder(), "csc_update", [](auto &, plan::Step &step) { step.update = false; }),
             "csc_update updates nothing");
  EXPECT_HAS(said(classifier(), "wide_softmax", [](auto &, plan::Step &step) { step.rows.clear(); }),
             "a statistics sweep writes two row buffers, not 0");
  EXPECT_HAS(said(autoencoder(), "wide_output", [](auto &, plan::Step &step) { step.sweep = "norm"; }),
             "a norm sweep writes one row buffer, not 0");
  EXPECT_HAS(said(autoencoder(), "csr_gather", [](auto &, plan::Step &step) { step.kernel = "limit_norm"; }),
             "limits norms to 0, which is not positive");
  EXPECT_HAS(said(autoencoder(), "csr_gather", [](auto &, plan::Step &step) { step.kernel = "update"; }),
             "update applies no gradient");
  EXPECT_HAS(said(autoencoder(), "csr_gather", [](auto &, plan::Step &step) { step.reductions = {"median"}; }),
             "has the unknown reduction 'median'");
  EXPECT_HAS(said(autoencoder(), "csr_gather",
                  [](auto &, plan::Step &step) {
                    step.kernel = "map";
                    step.slots["epilogue"].out.push_back(column("x"));
                  }),
             "the buffer 'x'");
}
TEST(CudaBinder, WhatTheDeviceCanHold) {
  EXPECT_HAS(said(autoencoder(), "csr_gather", [](plan::Plan &plan, plan::Step &) { plan.lanes = 64; }),
             "the plan asks for 64 lanes; the CUDA device walks 1 to 32");
  EXPECT_HAS(said(autoencoder(), "csr_gather",
                  [](plan::Plan &plan, plan::Step &) {
                    for (plan::Optimizer &optimizer : plan.optimizers)
                      optimizer.states.resize(5);
                  }),
             "has too many states: the CUDA device takes 4");
  EXPECT_HAS(said(autoencoder(), "csr_gather", [](auto &, plan::Step &step) { step.rows.resize(40); }),
             "has more than 32 reductions");
  EXPECT_HAS(said(autoencoder(), "csr_gather",
                  [](auto &, plan::Step &step) {
                    for (int i = 0; i < 200; ++i)
                      step.slots["epilogue"].in.push_back(column("column " + std::to_string(i)));
                  }),
             "has more than 160 operands, which the CUDA device does not take");
}
} // namespace
} // namespace sn::test
