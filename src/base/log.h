#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

// One logger per process. A line is a message plus key/value fields; a sink decides the format:
// logfmt with upstream's keys on the host (facts/runtime-behaviour.md section 13), one JSON object
// per line in the guest (facts/agent-behaviour.md section 15).
namespace kata::log {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError, kCritical };

using Field = std::pair<std::string_view, std::string>;
using Fields = std::vector<Field>;
// Called from any thread; must be quick and must not block for long.
using Sink = std::function<void(Level, std::string_view message, const Fields& fields)>;

void set_level(Level level);
Level level();
// Level from its configuration word ("debug", "warn", ...); false when unknown.
bool parse_level(std::string_view word, Level* level);
// Replaces the sink; the default writes logfmt to stderr.
void set_sink(Sink sink);
// Fields that every later line carries (sandbox id, program name).
void set_common_field(std::string key, std::string value);

void write(Level level, std::string_view message, Fields fields = {});

inline void trace(std::string_view m, Fields f = {}) {
  write(Level::kTrace, m, std::move(f));
}
inline void debug(std::string_view m, Fields f = {}) {
  write(Level::kDebug, m, std::move(f));
}
inline void info(std::string_view m, Fields f = {}) {
  write(Level::kInfo, m, std::move(f));
}
inline void warn(std::string_view m, Fields f = {}) {
  write(Level::kWarn, m, std::move(f));
}
inline void error(std::string_view m, Fields f = {}) {
  write(Level::kError, m, std::move(f));
}
// Logs a failure with its text as field "error".
void failure(std::string_view message, const Error& error, Fields fields = {});

// Formatters, each one line with a final newline. All values are escaped: a hostile text cannot
// forge a second line or a field.
std::string format_logfmt(Level level, std::string_view message, const Fields& fields);
std::string format_json(Level level, std::string_view message, const Fields& fields);

}  // namespace kata::log
