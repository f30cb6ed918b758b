// What a plan carries for CUDA: one text for each distinct step, nothing missing, nothing that cannot be launched.
#include "compiler/Target/Cuda/Emit.h"
#include "compiler/Target/Cuda/Kernels.h"
#include "kernels-templates/cuda/abi.cuh"
#include "runtime/plan/CudaManifest.h"
#include "test/unit/plan/SmallPlan.h"
#include "test/unit/target/Loaded.h"
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <regex>
#include <set>

namespace sn::target {
namespace {
using plan::test::arg;

/// With a batch whose products take small tiles.
plan::Plan smallPlan() {
  plan::Plan plan = plan::test::smallPlan();
  plan.training.batch = 32;
  return plan;
}

/// Functions of the counts that the plan gives them: every result is the first argument, or a constant.
std::string slotsOf(const plan::Plan &plan) {
  std::string text;
  for (const plan::SlotFunction &f : plan.functions) {
    const std::string value = f.inputs + f.scalars > 0 ? "%a0" : "%one";
    const int results = static_cast<int>(f.outputs) + f.sum;
    std::string values, types;
    for (int i = 0; i < results; ++i) {
      values += (i ? ", " : "") + value;
      types += i ? ", f32" : "f32";
    }
    text += slotText(f.name, static_cast<int>(f.inputs), static_cast<int>(f.scalars), results, f.sum,
                     "%one = arith.constant 1.0 : f32\nreturn " + values + " : " + types);
  }
  return text;
}

CudaText emitted(const plan::Plan &plan) {
  Parsed slots(slotsOf(plan));
  auto text = emitCuda(plan, *slots.module);
  if (!text)
    throw std::logic_error(llvm::toString(text.takeError()));
  return *text;
}
plan::CudaManifest manifestOf(const CudaText &text) {
  return nlohmann::json::parse(text.entries.at(plan::kCudaManifest)).get<plan::CudaManifest>();
}
const std::string &kernelOf(const CudaText &text, const std::string &id) {
  return text.entries.at(plan::kCudaKernels + id + ".cu");
}

using Choices = std::vector<std::vector<std::string>>;

TEST(CudaEmit, OneTextForStepsThatDoTheSame) {
  const CudaText text = emitted(smallPlan());
  const plan::CudaManifest manifest = manifestOf(text);
  EXPECT_EQ(manifest.abi, sn::cuda::kAbiVersion);
  EXPECT_EQ(
      manifest.entries.at("train"),
      (Choices{{"Hidden_csr_gather"}, {"Output_wide_output_single"}, {"map"}, {"column_reduce"}, {"csc_update"}}));
  EXPECT_EQ(manifest.entries.at("predict"), (Choices{{"Hidden_csr_gather"}, {"wide_topk"}}));
  EXPECT_EQ(manifest.names.at("Hidden_csr_gather"), "Hidden_csr_gather");
  EXPECT_EQ(manifest.names.size(), 6u);
  EXPECT_TRUE(manifest.images.empty());
  EXPECT_TRUE(text.remarks.empty());
}

TEST(CudaEmit, EqualNamesGetNumbers) {
  plan::Plan plan = smallPlan();
  plan.entries[1].steps[0].slots["epilogue"].in[1].role = plan::Role::Element; // no longer the step of "train"
  const CudaText text = emitted(plan);
  const plan::CudaManifest manifest = manifestOf(text);
  EXPECT_EQ(manifest.entries.at("predict")[0], std::vector<std::string>{"Hidden_csr_gather_2"});
  EXPECT_EQ(manifest.names.at("Hidden_csr_gather_2"), "Hidden_csr_gather");
  EXPECT_NE(kernelOf(text, "Hidden_csr_gather_2").find(" Hidden_csr_gather(const"), std::string::npos);
  EXPECT_NE(kernelOf(text, "Hidden_csr_gather_2").find("sn::cuda::Element<0>"), std::string::npos);
}

TEST(CudaEmit, EveryHeaderThatIsIncludedIsThere) {
  const CudaText text = emitted(smallPlan());
  const std::regex include("#include \"([^\"]+)\"");
  std::set<std::string> found;
  for (const auto &[name, content] : text.entries)
    for (std::sregex_iterator at(content.begin(), content.end(), include), end; at != end; ++at) {
      found.insert((*at)[1]);
      EXPECT_TRUE(text.entries.count(plan::kCudaInclude + (*at)[1].str())) << name << " includes " << (*at)[1];
    }
  for (const char *name : {"optimizers.cuh", "kernels-templates/cuda/abi.cuh", "kernels-templates/cuda/common.cuh",
                           "kernels-templates/cuda/csr_gather.cuh"})
    EXPECT_TRUE(found.count(name)) << name;
}

TEST(CudaEmit, OnlyStepsThatUpdateKnowTheOptimizers) {
  const CudaText text = emitted(smallPlan());
  const std::string include = "#include \"optimizers.cuh\"\n";
  EXPECT_NE(kernelOf(text, "csc_update").find(include), std::string::npos);
  EXPECT_EQ(kernelOf(text, "map").find(include), std::string::npos);
  const std::string &rules = text.entries.at(plan::kCudaInclude + std::string("optimizers.cuh"));
  EXPECT_NE(rules.find("struct Momentum { // states: v; scalars: alpha, mu\n"
                       "  using Weights = sn::cuda::UpdateRule<MomentumWeights, 1>;\n"
                       "  using Bias = sn::cuda::UpdateRule<MomentumBias, 1>;\n"),
            std::string::npos)
      << rules;
}

TEST(CudaEmit, OperandsAreTypesInTheOrderOfTheLayout) {
  plan::Plan plan = smallPlan();
  plan::Step &map = plan.entries[0].steps[2];
  plan::SlotArg mask = arg(plan::Role::Mask), hyper = arg(plan::Role::Hyper), reduction = arg(plan::Role::Reduction);
  mask.stream = 7;
  mask.p = 0.2;
  hyper.value = plan::Expr("Lambda");
  reduction.index = 3;
  map.slots["body"].in = {arg(plan::Role::Element, "h"), mask, arg(plan::Role::Index), arg(plan::Role::Column, "bias")};
  map.slots["body"].scalars = {hyper,     arg(plan::Role::Row, "norm"),  arg(plan::Role::TargetWeight),
                               hyper,     arg(plan::Role::TargetBinary), arg(plan::Role::TargetSum),
                               reduction, arg(plan::Role::TargetScale)};
  plan.functions[3] = {"times", 4, 1, 8, false};
  const CudaText text = emitted(plan);
  EXPECT_NE(
      kernelOf(text, "map")
          .find("using Body = sn::cuda::Slot<BodyFunction,\n"
                "    sn::cuda::List<sn::cuda::Element<0>, sn::cuda::Mask<7u, 0x3e4ccccdu /* 0.2f */>, sn::cuda::Index, "
                "sn::cuda::Column<1>>,\n"
                "    sn::cuda::List<sn::cuda::Element<2>>,\n"
                "    sn::cuda::List<sn::cuda::Hyper<0>, sn::cuda::Row<3>, sn::cuda::TargetWeight, sn::cuda::Hyper<1>, "
                "sn::cuda::TargetBinary, sn::cuda::TargetSum, sn::cuda::Reduction<3>, sn::cuda::TargetScale>>;\n"),
      std::string::npos)
      << kernelOf(text, "map");
}

/// What is default is left out; storage goes last.
TEST(CudaEmit, StorageAndTileAreTemplateArguments) {
  plan::Plan plan = smallPlan();
  const auto says = [](const CudaText &text, const char *kernel, const std::string &what) {
    EXPECT_NE(kernelOf(text, kernel).find("using Kernel = sn::cuda::" + what + ";\n"), std::string::npos)
        << kernelOf(text, kernel);
  };
  const CudaText fp32 = emitted(plan);
  says(fp32, "Hidden_csr_gather", "CsrGather<Epilogue>");
  says(fp32, "csc_update", "CscUpdate");
  for (plan::Parameter &parameter : plan.parameters)
    if (parameter.decays)
      parameter.storage = plan::Precision::Bf16;
  const CudaText bf16 = emitted(plan);
  says(bf16, "Hidden_csr_gather", "CsrGather<Epilogue, sn::cuda::Tile, sn::cuda::Bf16Weights>");
  says(bf16, "csc_update", "CscUpdateBy<sn::cuda::Tile, sn::cuda::Bf16Weights>");
  says(bf16, "Output_wide_output_single",
       "WideOutput<sn::cuda::Sweep::Single, Slots, sn::cuda::Tile, sn::cuda::Bf16Weights>");
  says(bf16, "wide_topk", "WideTopk<Score, sn::cuda::Tile, sn::cuda::Bf16Weights>");
}

/// One text for each way to compute the products; the manifest says which, and what shared memory it takes.
TEST(CudaEmit, AKernelForEachVariant) {
  plan::Plan plan = smallPlan();
  for (plan::Entry &entry : plan.entries)
    for (plan::Step &step : entry.steps)
      if (step.kernel.starts_with("wide"))
        step.precision = plan::Precision::Tf32;
  const CudaText text = emitted(plan);
  const plan::CudaManifest manifest = manifestOf(text);
  const std::vector<std::string> &kernels = manifest.entries.at("train")[1];
  ASSERT_GE(kernels.size(), 2u);
  EXPECT_EQ(kernels.back(), "Output_wide_output_single") << "for devices without tensor cores";
  EXPECT_EQ(manifest.variants.at(kernels.back()), "ffma_64");
  EXPECT_EQ(manifest.variants.count("map"), 0u);
  EXPECT_EQ(manifest.shared.count("map"), 0u);
  for (const std::string &kernel : kernels) {
    const sn::cuda::Variant &variant = *sn::cuda::variantNamed(manifest.variants.at(kernel));
    EXPECT_GT(manifest.shared.at(kernel), variant.sharedBytes);
    EXPECT_NE(
        kernelOf(text, kernel).find("#include \"kernels-templates/cuda/" + std::string(variant.header) + ".cuh\"") ==
            std::string::npos,
        &variant != &sn::cuda::kPlainVariant)
        << kernelOf(text, kernel);
    if (&variant != &sn::cuda::kPlainVariant)
      EXPECT_NE(kernelOf(text, kernel)
                    .find("using Kernel = sn::cuda::WideOutput<sn::cuda::Sweep::Single, Slots, " +
                          std::string(variant.type) + ">;"),
                std::string::npos)
          << kernelOf(text, kernel);
  }
}

TEST(CudaEmit, CommentsStayOnTheirLine) {
  plan::Plan plan = smallPlan();
  plan.entries[0].steps[2].label = "two\nlines\\";
  plan.entries[0].steps[2].layers = {"a\nb"};
  const CudaText text = emitted(plan);
  EXPECT_EQ(kernelOf(text, "a_b_map").rfind("// two?lines?: map\n// layer a?b\n#include", 0), 0u)
      << kernelOf(text, "a_b_map");
}

TEST(CudaEmit, MoreOperandsThanALaunchHandsOver) {
  plan::Plan plan = smallPlan();
  plan::Step &map = plan.entries[0].steps[2];
  auto withOperands = [&](int count) {
    plan::SlotUse &body = map.slots["body"];
    body.in.clear();
    for (int i = 1; i < count; ++i)
      body.in.push_back(arg(plan::Role::Element, fmt::format("b{}", i)));
    plan.functions[3] = {"times", count - 1, 1, 0, false};
    return emitted(plan);
  };
  EXPECT_EQ(manifestOf(withOperands(sn::cuda::kPointers)).entries.count("train"), 1u);
  const CudaText text = withOperands(sn::cuda::kPointers + 1);
  EXPECT_EQ(manifestOf(text).entries.count("train"), 0u);
  EXPECT_EQ(manifestOf(text).entries.count("predict"), 1u);
  EXPECT_EQ(text.entries.count("cuda/kernels/map.cu"), 0u);
  EXPECT_EQ(text.remarks, std::vector<std::string>{"train: Hidden delta: map: not on a CUDA device: 161 operands, more "
                                                   "than the 160 that a launch hands over"});
}

TEST(CudaEmit, EqualPlansGiveEqualBytes) { EXPECT_EQ(emitted(smallPlan()).entries, emitted(smallPlan()).entries); }

TEST(CudaEmit, ASlotThatIsMissingIsNamed) {
  plan::Plan plan = smallPlan();
  Parsed slots(slotsOf(plan));
  plan.entries[0].steps[2].slots["body"].function = "nowhere";
  auto text = emitCuda(plan, *slots.module);
  ASSERT_FALSE(bool(text));
  EXPECT_EQ(llvm::toString(text.takeError()), "the plan names a slot that is not there: nowhere");
}

TEST(CudaEmit, TheReadersTextHasEveryKernelOnce) {
  plan::Plan plan = smallPlan();
  Parsed slots(slotsOf(plan));
  auto text = emitCudaText(plan, *slots.module);
  ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
  std::vector<std::string> heads;
  const std::regex head("// ===== (\\S+)\n");
  for (std::sregex_iterator at(text->begin(), text->end(), head), end; at != end; ++at)
    heads.push_back((*at)[1]);
  EXPECT_EQ(heads, (std::vector<std::string>{"optimizers.cuh", "Hidden_csr_gather.cu", "Output_wide_output_single.cu",
                                             "map.cu", "column_reduce.cu", "csc_update.cu", "wide_topk.cu"}));
  EXPECT_NE(text->find("// train 0: pointers [0] Input->Hidden/bias, [1] h\n// predict 0: pointers [0]"),
            std::string::npos);
  EXPECT_NE(text->find("// train 4\n"), std::string::npos);
}
} // namespace
} // namespace sn::target
