#include "agent/guest/cpu_memory.h"

#include <algorithm>
#include <cstdio>

#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

bool is_numbered(const std::string& name, std::string_view prefix) {
  return name.size() > prefix.size() && name.starts_with(prefix) &&
         std::ranges::all_of(name.substr(prefix.size()),
                             [](char c) { return c >= '0' && c <= '9'; });
}

// Folders "cpuN" or "memoryN" that have a switch.
std::vector<std::string> switches(const std::string& folder, std::string_view prefix) {
  std::vector<std::string> files;
  auto names = list_dir(folder);
  if (!names) return files;
  for (const auto& name : *names) {
    std::string file = folder + "/" + name + "/online";
    if (is_numbered(name, prefix) && path_exists(file)) files.push_back(file);
  }
  return files;
}

// Switches on what is off; answers how many of the switches are on afterwards.
uint32_t switch_on_all(const std::string& folder, std::string_view prefix) {
  uint32_t on = 0;
  for (const auto& file : switches(folder, prefix)) {
    auto state = read_file(file);
    if (state && state->starts_with("0")) {
      // Someone else may have done it in between; what counts is what the file says next.
      (void)write_existing(file, "1");
      state = read_file(file);
    }
    if (state && state->starts_with("1")) ++on;
  }
  return on;
}

// CPUs that cannot be switched off: the first.
uint32_t always_on(const std::string& folder) {
  auto names = list_dir(folder);
  if (!names) return 0;
  return static_cast<uint32_t>(std::ranges::count_if(*names, [&](const std::string& name) {
    return is_numbered(name, "cpu") && !path_exists(folder + "/" + name + "/online");
  }));
}

}  // namespace

Task<Status> online_cpus(UeventMonitor& uevents, std::string sysfs, uint32_t count,
                         Clock::duration silence) {
  std::string folder = sysfs + "/devices/system/cpu";
  uint32_t on = 0;
  auto look = [&on, folder, count]() -> std::optional<std::string> {
    on = always_on(folder) + switch_on_all(folder, "cpu");
    if (on < count) return std::nullopt;
    return std::string();
  };
  const std::string what = "the rest of " + std::to_string(count) + " CPUs";
  while (true) {
    const uint32_t before = on;
    auto done = co_await uevents.await_device(what, look, silence);
    if (done) co_return Status{};
    if (on > before) continue;  // slow, but it comes
    co_return std::unexpected(
        std::move(done.error()).context("only " + std::to_string(on) + " CPUs are online"));
  }
}

Status online_memory(const std::string& sysfs) {
  std::string folder = sysfs + "/devices/system/memory";
  for (const auto& file : switches(folder, "memory")) {
    TRY(std::string state, read_file(file));
    if (!state.starts_with("0")) continue;
    TRY_STATUS(in_step("memory block", write_existing(file, "1")));
  }
  return {};
}

Status probe_memory(const std::string& sysfs, const std::vector<uint64_t>& addresses) {
  for (uint64_t address : addresses) {
    char text[32];
    snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
    TRY_STATUS(write_existing(sysfs + "/devices/system/memory/probe", text));
  }
  return {};
}

Result<std::string> online_cpu_list(const std::string& sysfs) {
  TRY(std::string text, read_file(sysfs + "/devices/system/cpu/online"));
  return text.substr(0, text.find('\n'));
}

}  // namespace kata::agent
