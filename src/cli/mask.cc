#include "cli/mask.h"

#include <algorithm>
#include <array>
#include <optional>

namespace kata::cli {
namespace {

constexpr std::string_view kMask = "***";

// Parts of names whose values are nobody's business.
constexpr std::array<std::string_view, 19> kSecretWords = {
    "password",   "passwd",      "passphrase", "secret",     "token",
    "credential", "apikey",      "api_key",    "api-key",    "privatekey",
    "cookie",     "private_key", "accesskey",  "access_key", "authorization",
    "kbc_params", "sealing_key", "access-key", "pwd"};

// Kernel parameters whose values may be read by all, each between blanks; and those that begin so.
constexpr std::string_view kHarmless =
    " console root rootfstype rootflags init panic quiet loglevel agent.log agent.log_vport "
    "agent.debug_console_vport agent.hotplug_timeout agent.unified_cgroup_hierarchy "
    "agent.cdh_api_timeout agent.container_pipe_size agent.trace agent.resource_view tsc pci "
    "cgroup_no_v1 net.ifnames nr_cpus maxcpus iommu clocksource hugepages hugepagesz "
    "default_hugepagesz transparent_hugepage scsi_mod.scan selinux numa mitigations "
    "cryptomgr.notests earlyprintk ";
constexpr std::array<std::string_view, 2> kHarmlessBeginnings = {"systemd.", "i8042."};

bool is_name_char(char c) {
  return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
  return result;
}

bool is_secret_name(std::string_view name) {
  const std::string word = lower(name);
  return word == "auth" || word.ends_with("_auth") || word.ends_with(".auth") ||
         word.ends_with("-auth") || std::ranges::any_of(kSecretWords, [&](std::string_view secret) {
           return word.find(secret) != std::string::npos;
         });
}

bool is_harmless_parameter(std::string_view name) {
  return kHarmless.find(" " + std::string(name) + " ") != std::string_view::npos ||
         std::ranges::any_of(kHarmlessBeginnings,
                             [&](std::string_view known) { return name.starts_with(known); });
}

class Masker {
 public:
  explicit Masker(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }
  bool follows(std::string_view word) const { return rest().starts_with(word); }
  // Takes over the next `count` bytes.
  void keep(size_t count) {
    out_ += text_.substr(at_, count);
    at_ += std::min(count, text_.size() - at_);
  }
  void drop_to(size_t end) {
    out_ += kMask;
    at_ = std::min(end, text_.size());
  }

  void step() {
    if (follows("-----BEGIN ")) return private_key();
    if (follows("://")) return user_info();
    if (!is_name_char(text_[at_])) return keep(1);
    name();
  }

  // To the line that ends it; of a cut one everything.
  void private_key() {
    const size_t end_of_head = text_.find("-----", at_ + 11);
    const std::string_view head = text_.substr(at_, end_of_head - at_);
    if (head.size() > 80 || head.find("PRIVATE KEY") == std::string_view::npos) return keep(11);
    const size_t end = text_.find("-----END ", at_);
    drop_to(end == std::string_view::npos ? text_.size() : text_.find('\n', end));
  }

  void user_info() {
    keep(3);
    const size_t end = text_.find_first_of("/?# \t\r\n\"'<>", at_);
    const size_t sign = text_.substr(0, end).rfind('@');
    if (sign != std::string_view::npos && sign >= at_) drop_to(sign);
  }

  void name() {
    size_t end = at_;
    while (end < text_.size() && is_name_char(text_[end])) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    keep(word.size());
    const std::string small = lower(word);
    if ((small == "bearer" || small == "basic") && follows(" ")) {
      keep(1);
      return drop_to(end_of_word(at_));
    }
    if (small == "kernel_params" || small == "parameters") return kernel_parameters();
    if (is_secret_name(word)) value();
  }

  // The place behind a sign of assignment and blanks; nothing without one. Quotes that close the
  // name may stand before it.
  std::optional<size_t> behind_sign() const {
    size_t place = at_;
    while (place < text_.size() && (text_[place] == '"' || text_[place] == '\'' ||
                                    text_[place] == '\\' || text_[place] == ']')) {
      ++place;
    }
    while (place < text_.size() && (text_[place] == ' ' || text_[place] == '\t')) ++place;
    if (place >= text_.size() || (text_[place] != '=' && text_[place] != ':')) return std::nullopt;
    ++place;
    while (place < text_.size() && (text_[place] == ' ' || text_[place] == '\t')) ++place;
    return place;
  }

  size_t end_of_word(size_t from) const {
    return std::min(text_.find_first_of(" \t\r\n,;}]\"'\\", from), text_.size());
  }

  // Behind the closing quote of what opens at `from`, or the end of the line.
  size_t end_of_quoted(size_t from) const {
    const std::string_view quote = text_.substr(from, 3);
    if (quote == "\"\"\"" || quote == "'''") {
      const size_t end = text_.find(quote, from + 3);
      return end == std::string_view::npos ? text_.size() : end + 3;
    }
    // Inside of a quoted text the quotes are escaped themselves, inside of that one once more.
    const size_t first = std::min(text_.find_first_not_of('\\', from), text_.size());
    if (first > from) {
      const std::string_view opening = text_.substr(from, first + 1 - from);
      const size_t line = std::min(text_.find('\n', from), text_.size());
      const size_t end = text_.find(opening, std::min(first + 1, text_.size()));
      return end < line ? end + opening.size() : line;
    }
    for (size_t place = from + 1; place < text_.size(); ++place) {
      if (text_[place] == '\n') return place;
      if (text_[place] == '\\') {
        ++place;
        continue;
      }
      if (text_[place] == text_[from]) return place + 1;
    }
    return text_.size();
  }

  void value() {
    const auto begin = behind_sign();
    if (!begin || *begin >= text_.size()) return;
    keep(*begin - at_);
    const char first = text_[at_];
    const size_t quote = std::min(text_.find_first_not_of('\\', at_), text_.size());
    const bool quoted = first == '"' || first == '\'' ||
                        (first == '\\' && quote < text_.size() && text_[quote] == '"');
    if (quoted) return drop_to(end_of_quoted(at_));
    // A list or a table may go on over many lines.
    if (first == '[') return drop_to(std::min(text_.find(']', at_), text_.size()));
    if (first == '{') return drop_to(std::min(text_.find('}', at_), text_.size()));
    const size_t end =
        lower(text_.substr(at_, 7)) == "bearer " ? end_of_word(at_ + 7) : end_of_word(at_);
    if (end > at_) drop_to(end);
  }

  // NAME=VALUE words of a quoted text: only known names keep their values.
  void kernel_parameters() {
    const auto begin = behind_sign();
    if (!begin || *begin >= text_.size()) return;
    keep(*begin - at_);
    const char first = text_[at_];
    const bool quoted = first == '"' || first == '\'' || first == '\\';
    const size_t end = quoted ? end_of_quoted(at_) : std::min(text_.find('\n', at_), text_.size());
    while (at_ < end) {
      if (!is_name_char(text_[at_])) {
        keep(1);
        continue;
      }
      size_t stop = at_;
      while (stop < end && is_name_char(text_[stop])) ++stop;
      const std::string_view word = text_.substr(at_, stop - at_);
      keep(word.size());
      if (at_ >= end || text_[at_] != '=') continue;
      keep(1);
      if (!is_harmless_parameter(word)) {
        drop_to(std::min(end_of_word(at_), end));
      } else {
        keep(std::min(end_of_word(at_), end) - at_);
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string mask_secrets(std::string_view text) {
  return Masker(text).run();
}

}  // namespace kata::cli
