#include "cli/host_memory.h"

#include "base/file.h"
#include "metrics/proc_files.h"

namespace kata::cli {
namespace {

// A VMM with many plugged devices has some thousand mappings, of less than 1 KiB of text each.
constexpr size_t kMostText = 64 << 20;

enum class Use { kGuest, kCode, kRest };

// Of "FROM-TO MODE OFFSET DEVICE INODE [NAME]".
Use use_of(std::string_view head) {
  const auto words = metrics::words_in(head);
  if (words.size() == 5) return words[1].starts_with("rwx") ? Use::kCode : Use::kRest;
  const std::string_view name = words[5];
  // QEMU's back ends for guest memory: memfd, a file in a folder of choice, huge pages.
  const bool guest = name.starts_with("/memfd:memory-backend") ||
                     name.find("/qemu_back_mem.") != std::string_view::npos ||
                     name.starts_with("/dev/hugepages/");
  return guest ? Use::kGuest : Use::kRest;
}

// Heads begin with an address; the other lines with a name and a colon.
bool is_head(std::string_view line) {
  const std::string_view word = line.substr(0, line.find(' '));
  return word.find('-') != std::string_view::npos && !word.ends_with(':');
}

}  // namespace

HostMemory& HostMemory::operator+=(const HostMemory& other) {
  guest_size += other.guest_size;
  guest += other.guest;
  code += other.code;
  rest += other.rest;
  return *this;
}

HostMemory read_smaps(std::string_view text) {
  HostMemory memory;
  Use use = Use::kRest;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto words = metrics::words_in(line);
    if (words.size() >= 5 && is_head(line)) {
      use = use_of(line);
      continue;
    }
    if (words.size() < 2) continue;
    const uint64_t bytes = metrics::whole_number(words[1]) << 10;
    // Huge pages are not in Pss.
    const bool counts =
        words[0] == "Pss:" || words[0] == "Private_Hugetlb:" || words[0] == "Shared_Hugetlb:";
    if (use == Use::kGuest && words[0] == "Size:") memory.guest_size += bytes;
    if (!counts) continue;
    (use == Use::kGuest ? memory.guest : use == Use::kCode ? memory.code : memory.rest) += bytes;
  }
  return memory;
}

Result<HostMemory> host_memory(pid_t pid) {
  TRY(std::string text, read_file("/proc/" + std::to_string(pid) + "/smaps", kMostText));
  return read_smaps(text);
}

Result<HostMemory> family_memory(pid_t pid) {
  TRY(HostMemory memory, host_memory(pid));
  const std::string task = std::to_string(pid);
  metrics::for_each_line("/proc/" + task + "/task/" + task + "/children", [&](auto line) {
    for (std::string_view child : metrics::words_in(line)) {
      auto more = host_memory(static_cast<pid_t>(metrics::whole_number(child)));
      if (more) memory += *more;
    }
  });
  return memory;
}

}  // namespace kata::cli
