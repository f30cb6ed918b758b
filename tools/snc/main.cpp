// snc: the sparse network compiler. Exit codes: 0 fine, 1 the user's input, 2 our fault.
#include "runtime/plan/Error.h"
#include "tools/snc/Commands.h"
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <system_error>

int main(int argc, char **argv) {
  CLI::App app{"snc: compiles a network written in JSON into a plan that snrt trains and predicts with.\n"
               "Example: snc compile ae.json -o ae.plan"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "snc 0.1.0");
  addCompileCommand(app);
  addExplainCommand(app);
  std::signal(SIGXFSZ, SIG_IGN); // a file grown beyond its limit is a failed write, with a message
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot write the output");
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const sn::UserError &error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  } catch (const std::system_error &error) { // a full disk and the like
    fmt::print(stderr, "snc: {}\n", error.what());
    return 1;
  } catch (const std::exception &error) {
    fmt::print(stderr, "snc: internal fault: {}\nPlease report it with the network file and the command line.\n",
               error.what());
    return 2;
  }
  return 0;
}
