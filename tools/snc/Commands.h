// The commands of snc; each adds its subcommand with its options and runs in the subcommand's callback.
#pragma once
#include <CLI/CLI.hpp>

void addCompileCommand(CLI::App &app);
void addExplainCommand(CLI::App &app);
