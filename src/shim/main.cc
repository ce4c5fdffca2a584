// containerd-shim-kata-v2: the program containerd, CRI-O and Docker start for each pod.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/file.h"
#include "oci/features.h"
#include "shim/daemon.h"
#include "shim/options.h"
#include "shim/verbs/delete.h"
#include "shim/verbs/info.h"
#include "shim/verbs/start.h"

namespace {

using kata::Error;
using kata::Result;

int report(const Error& error) {
  dprintf(STDERR_FILENO, "containerd-shim-kata-v2: %s\n", error.message().c_str());
  return 1;
}

// stdout carries the answer and nothing else.
int answer(const Result<std::string>& text) {
  if (!text) return report(text.error());
  auto written = kata::write_all(STDOUT_FILENO, *text);
  return written ? 0 : report(written.error());
}

int serve(const kata::shim::Options& options) {
  auto served = kata::shim::run_daemon(options);
  return served ? 0 : report(served.error());
}

}  // namespace

int main(int argc, char** argv) {
  auto options = kata::shim::parse_options({argv + 1, argv + argc});
  if (!options) {
    report(options.error());
    dprintf(STDERR_FILENO, "%s", std::string(kata::shim::usage()).c_str());
    return 2;
  }
  if (options->version) return answer(kata::shim::version_text());
  if (options->info) return answer(kata::shim::runtime_info());
  if (options->action == "features") return answer(kata::oci::features_json(false) + "\n");
  if (auto checked = kata::shim::check_options(*options); !checked) return report(checked.error());
  if (options->action == "start") return answer(kata::shim::start(*options));
  if (options->action == "delete") return answer(kata::shim::delete_leftovers(*options));
  return serve(*options);
}
