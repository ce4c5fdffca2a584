#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/config_check.h"
#include "cli/config_show.h"
#include "cli/diagnosis.h"
#include "cli/env_document.h"
#include "cli/log_sources.h"
#include "cli/sandbox_list.h"
#include "cli/support_report.h"
#include "cli/version_text.h"
#include "runtime/sandbox_paths.h"

// collect-data: what a helper asks for, in one text. Nothing of it needs a usable configuration.
namespace kata::cli {
namespace {

constexpr size_t kMostSandboxes = 50;
constexpr size_t kMostOfFile = 1 << 20;

std::string now() {
  const time_t seconds = time(nullptr);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

void add_versions(const Context& context, SupportReport& report) {
  report.chapter("Versions");
  report.section("kata-runtime", version_text());
  auto loaded = load_config(context);
  const config::LoadedConfig* known = loaded ? &*loaded : nullptr;
  std::string text;
  auto add = [&](const std::string& name, const std::string& program) {
    text += name + ": " +
            (program.empty() ? "not found" : program + ": " + program_version(program)) + "\n";
  };
  add("shim", find_program("containerd-shim-kata-v2"));
  add("VMM", find_vmm(known));
  add("file-system daemon", find_virtiofsd(known));
  for (const char* name : {"containerd", "crio", "runc"}) add(name, find_program(name));
  report.section("Programs", text);
}

void add_configuration(const Context& context, SupportReport& report) {
  report.chapter("Configuration");
  auto path = config_path(context);
  if (!path) {
    report.section_of("File", std::unexpected(path.error()));
    return;
  }
  report.section("Findings", render(check_config(*path)));
  auto loaded = load_config(context);
  if (loaded) {
    report.section("What holds", show_toml(*loaded, false));
  } else {
    report.section_of("The file, which cannot be used: " + *path, read_file(*path, kMostOfFile));
  }
}

std::string_view word(SandboxFolders::Owner owner) {
  switch (owner) {
    case SandboxFolders::Owner::kShim:
      return "its shim lives";
    case SandboxFolders::Owner::kStarting:
      return "starting";
    case SandboxFolders::Owner::kNobody:
      return "left behind";
    case SandboxFolders::Owner::kForeign:
      return "of another runtime";
    case SandboxFolders::Owner::kUnknown:
      break;
  }
  return "unknown";
}

std::string describe(const SandboxFolders& sandbox) {
  std::string text = sandbox.id + ": " + std::string(word(sandbox.owner)) + "\n";
  if (!sandbox.problem.empty()) text += "  " + sandbox.problem + "\n";
  for (const std::string& resource : sandbox.resources) text += "  " + resource + "\n";
  const runtime::SandboxPaths paths(sandbox.id);
  for (const std::string& path : {paths.pod, paths.phases}) {
    auto content = read_file(path, kMostOfFile);
    if (content) text += "  " + basename(path) + " " + *content + "\n";
  }
  return text;
}

void add_sandboxes(SupportReport& report) {
  report.chapter("Sandboxes");
  auto sandboxes = list_sandboxes();
  if (!sandboxes) {
    report.section_of("List", std::unexpected(sandboxes.error()));
  } else {
    std::string text;
    for (size_t i = 0; i < std::min(sandboxes->size(), kMostSandboxes); ++i) {
      text += describe((*sandboxes)[i]);
    }
    if (sandboxes->size() > kMostSandboxes) {
      text += "and " + std::to_string(sandboxes->size() - kMostSandboxes) + " more\n";
    }
    report.section("List", text);
  }
  report.section_of("Phases of starts", read_file(std::string(runtime::kPhaseLog)));
}

// A container manager's files: the one of this name, and those in the folder of drop-ins.
void add_settings(SupportReport& report, const std::string& file, const std::string& drop_ins) {
  if (path_exists(file)) report.section_of(file, read_file(file, kMostOfFile));
  auto names = list_dir(drop_ins);
  if (!names) return;
  std::ranges::sort(*names);
  for (const std::string& name : *names) {
    report.section_of(drop_ins + "/" + name, read_file(drop_ins + "/" + name, kMostOfFile));
  }
}

std::string collect(const Context& context) {
  SupportReport report("kata-runtime collect-data");
  report.section("Made", now() + (geteuid() == 0 ? "" : ", not by root: much is missing"));
  add_versions(context, report);
  report.chapter("Host");
  report.section("Checks", diagnosis_text(diagnose(context)));
  auto values = read_env(context);
  if (values) {
    report.section("Environment", toml_text(*values));
  } else {
    report.section_of("Environment", std::unexpected(values.error()));
  }
  report.section_of("Kernel messages", kernel_log());
  add_configuration(context, report);
  report.chapter("Container managers");
  add_settings(report, "/etc/containerd/config.toml", "/etc/containerd/conf.d");
  add_settings(report, "/etc/crio/crio.conf", "/etc/crio/crio.conf.d");
  add_sandboxes(report);
  report.chapter("Log");
  report.section_of("Last lines of the runtime", runtime_log());
  return report.take();
}

int run(const Context& context, const std::string& file) {
  const std::string text = collect(context);
  if (file.empty()) {
    say(text);
    return 0;
  }
  auto written = write_file_atomic(file, text);
  if (!written) return report(written.error());
  say(file + ": " + std::to_string(text.size()) +
      " bytes; what looks like a secret is masked, read it once before you pass it on\n");
  return 0;
}

}  // namespace

void add_collect_data(CLI::App& app, Context& context) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "collect-data",
      "Print what a helper asks for: versions, checks, settings, sandboxes, logs; secrets masked");
  command->add_option("-o,--output", *file, "Into a file of mode 0600 instead of to stdout")
      ->type_name("FILE");
  command->callback(
      [&context, file] { context.command = [&context, file] { return run(context, *file); }; });
}

}  // namespace kata::cli
