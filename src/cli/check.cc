#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "cli/check_host.h"
#include "cli/commands.h"

// check, kata-check
namespace kata::cli {
namespace {

struct Options {
  bool require_kvm = false;
  bool strict = false;
  bool verbose = false;
  bool no_network = false;
  // Upstream's look for newer releases. We open no connection to anywhere.
  bool version_only = false;
  bool list_releases = false;
  bool all_releases = false;
};

std::string log_line(const HostItem& item) {
  const bool good = item.state == HostItem::State::kGood;
  const auto level = good                                      ? log::Level::kInfo
                     : item.state == HostItem::State::kWarning ? log::Level::kWarn
                                                               : log::Level::kError;
  log::Fields fields = {{"source", "runtime"}, {"name", item.name}};
  if (!item.fix.empty()) fields.emplace_back("fix", item.fix);
  return log::format_logfmt(level, item.text, fields);
}

void complain_about(const HostItem& item) {
  complain(item.name + ": " + printable(item.text) + "\n");
  if (!item.fix.empty()) complain("  what to do: " + printable(item.fix) + "\n");
}

int verdict(const Options& options, const HostReport& host) {
  say("Mode: " + std::string(host.mode.name()) + ": " + printable(host.mode.reason) + "\n");
  if (!host.capable()) {
    complain("ERROR: System is not capable of running Kata Containers\n");
    return kFailed;
  }
  if (options.require_kvm && !host.mode.is_kvm()) {
    complain("ERROR: KVM is required, and not usable: " + printable(host.mode.reason) + "\n");
    return kFailed;
  }
  say("System is capable of running Kata Containers\n");
  if (geteuid() == 0) say("System can currently create Kata Containers\n");
  if (options.strict && host.has_warnings()) {
    complain("ERROR: there are warnings, and --strict was given\n");
    return kFailed;
  }
  return 0;
}

int run(const Context& context, const Options& options) {
  if (options.version_only || options.list_releases) {
    say("Releases are not looked up: this program opens no network connection.\n");
    return 0;
  }
  auto loaded = load_config(context);
  if (!loaded) {
    complain("warning: the configuration cannot be used, so defaults are checked: " +
             printable(loaded.error().message()) + "\n");
  }
  const HostReport host = check_host(read_host(), loaded ? &*loaded : nullptr);
  for (const HostItem& item : host.items) {
    if (options.verbose) {
      complain(log_line(item));
    } else if (item.state == HostItem::State::kBad ||
               (options.strict && item.state == HostItem::State::kWarning)) {
      complain_about(item);
    }
  }
  return verdict(options, host);
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "Tell whether and how this host can run VMs");
  command->alias("kata-check");
  command->add_flag("--require-kvm", options->require_kvm, "Exit with 1 unless KVM is usable");
  command->add_flag("-s,--strict", options->strict, "Exit with 1 for warnings too");
  command->add_flag("-v,--verbose", options->verbose, "Everything that was looked at, on stderr");
  command->add_flag("-n,--no-network-checks", options->no_network, "Accepted: there are none");
  command->add_flag("--check-version-only", options->version_only, "Accepted: says so and ends");
  command->add_flag("--only-list-releases", options->list_releases, "Accepted: says so and ends");
  command->add_flag("--include-all-releases", options->all_releases, "Accepted, no effect");
  command->callback([&context, options] {
    context.command = [&context, options] { return run(context, *options); };
  });
}

}  // namespace kata::cli
