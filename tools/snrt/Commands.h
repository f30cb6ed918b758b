// The commands of snrt. Each adds itself to the application; its work runs when the command line has been parsed.
#pragma once
#include <CLI/CLI.hpp>

void addImportCommand(CLI::App &app);

namespace sn::snrt {
void addExportCommand(CLI::App &app);
void addInitCommand(CLI::App &app);
void addTrainCommand(CLI::App &app);
void addEvalCommand(CLI::App &app);
void addPredictCommand(CLI::App &app);
void addReportCommand(CLI::App &app);
void addRunCommand(CLI::App &app);
} // namespace sn::snrt
