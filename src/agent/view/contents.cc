#include "agent/view/contents.h"

#include <algorithm>
#include <vector>

#include "agent/container/words.h"

namespace kata::agent {
namespace {

// "cpu12 ..." -> 12; false for the sum and for other lines.
bool cpu_line(std::string_view line, uint32_t* number) {
  if (!line.starts_with("cpu")) return false;
  uint64_t value = 0;
  if (!parse_u64(line.substr(3, line.find(' ') - 3), &value) || value > UINT32_MAX) return false;
  *number = static_cast<uint32_t>(value);
  return true;
}

void add_counters(std::string_view line, std::vector<uint64_t>* sums) {
  size_t column = 0;
  for (std::string_view word : split(line.substr(line.find(' ') + 1), ' ')) {
    uint64_t value = 0;
    if (word.empty() || !parse_u64(word, &value)) continue;
    if (sums->size() <= column) sums->resize(column + 1);
    (*sums)[column++] += value;
  }
}

void put_line(std::string* out, std::string_view line) {
  out->append(line);
  out->push_back('\n');
}

// "MemTotal:        8000 kB"
std::string memory_line(std::string_view name, uint64_t kib) {
  const std::string number = std::to_string(kib);
  std::string line(name);
  line += ':';
  const size_t width = 27 - 3;  // as the kernel aligns them
  if (line.size() + number.size() < width) line.append(width - line.size() - number.size(), ' ');
  return line + number + " kB";
}

}  // namespace

std::string cpuinfo_of(std::string_view machine, const CpuSet& cpus) {
  if (cpus.empty()) return std::string(machine);
  std::string out;
  while (!machine.empty()) {
    const size_t end = machine.find("\n\n");
    const size_t size = end == machine.npos ? machine.size() : end + 2;
    const std::string_view block = machine.substr(0, size);
    machine.remove_prefix(size);
    uint64_t number = 0;
    const size_t colon = block.find(": ");
    const bool is_cpu = block.starts_with("processor") && colon != block.npos &&
                        parse_u64(block.substr(colon + 2, block.find('\n') - colon - 2), &number);
    if (!is_cpu || (number <= UINT32_MAX && cpus.contains(static_cast<uint32_t>(number)))) {
      out += block;
    }
  }
  return out;
}

std::string stat_of(std::string_view machine, const CpuSet& cpus) {
  if (cpus.empty()) return std::string(machine);
  std::string lines, rest;
  std::vector<uint64_t> sums;
  for (std::string_view line : split(machine, '\n')) {
    uint32_t number = 0;
    if (cpu_line(line, &number)) {
      if (!cpus.contains(number)) continue;
      add_counters(line, &sums);
      put_line(&lines, line);
    } else if (!line.starts_with("cpu ") && !line.empty()) {
      put_line(&rest, line);
    }
  }
  std::string all = "cpu ";
  for (uint64_t sum : sums) all += " " + std::to_string(sum);
  return all + "\n" + lines + rest;
}

std::string meminfo_of(std::string_view machine, const MemoryView& memory) {
  std::string out;
  uint64_t total = UINT64_MAX;  // KiB
  for (std::string_view line : split(machine, '\n')) {
    if (line.empty()) continue;
    const std::string_view name = line.substr(0, line.find(':'));
    std::string_view text = line.substr(std::min(name.size() + 1, line.size()));
    while (text.starts_with(' ')) text.remove_prefix(1);
    uint64_t kib = 0;
    const bool counted = text.ends_with(" kB") && parse_u64(text.substr(0, text.size() - 3), &kib);
    if (counted && name == "MemTotal") total = std::min(kib, memory.limit / 1024);
    // A limit above what there is limits nothing.
    if (counted && name == "MemTotal" && total == kib) return std::string(machine);
    const uint64_t limit = total == UINT64_MAX ? UINT64_MAX : total * 1024;
    const uint64_t used = std::min(memory.used, limit);
    if (!counted || name.starts_with("Vmalloc") || name.starts_with("DirectMap")) {
      put_line(&out, line);
    } else if (name == "MemFree") {
      put_line(&out, memory_line(name, (limit - used) / 1024));
    } else if (name == "MemAvailable") {
      const uint64_t back = std::min(memory.inactive_file, used);
      put_line(&out, memory_line(name, (limit - used + back) / 1024));
    } else if (name == "Cached") {
      put_line(&out, memory_line(name, std::min(memory.file, used) / 1024));
    } else if (name == "Buffers") {
      put_line(&out, memory_line(name, 0));
    } else {
      put_line(&out, memory_line(name, std::min(kib, total)));
    }
  }
  return out;
}

}  // namespace kata::agent
