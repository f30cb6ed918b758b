// snrt: trains, evaluates and uses the plans that snc compiles.
#include "runtime/plan/Error.h"
#include "tools/snrt/Commands.h"
#include "tools/snrt/Ending.h"
#include <algorithm>

namespace {
/// What the command line asks for. Help and the version are asked for, too: they are printed and all is well.
void run(CLI::App &app, int argc, char **argv, bool json) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError &) { // of a command
    throw;
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() != 0 && json)
      throw sn::UserError(error.what());
    if (app.exit(error) != 0)
      throw CLI::RuntimeError(sn::snrt::kInput);
  }
}
} // namespace

int main(int argc, char **argv) {
  bool json = std::any_of(argv, argv + argc, [](const char *arg) { return std::string_view(arg) == "--json"; });
  CLI::App app("Trains and uses neural networks compiled by snc, on large sparse data.", "snrt");
  app.require_subcommand(1);
  app.set_version_flag("--version", "snrt 0.1.0");
  app.footer("A plan holds code: run only plans you trust. 'snrt COMMAND --help' shows an example of each command.");
  addImportCommand(app);
  sn::snrt::addExportCommand(app);
  sn::snrt::addInitCommand(app);
  sn::snrt::addTrainCommand(app);
  sn::snrt::addEvalCommand(app);
  sn::snrt::addPredictCommand(app);
  sn::snrt::addReportCommand(app);
  sn::snrt::addRunCommand(app);
  return sn::snrt::ending("snrt", json, [&] { run(app, argc, argv, json); });
}
