// snrt init: untrained weights.
#include "tools/snrt/Options.h"
#include "tools/snrt/Output.h"

namespace sn::snrt {
namespace {
struct InitOptions {
  std::string plan, data, out;
  bool force = false;
  RunOptions run;
  rt::Overrides overrides;
};

void init(const InitOptions &options) {
  refuseExisting(options.out, options.force);
  rt::refuseOverwriting(options.out, {options.plan, options.data});
  rt::Session session(options.plan, options.run.device);
  rt::Settings settings = rt::settle(session.plan(), options.overrides);
  rt::DataFile file = rt::DataFile::open(options.data);
  std::set<std::string> names;
  for (const plan::Symbol &symbol : session.plan().symbols)
    names.insert(symbol.dataset);
  requireRoomToInitialize(session, settings, file, names, options.run);
  rt::Binding data{file.path(), {}, 0};
  if (!names.empty())
    data = rt::bindData(session.plan(), names, file, rt::parseAliases(options.run.bind));
  rt::Model model(session.plan(), session.device(), rt::resolveSymbols(session.plan(), &data, nullptr),
                  session.workers());
  model.initialize(settings.seed);
  session.save(model, session.header(model, settings, {}, data), options.out, options.force);
  if (options.run.json)
    fmt::print(
        "{}\n",
        nlohmann::json{{"weights", options.out}, {"seed", settings.seed}, {"bytes", model.parameterBytes()}}.dump());
  else
    fmt::print("{}: untrained weights, seed {}, {}\n", options.out, settings.seed, formatBytes(model.parameterBytes()));
}
} // namespace

void addInitCommand(CLI::App &app) {
  auto options = std::make_shared<InitOptions>();
  CLI::App *command = app.add_subcommand("init", "Write untrained weights");
  command->add_option("plan", options->plan, "Plan file written by snc compile")->required();
  command->add_option("data", options->data, "Data file that gives the widths")->required();
  command->add_option("-o,--output", options->out, "Weights file to write")->required();
  command->add_option("--seed", options->overrides.seed, "Seed of all random numbers");
  command->add_flag("--force", options->force, "Overwrite the weights file");
  addRunOptions(*command, options->run);
  command->footer("Example: snrt init ae.plan data.h5 -o w0.h5 --seed 7");
  command->callback([options] { init(*options); });
}
} // namespace sn::snrt
