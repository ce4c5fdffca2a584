#include "runtime/guest_log.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

namespace kata::runtime {

namespace {

using nlohmann::json;

constexpr size_t kMaxFields = 16;
constexpr size_t kMaxKey = 64;

// What lines of ours are sorted and found by, and what the agent says of itself each time.
constexpr std::array<std::string_view, 10> kOurKeys = {
    "time", "level", "msg", "ts", "name", "pid", "source", "sandbox", "version", "vmconsole"};

bool is_key(std::string_view key) {
  const bool plain = !key.empty() && key.size() <= kMaxKey && std::ranges::all_of(key, [](char c) {
    return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
  return plain && std::ranges::find(kOurKeys, key) == kOurKeys.end();
}

// slog's words.
std::optional<log::Level> level_of(const std::string& word) {
  static constexpr std::pair<std::string_view, log::Level> kWords[] = {
      {"TRCE", log::Level::kTrace}, {"DEBG", log::Level::kDebug}, {"INFO", log::Level::kInfo},
      {"WARN", log::Level::kWarn},  {"ERRO", log::Level::kError}, {"CRIT", log::Level::kError}};
  for (const auto& [name, level] : kWords) {
    if (word == name) return level;
  }
  return std::nullopt;
}

}  // namespace

void GuestLog::add(const std::string& line) {
  if (line.starts_with('{') && add_agent_line(line)) return;
  if (console_) {
    lines_.emit(log::Level::kDebug, "guest console", {{"vmconsole", line}});
  } else {
    lines_.write(log::Level::kDebug, "guest console", {{"vmconsole", line}});
  }
}

bool GuestLog::add_agent_line(const std::string& line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return false;
  const auto text = [&](const char* key) -> std::string {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto level = level_of(text("level"));
  if (!level || !object.contains("msg")) return false;
  log::Fields fields = {{"source", "agent"}};
  for (const auto& [key, value] : object.items()) {
    if (fields.size() >= kMaxFields) break;
    if (is_key(key) && value.is_string()) fields.emplace_back(key, value.get<std::string>());
  }
  const std::string message = text("msg");
  if (*level >= log::Level::kWarn) {
    warnings_.emit(*level, message, std::move(fields));
  } else if (agent_) {
    lines_.emit(*level, message, std::move(fields));
  } else {
    // The agent's everyday words are details of ours.
    lines_.write(log::Level::kDebug, message, std::move(fields));
  }
  return true;
}

}  // namespace kata::runtime
