#include "cli/memory_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "metrics/exposition.h"

namespace kata::cli {
namespace {

using nlohmann::json;

constexpr uint64_t kMib = 1 << 20;
// More than any machine has: sums of hostile figures stay far from overflow.
constexpr uint64_t kMost = uint64_t{1} << 50;

uint64_t less(uint64_t from, uint64_t part) {
  return from - std::min(from, part);
}

uint64_t number(const json& table, const char* key) {
  const auto found = table.find(key);
  if (found == table.end() || !found->is_number_unsigned()) return 0;
  return std::min(found->get<uint64_t>(), kMost);
}

std::string text(const json& table, const char* key) {
  const auto found = table.find(key);
  return found != table.end() && found->is_string() ? found->get<std::string>() : std::string();
}

pid_t pid(const json& table, const char* key) {
  return static_cast<pid_t>(std::min<uint64_t>(number(table, key), INT32_MAX));
}

std::string item_of(std::string_view labels) {
  std::string item;
  metrics::for_each_label(labels, [&](std::string_view name, std::string_view value) {
    if (name == "item") item = value;
  });
  return item;
}

uint64_t sum(const std::vector<ContainerMemory>& containers, uint64_t ContainerMemory::*part) {
  uint64_t all = 0;
  for (const ContainerMemory& container : containers) all += container.*part;
  return all;
}

}  // namespace

Result<SandboxMemory> parse_sandbox_memory(const std::string& answer) {
  const json document = json::parse(answer, nullptr, false);
  SandboxMemory memory;
  if (!document.is_object() || !document.contains("containers") ||
      !document["containers"].is_array()) {
    return fail(Code::kDataLoss, "the shim's answer about memory is not understood");
  }
  memory.shim = pid(document, "shim");
  memory.vmm = pid(document, "vmm");
  memory.fs = pid(document, "fs");
  for (const json& row : document["containers"]) {
    if (!row.is_object()) continue;
    memory.containers.push_back({text(row, "id"), text(row, "name"), number(row, "anonymous"),
                                 number(row, "shared"), number(row, "page_cache"),
                                 text(row, "error")});
  }
  return memory;
}

GuestMemory parse_guest_memory(std::string_view text) {
  GuestMemory guest;
  const std::pair<std::string_view, uint64_t*> items[] = {
      {"mem_total", &guest.total}, {"mem_free", &guest.free}, {"cached", &guest.cached},
      {"buffers", &guest.buffers}, {"shmem", &guest.shared},  {"anon_pages", &guest.anonymous},
  };
  auto take = [](double value, double scale) {
    const double bytes = value * scale;
    // Not for NaN either.
    return bytes > 0 && bytes < static_cast<double>(kMost) ? static_cast<uint64_t>(bytes) : 0;
  };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto parsed = metrics::parse_line(line);
    if (!parsed || parsed->kind != metrics::Line::Kind::kSample) continue;
    if (parsed->name == "kata_agent_proc_status" && item_of(parsed->labels) == "rssanon") {
      guest.agent = take(parsed->value, 1024);
    }
    if (parsed->name != "kata_guest_meminfo") continue;
    const std::string item = item_of(parsed->labels);
    for (const auto& [name, place] : items) {
      if (item == name) *place = take(parsed->value, 1);
    }
  }
  return guest;
}

uint64_t MemoryReport::kernel() const {
  const uint64_t all = std::max(vmm.guest_size, guest.total);
  return less(all, guest.free + guest.cached + guest.buffers + guest.anonymous);
}

uint64_t MemoryReport::page_cache() const {
  return less(guest.cached + guest.buffers, guest.shared);
}

uint64_t MemoryReport::tmpfs() const {
  return less(guest.shared, sum(shim_view.containers, &ContainerMemory::shared));
}

uint64_t MemoryReport::other_processes() const {
  return less(guest.anonymous,
              guest.agent + sum(shim_view.containers, &ContainerMemory::anonymous));
}

uint64_t MemoryReport::host_processes() const {
  return shim.rest + shim.code + vmm.rest + vmm.code + fs.rest + fs.code;
}

uint64_t MemoryReport::guest_resident() const {
  return shim.guest + vmm.guest + fs.guest;
}

uint64_t MemoryReport::needed() const {
  return host_processes() + kernel() + guest.agent + tmpfs() + other_processes();
}

uint64_t MemoryReport::suggested() const {
  constexpr uint64_t kStep = 16 * kMib;
  const uint64_t with_room = needed() + needed() / 8;
  return (with_room + kStep - 1) / kStep * kStep;
}

}  // namespace kata::cli
