#include "base/cpu_list.h"

#include <algorithm>
#include <charconv>

namespace kata {

namespace {

constexpr uint32_t kMaxNumber = 65535;

bool take_number(std::string_view* text, uint32_t* value) {
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *value);
  if (error != std::errc() || *value > kMaxNumber) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

bool take_range(std::string_view text, CpuSet* cpus) {
  uint32_t first = 0;
  if (!take_number(&text, &first)) return false;
  uint32_t last = first;
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    if (!take_number(&text, &last)) return false;
  }
  if (!text.empty() || last < first) return false;
  for (uint32_t cpu = first; cpu <= last; ++cpu) cpus->insert(cpu);
  return true;
}

}  // namespace

Result<CpuSet> parse_cpu_list(std::string_view text) {
  const std::string_view whole = text;
  if (text.ends_with('\n')) text.remove_suffix(1);
  CpuSet cpus;
  for (size_t begin = 0; begin < text.size() || (begin > 0 && begin == text.size());) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (!take_range(text.substr(begin, end - begin), &cpus)) {
      return fail(Code::kInvalidArgument,
                  "\"" + std::string(whole.substr(0, 64)) + "\" is no list of CPUs such as 0-3,8");
    }
    if (end == text.size()) break;
    begin = end + 1;
  }
  return cpus;
}

std::string cpu_list(const CpuSet& cpus) {
  std::string text;
  for (auto at = cpus.begin(); at != cpus.end();) {
    const uint32_t first = *at;
    uint32_t last = first;
    while (++at != cpus.end() && *at == last + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    if (last > first) text += '-' + std::to_string(last);
  }
  return text;
}

}  // namespace kata
