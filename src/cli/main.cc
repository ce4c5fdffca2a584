// kata-runtime: the operator's command line.
#include "cli/app.h"

int main(int argc, char** argv) {
  return kata::cli::run_command_line({argv + 1, argv + argc});
}
