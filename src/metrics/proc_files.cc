#include "metrics/proc_files.h"

#include <charconv>

#include "base/file.h"

namespace kata::metrics {

std::vector<std::string_view> words_in(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\r\n";
  while (true) {
    size_t begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    std::string_view word = line.substr(0, line.find_first_of(kBlank));
    words.push_back(word);
    line.remove_prefix(word.size());
  }
}

void for_each_line(const std::string& path, const std::function<void(std::string_view)>& each) {
  auto text = read_file(path);
  if (!text) return;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    each(line);
  }
}

uint64_t whole_number(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string> stat_fields(const std::string& folder) {
  auto text = read_file(folder + "/stat");
  if (!text) return {};
  const size_t paren = text->rfind(')');
  if (paren == std::string::npos) return {};
  const auto words = words_in(std::string_view(*text).substr(paren + 1));
  return {words.begin(), words.end()};
}

}  // namespace kata::metrics
