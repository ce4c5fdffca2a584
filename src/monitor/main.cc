// kata-monitor: serves the figures of all sandboxes of this node.
#include <signal.h>
#include <unistd.h>

#include <string>

#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "monitor/options.h"
#include "monitor/serve.h"

namespace {

int report(const kata::Error& error) {
  dprintf(STDERR_FILENO, "kata-monitor: %s\n", kata::printable(error.message()).c_str());
  return 1;
}

void say(std::string_view text) {
  (void)kata::write_all(STDOUT_FILENO, text);
}

}  // namespace

int main(int argc, char** argv) {
  auto options = kata::monitor::parse_options({argv + 1, argv + argc});
  if (!options) {
    report(options.error());
    dprintf(STDERR_FILENO, "%s", std::string(kata::monitor::usage()).c_str());
    return 2;
  }
  if (options->help) {
    say(kata::monitor::usage());
    return 0;
  }
  if (options->version) {
    say(kata::monitor::version_text());
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  auto served = kata::monitor::serve(*options);
  return served ? 0 : report(served.error());
}
