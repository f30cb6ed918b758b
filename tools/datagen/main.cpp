// sn-datagen: writes a made-up data set, whole or with entries held out for a test.
#include "runtime/data/HoldOut.h"
#include "runtime/data/Import.h"
#include "runtime/plan/Error.h"
#include "tools/datagen/Generator.h"
#include <CLI/CLI.hpp>
#include <csignal>
#include <fmt/format.h>

namespace {
using namespace sn;

struct Arguments {
  datagen::Options options;
  std::string output, testOutput;
  double holdOut = 0;
  bool force = false;
};

void report(const std::string &path, const rt::DataSet &data) {
  std::vector<int64_t> users(data.columns, 0);
  for (int32_t item : data.indices)
    ++users[item];
  fmt::print(
      "{}: {} users x {} items, {} entries ({:.1f} per user), {} items in use, the favourite at {:.1f} % of users\n",
      path, data.rows, data.columns, data.entries(), double(data.entries()) / double(data.rows),
      data.columns - std::count(users.begin(), users.end(), 0),
      100.0 * double(*std::max_element(users.begin(), users.end())) / double(data.rows));
}

void run(const Arguments &arguments) {
  if ((arguments.holdOut > 0) != !arguments.testOutput.empty())
    userError("--hold-out and --test-output belong together");
  rt::DataFileWriter writer(arguments.output, arguments.force);
  std::optional<rt::DataFileWriter> testWriter;
  if (!arguments.testOutput.empty())
    testWriter.emplace(arguments.testOutput, arguments.force);
  rt::DataSet data = datagen::generate(arguments.options);
  if (testWriter) {
    rt::HeldOut split = rt::holdOut(data, arguments.holdOut, arguments.options.seed);
    rt::writeDataSets(*testWriter, split.held, nullptr, "");
    testWriter->commit();
    report(arguments.testOutput, split.held);
    data = std::move(split.kept);
  }
  rt::writeDataSets(writer, data, nullptr, "");
  writer.commit();
  report(arguments.output, data);
}
} // namespace

int main(int argc, char **argv) {
  std::signal(SIGXFSZ, SIG_IGN); // a limit on file sizes shows as a write that fails, like a full disk
  CLI::App app("Makes up interactions of users with tastes; the default shape is MovieLens-20M's with 20,000 users.",
               "sn-datagen");
  Arguments arguments;
  app.add_option("--rows", arguments.options.rows, "Users")->capture_default_str();
  app.add_option("--columns", arguments.options.columns, "Items")->capture_default_str();
  app.add_option("--mean", arguments.options.mean, "Items per user on average")->capture_default_str();
  app.add_option("--minimum", arguments.options.minimum, "Items per user at least")->capture_default_str();
  app.add_option("--seed", arguments.options.seed, "Seed: equal options give equal files")->capture_default_str();
  app.add_flag("!--no-names", arguments.options.names, "No names of users and items");
  app.add_option("-o,--output", arguments.output, "Data file to write")->required();
  app.add_option("--hold-out", arguments.holdOut, "Share of each user's items that goes to --test-output instead");
  app.add_option("--test-output", arguments.testOutput, "Data file for the items held out");
  app.add_flag("--force", arguments.force, "Overwrite the files written");
  app.footer("Example: sn-datagen -o data.h5 --hold-out .2 --test-output test.h5");
  try {
    app.parse(argc, argv);
    run(arguments);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const UserError &error) {
    fmt::print(stderr, "sn-datagen: error: {}\n", error.what());
    return 1;
  } catch (const std::exception &error) {
    fmt::print(stderr, "sn-datagen: error: {} (a fault of sn-datagen, not of your input)\n", error.what());
    return 2;
  }
  return 0;
}
