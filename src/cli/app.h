#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/context.h"

namespace kata::cli {

// The whole command line as definitions: parser, help, completion and manual page are made from it.
std::unique_ptr<CLI::App> make_app(Context& context);

// One dash before a long option is as good as two, in the way of upstream's parser: "-version".
std::vector<std::string> with_long_dashes(const CLI::App& app, std::vector<std::string> arguments);

// Parses, runs the command and returns the exit status. `arguments` without the program's name.
int run_command_line(std::vector<std::string> arguments);

}  // namespace kata::cli
