#include "storage/mount_table.h"

#include <charconv>

#include "base/file.h"

namespace kata::storage {

namespace {

// Blanks and backslashes of a path are octal there.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    auto digit = [&](size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      out += static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Takes the first word off the text.
std::string_view next_word(std::string_view* text) {
  const std::string_view word = text->substr(0, text->find(' '));
  text->remove_prefix(std::min(text->size(), word.size() + 1));
  return word;
}

}  // namespace

std::vector<MountEntry> parse_mount_table(std::string_view text) {
  std::vector<MountEntry> entries;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    MountEntry entry;
    const std::string_view id = next_word(&line);
    std::from_chars(id.data(), id.data() + id.size(), entry.id);
    next_word(&line);  // the parent's id
    entry.device = next_word(&line);
    entry.root = unescape(next_word(&line));
    entry.point = unescape(next_word(&line));
    next_word(&line);  // options of the mount
    // Optional fields up to a single hyphen, then type, source and options of the file system.
    auto word = next_word(&line);
    for (; !word.empty() && word != "-"; word = next_word(&line)) {
      if (word.starts_with("shared:") || word.starts_with("master:")) entry.propagates = true;
    }
    if (word == "-") {
      next_word(&line);
      next_word(&line);
      entry.options = unescape(next_word(&line));
    }
    if (!entry.point.empty()) entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<MountEntry>> read_mount_table() {
  TRY(std::string text, read_file("/proc/thread-self/mountinfo"));
  return parse_mount_table(text);
}

}  // namespace kata::storage
