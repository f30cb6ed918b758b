// snrt: trains, evaluates and uses the plans that snc compiles.
// Exit code 0: done, 1: something to mend in the input, 2: a fault of ours, 128 + n: ended by the signal n.
#include "runtime/plan/Error.h"
#include "tools/snrt/Commands.h"
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <system_error>

namespace {
enum ExitCode { kDone = 0, kInput = 1, kFault = 2 };

int complain(bool json, const std::string &what, ExitCode code) {
  if (json)
    fmt::print(stderr, "{}\n",
               nlohmann::json{{"error", what}, {"code", int(code)}}.dump(-1, ' ', false,
                                                                         nlohmann::json::error_handler_t::replace));
  else
    fmt::print(stderr, "snrt: error: {}\n", what);
  if (code == kFault && !json)
    fmt::print(stderr, "snrt: this is a fault of snrt, not of your input. To report it, keep the plan, this message "
                       "and the command line, "
                       "and open an issue with them.\n");
  return code;
}
} // namespace

int main(int argc, char **argv) {
  std::signal(SIGXFSZ, SIG_IGN); // a limit on file sizes shows as a write that fails, like a full disk
  bool json = std::any_of(argv, argv + argc, [](const char *arg) { return std::string_view(arg) == "--json"; });
  CLI::App app("Trains and uses neural networks compiled by snc, on large sparse data.", "snrt");
  app.require_subcommand(1);
  app.set_version_flag("--version", "snrt 0.1.0");
  app.footer("A plan holds code: run only plans you trust. 'snrt COMMAND --help' shows an example of each command.");
  addImportCommand(app);
  sn::snrt::addInitCommand(app);
  sn::snrt::addTrainCommand(app);
  sn::snrt::addEvalCommand(app);
  sn::snrt::addPredictCommand(app);
  sn::snrt::addReportCommand(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError &ended) { // by a signal: 128 + its number
    return ended.get_exit_code();
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() != 0 && json)
      return complain(json, error.what(), kInput);
    return app.exit(error) == 0 ? kDone : kInput;
  } catch (const sn::UserError &error) {
    return complain(json, error.what(), kInput);
  } catch (const std::bad_alloc &) {
    return complain(json, "there is not enough memory; a smaller --batch needs less", kInput);
  } catch (const std::filesystem::filesystem_error &error) { // a path that the system does not take
    return complain(json, fmt::format("{}: {}", error.path1().string(), error.code().message()), kInput);
  } catch (const std::exception &error) {
    if (auto *system = dynamic_cast<const std::system_error *>(&error); system && std::ferror(stdout)) // fmt's
      return complain(json, fmt::format("the output cannot be written: {}", system->code().message()), kInput);
    return complain(json, error.what(), kFault);
  }
  bool lost = std::ferror(stdout) != 0; // epochs are flushed one by one, and training goes on without them
  if (std::fflush(stdout) != 0 || lost)
    return complain(json,
                    fmt::format("the output cannot be written: {}", lost ? "part of it is lost" : std::strerror(errno)),
                    kInput);
  return kDone;
}
