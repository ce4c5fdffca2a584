#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <mutex>

#include "base/log_emit.h"
#include "base/utf8.h"

namespace kata::log {

namespace {

std::atomic<Level> g_level = Level::kInfo;
std::mutex g_mutex;
Sink g_sink;
std::vector<std::pair<std::string, std::string>> g_common;

// Longest text of one field, and of the fields of one line together: guest and peers choose some of
// them.
constexpr size_t kMaxValue = 8192;
constexpr size_t kMaxLine = 32 << 10;

// Without strftime: it would bring time zones and locales into every static program.
std::string timestamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::chrono::sys_seconds seconds{std::chrono::seconds(now.tv_sec)};
  auto day = std::chrono::floor<std::chrono::days>(seconds);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss time(seconds - day);
  char text[64];
  snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09ldZ", static_cast<int>(date.year()),
           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
           static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
           static_cast<int>(time.seconds().count()), now.tv_nsec);
  return text;
}

// One character, or one byte that is part of none, inside quotes. What is not UTF-8 shows up as the
// text \xNN: readers of logs refuse lines with raw bytes.
void append_character(std::string* out, std::string_view character, bool valid) {
  const auto first = static_cast<unsigned char>(character[0]);
  char code[16];
  if (first == '"' || first == '\\') {
    out->push_back('\\');
    *out += character;
  } else if (first == '\n') {
    *out += "\\n";
  } else if (!valid) {
    snprintf(code, sizeof code, "\\\\x%02x", first);
    *out += code;
  } else if (is_control(character)) {
    // Below 100: the last byte of a C1 character is its number.
    snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned char>(character.back()));
    *out += code;
  } else {
    *out += character;
  }
}

void append_escaped(std::string* out, std::string_view value) {
  out->push_back('"');
  value = cut_text(value, kMaxValue);
  for (size_t at = 0; at < value.size();) {
    const size_t length = utf8_length(value.substr(at));
    append_character(out, value.substr(at, std::max<size_t>(length, 1)), length > 0);
    at += std::max<size_t>(length, 1);
  }
  out->push_back('"');
}

bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  for (unsigned char c : value) {
    if (c <= 0x20 || c >= 0x7f || c == '"' || c == '=' || c == '\\') return false;
  }
  return true;
}

void append_logfmt(std::string* out, std::string_view key, std::string_view value) {
  out->push_back(' ');
  *out += key;
  out->push_back('=');
  if (is_plain(value)) {
    *out += value.substr(0, kMaxValue);
  } else {
    append_escaped(out, value);
  }
}

void append_json(std::string* out, std::string_view key, std::string_view value) {
  if (out->size() > 1) out->push_back(',');
  append_escaped(out, key);
  out->push_back(':');
  append_escaped(out, value);
}

std::string_view logfmt_level(Level level) {
  static constexpr std::string_view kNames[] = {"trace",   "debug", "info",
                                                "warning", "error", "fatal"};
  return kNames[static_cast<int>(level)];
}

std::string_view json_level(Level level) {
  static constexpr std::string_view kNames[] = {"TRCE", "DEBG", "INFO", "WARN", "ERRO", "CRIT"};
  return kNames[static_cast<int>(level)];
}

}  // namespace

void set_level(Level level) {
  g_level = level;
}
Level level() {
  return g_level;
}

bool parse_level(std::string_view word, Level* level) {
  static constexpr std::pair<std::string_view, Level> kWords[] = {
      {"trace", Level::kTrace},       {"debug", Level::kDebug},    {"info", Level::kInfo},
      {"warn", Level::kWarn},         {"warning", Level::kWarn},   {"error", Level::kError},
      {"critical", Level::kCritical}, {"fatal", Level::kCritical}, {"panic", Level::kCritical}};
  for (auto [name, value] : kWords) {
    if (word == name) {
      *level = value;
      return true;
    }
  }
  return false;
}

void set_sink(Sink sink) {
  std::lock_guard lock(g_mutex);
  g_sink = std::move(sink);
}

void set_common_field(std::string key, std::string value) {
  std::lock_guard lock(g_mutex);
  for (auto& [name, old] : g_common) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  g_common.emplace_back(std::move(key), std::move(value));
}

void write(Level level, std::string_view message, Fields fields) {
  if (level >= g_level.load(std::memory_order_relaxed)) emit(level, message, std::move(fields));
}

void emit(Level level, std::string_view message, Fields fields) {
  std::lock_guard lock(g_mutex);
  const size_t own = fields.size();
  for (const auto& [key, value] : g_common) {
    const auto end = fields.begin() + static_cast<ptrdiff_t>(own);
    const bool replaced =
        std::any_of(fields.begin(), end, [&](const Field& f) { return f.first == key; });
    if (!replaced) fields.emplace_back(key, value);
  }
  if (g_sink) {
    g_sink(level, message, fields);
    return;
  }
  std::string line = format_logfmt(level, message, fields);
  // A log line that cannot be written has nowhere else to go.
  [[maybe_unused]] ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

void failure(std::string_view message, const Error& error, Fields fields) {
  fields.emplace_back("error", error.message());
  write(Level::kError, message, std::move(fields));
}

std::string format_logfmt(Level level, std::string_view message, const Fields& fields) {
  std::string line = "time=\"" + timestamp() + "\" level=";
  line += logfmt_level(level);
  append_logfmt(&line, "msg", message);
  for (const auto& [key, value] : fields) {
    if (line.size() < kMaxLine) append_logfmt(&line, key, value);
  }
  line.push_back('\n');
  return line;
}

std::string format_json(Level level, std::string_view message, const Fields& fields) {
  std::string line = "{";
  append_json(&line, "msg", message);
  append_json(&line, "level", json_level(level));
  append_json(&line, "ts", timestamp());
  for (const auto& [key, value] : fields) {
    if (line.size() < kMaxLine) append_json(&line, key, value);
  }
  line += "}\n";
  return line;
}

}  // namespace kata::log
