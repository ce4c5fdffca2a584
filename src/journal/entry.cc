#include "journal/entry.h"

#include <unistd.h>

#include <climits>

#include "journal/process_kill.h"

namespace kata::journal {

namespace {

// Last word of each line: a line that was cut short cannot pass for a shorter path.
constexpr std::string_view kEnd = ".";
constexpr std::string_view kEmptyField = "%";

bool plain(unsigned char c) {
  return c > 0x20 && c < 0x7f && c != '%';
}

std::string escape(std::string_view field) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  if (field.empty()) return std::string(kEmptyField);
  std::string out;
  for (unsigned char c : field) {
    if (plain(c)) {
      out += static_cast<char>(c);
    } else {
      out += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool unescape(std::string_view word, std::string* out) {
  out->clear();
  if (word == kEmptyField) return true;
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      if (!plain(static_cast<unsigned char>(word[i]))) return false;
      *out += word[i];
      continue;
    }
    if (i + 2 >= word.size()) return false;
    int high = hex_digit(word[i + 1]), low = hex_digit(word[i + 2]);
    if (high < 0 || low < 0) return false;
    *out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

bool valid_kind(std::string_view kind) {
  if (kind.empty() || kind[0] < 'a' || kind[0] > 'z') return false;
  return kind.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == kind.npos;
}

Entry path_entry(std::string_view kind, std::string path) {
  return {std::string(kind), {std::move(path)}};
}

}  // namespace

Result<Entry> process_entry(pid_t pid) {
  TRY(ProcessId id, identify(pid));
  return Entry{std::string(kProcess),
               {std::to_string(id.pid), std::to_string(id.start_time), id.program}};
}

Entry mount_entry(std::string path) {
  return path_entry(kMount, std::move(path));
}
Entry dir_entry(std::string path) {
  return path_entry(kDir, std::move(path));
}
Entry file_entry(std::string path) {
  return path_entry(kFile, std::move(path));
}
Entry tree_entry(std::string path) {
  return path_entry(kTree, std::move(path));
}
Entry cgroup_entry(std::string path) {
  return path_entry(kCgroup, std::move(path));
}

std::string encode(const Entry& entry) {
  std::string line = entry.kind;
  for (const auto& field : entry.fields) {
    line += ' ';
    line += escape(field);
  }
  line += ' ';
  line += kEnd;
  return line;
}

Result<Entry> decode(std::string_view line) {
  const auto broken = [] { return fail(Code::kDataLoss, "not a whole journal entry"); };
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin <= line.size();) {
    size_t end = std::min(line.find(' ', begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  if (words.size() < 2 || words.back() != kEnd || !valid_kind(words[0])) return broken();
  Entry entry{std::string(words[0]), {}};
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    std::string field;
    if (words[i].empty() || !unescape(words[i], &field)) return broken();
    entry.fields.push_back(std::move(field));
  }
  return entry;
}

}  // namespace kata::journal
