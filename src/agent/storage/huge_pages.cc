#include "agent/storage/huge_pages.h"

#include <charconv>

#include "base/file.h"

namespace kata::agent {
namespace {

Result<uint64_t> read_count(const std::string& file) {
  TRY(std::string text, read_file(file));
  uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc()) return fail(Code::kInternal, file + " has no number");
  return value;
}

// Bytes that nobody has to give up: the kernel would take them from containers that run.
uint64_t available_memory() {
  constexpr std::string_view kKey = "MemAvailable:";
  const std::string text = read_file("/proc/meminfo").value_or("");
  const size_t at = text.find(kKey);
  if (at == std::string::npos) return UINT64_MAX;
  const size_t digit = text.find_first_not_of(' ', at + kKey.size());
  uint64_t kib = 0;
  if (digit != std::string::npos) {
    std::from_chars(text.data() + digit, text.data() + text.size(), kib);
  }
  return kib << 10;
}

Error too_few(uint64_t got, uint64_t wanted, const std::string& kib) {
  return Error(Code::kResourceExhausted,
               "the guest has room for " + std::to_string(got) + " of " + std::to_string(wanted) +
                   " pages of " + kib +
                   " KiB; give the VM more memory (default_memory, or the pod's limits)");
}

}  // namespace

Status reserve_huge_pages(uint64_t page, uint64_t size, const std::string& root) {
  const std::string kib = std::to_string(page / 1024);
  const std::string file = root + "/hugepages-" + kib + "kB/nr_hugepages";
  auto before = read_count(file);
  if (!before) {
    return fail(Code::kFailedPrecondition, "this guest has no pages of " + kib + " KiB");
  }
  const uint64_t wanted = size / page + (size % page != 0);
  if (wanted > UINT32_MAX || *before > UINT32_MAX) {
    return fail(Code::kInvalidArgument, "size=" + std::to_string(size) + " is out of range");
  }
  const uint64_t room = available_memory() / page;
  if (room < wanted) return std::unexpected(too_few(room, wanted, kib));
  TRY_STATUS(write_existing(file, std::to_string(*before + wanted)));
  // The kernel gives what it has and says nothing.
  TRY(uint64_t now, read_count(file));
  if (now >= *before + wanted) return {};
  TRY_STATUS(write_existing(file, std::to_string(*before)));
  return std::unexpected(too_few(now > *before ? now - *before : 0, wanted, kib));
}

}  // namespace kata::agent
