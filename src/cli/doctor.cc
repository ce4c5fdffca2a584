#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/config_check.h"
#include "cli/diagnosis.h"
#include "cli/sandbox_list.h"

// doctor: everything at once, with what to do
namespace kata::cli {
namespace {

using State = HostItem::State;

HostItem shim_item() {
  if (!find_program("containerd-shim-kata-v2").empty()) {
    return {State::kGood, "shim", "containerd-shim-kata-v2 is found", ""};
  }
  return {State::kWarning, "shim", "containerd-shim-kata-v2 is in no folder of PATH",
          "ln -s " KATA_PREFIX
          "/bin/containerd-shim-kata-v2 /usr/local/bin/, or name it by "
          "runtime_path in containerd's configuration"};
}

HostItem config_item(const Context& context) {
  auto path = config_path(context);
  if (!path) {
    return {State::kBad, "configuration", path.error().message(),
            "install one, or name one with --config"};
  }
  const ConfigReport report = check_config(*path);
  if (report.errors + report.warnings == 0) {
    return {State::kGood, "configuration", report.path + ": no problems", ""};
  }
  return {report.errors ? State::kBad : State::kWarning, "configuration",
          report.path + ": " + std::to_string(report.errors) + " errors, " +
              std::to_string(report.warnings) + " warnings",
          "kata-runtime config check " + report.path};
}

HostItem orphan_item() {
  auto sandboxes = list_sandboxes();
  if (!sandboxes) return {State::kWarning, "leftovers", sandboxes.error().message(), "run as root"};
  const auto orphans = std::ranges::count_if(*sandboxes, [](const SandboxFolders& sandbox) {
    return sandbox.owner == SandboxFolders::Owner::kNobody;
  });
  if (orphans == 0) return {State::kGood, "leftovers", "none", ""};
  return {State::kWarning, "leftovers", std::to_string(orphans) + " sandboxes without a shim",
          "kata-runtime gc, then kata-runtime gc --remove"};
}

std::string_view word(State state) {
  return state == State::kGood ? "ok      " : state == State::kWarning ? "warning " : "PROBLEM ";
}

}  // namespace

HostReport diagnose(const Context& context) {
  auto loaded = load_config(context);
  HostReport host = check_host(read_host(), loaded ? &*loaded : nullptr);
  host.items.push_back(config_item(context));
  host.items.push_back(shim_item());
  host.items.push_back(orphan_item());
  return host;
}

std::string diagnosis_text(const HostReport& host) {
  std::string text;
  for (const HostItem& item : host.items) {
    text += std::string(word(item.state)) + item.name + ": " + printable(item.text) + "\n";
    if (!item.fix.empty()) text += "        what to do: " + printable(item.fix) + "\n";
  }
  return text;
}

void add_doctor(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Look at host, configuration, installation and leftovers; say what to do");
  command->callback([&context] {
    context.command = [&context] {
      const HostReport host = diagnose(context);
      say(diagnosis_text(host));
      return host.capable() ? 0 : kFailed;
    };
  });
}

}  // namespace kata::cli
