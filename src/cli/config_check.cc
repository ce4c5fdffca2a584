#include "cli/config_check.h"

#include <algorithm>
#include <cstdlib>

#include "cli/context.h"
#include "config/apply.h"
#include "runtime/vm_config_builder.h"

namespace kata::cli {
namespace {

using Kind = config::Finding::Kind;

bool is_error(Kind kind) {
  return kind == Kind::kError || kind == Kind::kUnknown;
}

std::string_view word(Kind kind) {
  switch (kind) {
    case Kind::kError:
    case Kind::kUnknown:
      return "error";
    case Kind::kNotEffective:
      return "not yet effective";
    case Kind::kHistoric:
      return "obsolete";
    case Kind::kWarning:
      break;
  }
  return "warning";
}

// "FILE:LINE: ..." sorts by file and line.
std::pair<std::string, int> place(const std::string& text) {
  const size_t end = text.find(": ");
  const size_t colon = end == std::string::npos ? end : text.rfind(':', end - 1);
  if (end == std::string::npos || colon == std::string::npos) return {text.substr(0, end), 0};
  return {text.substr(0, colon), atoi(text.c_str() + colon + 1)};
}

std::string counted(size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

}  // namespace

ConfigReport check_config(const std::string& path) {
  ConfigReport report;
  report.path = path;
  auto loaded = config::load(path, {.keep_going = true});
  if (loaded) {
    report.path = loaded->path;
    if (auto driver = runtime::check_driver(loaded->config.hypervisor.kind); !driver) {
      const std::string section =
          "hypervisor." + std::string(config::hypervisor_name(loaded->config.hypervisor.kind));
      report.findings.push_back(
          {Kind::kError,
           config::refuse(*loaded, section, driver.error().message()).error().message()});
    }
    std::ranges::move(loaded->findings, std::back_inserter(report.findings));
  } else {
    report.findings.push_back({Kind::kError, loaded.error().message()});
  }
  std::ranges::stable_sort(report.findings, {},
                           [](const config::Finding& found) { return place(found.text); });
  for (const config::Finding& found : report.findings) {
    ++(is_error(found.kind) ? report.errors : report.warnings);
  }
  return report;
}

std::string render(const ConfigReport& report) {
  std::string text;
  for (const config::Finding& found : report.findings) {
    text += std::string(word(found.kind)) + ": " + printable(found.text) + "\n";
  }
  text += printable(report.path) + ": ";
  if (report.errors == 0 && report.warnings == 0) return text + "no problems found\n";
  return text + counted(report.errors, "error") + ", " + counted(report.warnings, "warning") +
         (report.errors ? "; sandboxes may not start, or not as the file says\n"
                        : "; sandboxes start with this file\n");
}

}  // namespace kata::cli
