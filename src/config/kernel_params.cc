#include "config/kernel_params.h"

#include <set>
#include <vector>

namespace kata::config {
namespace {

// Splits at blanks outside double quotes, as the kernel does.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (char c : line) {
    if (c == '"') quoted = !quoted;
    bool blank = (c == ' ' || c == '\t' || c == '\n') && !quoted;
    if (!blank) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string name_of(const std::string& word) {
  return word.substr(0, word.find('='));
}

}  // namespace

std::string merge_kernel_params(std::string_view base, std::string_view over) {
  const std::vector<std::string> late = words_of(over);
  std::set<std::string> replaced;
  for (const std::string& word : late) replaced.insert(name_of(word));
  std::string line;
  auto append = [&](const std::string& word) { line += (line.empty() ? "" : " ") + word; };
  for (const std::string& word : words_of(base)) {
    if (!replaced.contains(name_of(word))) append(word);
  }
  for (const std::string& word : late) append(word);
  return line;
}

}  // namespace kata::config
