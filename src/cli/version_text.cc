#include "cli/version_text.h"

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "version.h"

namespace kata::cli {

const char* const kCommit = KATA_COMMIT;

std::string version_text() {
  return std::string("kata-runtime  : ") + kCompatVersion + "\n" + "   commit   : " + kCommit +
         "\n   OCI specs: " + kOciVersion + "\n   kata-cpp : " + kVersion + "\n";
}

int print_version() {
  say(version_text());
  return 0;
}

void add_version(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->callback([&context] { context.command = print_version; });
}

}  // namespace kata::cli
