#include "tools/snrt/Ending.h"
#include "runtime/plan/Error.h"
#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <system_error>

namespace sn::snrt {
namespace {
int complain(const char *program, bool json, const std::string &what, ExitCode code) {
  if (json)
    fmt::print(stderr, "{}\n",
               nlohmann::json{{"error", what}, {"code", int(code)}}.dump(-1, ' ', false,
                                                                         nlohmann::json::error_handler_t::replace));
  else if (what.find(": error: ") < what.find('\n')) // located in a file, as compilers write it
    fmt::print(stderr, "{}\n", what);
  else
    fmt::print(stderr, "{}: error: {}\n", program, what);
  if (code == kFault && !json)
    fmt::print(stderr,
               "{0}: this is a fault of {0}, not of your input. To report it, keep the plan, this message "
               "and the command line, and open an issue with them.\n",
               program);
  return code;
}

int tried(const char *program, bool json, const std::function<void()> &work) {
  try {
    work();
    return kDone;
  } catch (const CLI::RuntimeError &ended) { // by a signal: 128 + its number
    return ended.get_exit_code();
  } catch (const UserError &error) {
    return complain(program, json, error.what(), kInput);
  } catch (const std::bad_alloc &) {
    return complain(program, json, "there is not enough memory; a smaller --batch needs less", kInput);
  } catch (const std::filesystem::filesystem_error &error) { // a path that the system does not take
    return complain(program, json, fmt::format("{}: {}", error.path1().string(), error.code().message()), kInput);
  } catch (const std::exception &error) {
    if (auto *system = dynamic_cast<const std::system_error *>(&error); system && std::ferror(stdout)) // fmt's
      return complain(program, json, fmt::format("the output cannot be written: {}", system->code().message()), kInput);
    return complain(program, json, error.what(), kFault);
  }
}
} // namespace

int ending(const char *program, bool json, const std::function<void()> &work) {
  std::signal(SIGXFSZ, SIG_IGN); // a limit on file sizes shows as a write that fails, like a full disk
  if (int code = tried(program, json, work))
    return code;
  bool lost = std::ferror(stdout) != 0; // epochs are flushed one by one, and training goes on without them
  if (std::fflush(stdout) != 0 || lost)
    return complain(program, json,
                    fmt::format("the output cannot be written: {}", lost ? "part of it is lost" : std::strerror(errno)),
                    kInput);
  return kDone;
}
} // namespace sn::snrt
