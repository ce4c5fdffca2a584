#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/origin.h"

namespace kata::config {

// A TOML document as plain values that know their place. Keeps the TOML library in one source file.
struct Value {
  enum class Kind { kBool, kInteger, kFloat, kText, kList, kTable, kTime };

  Kind kind = Kind::kTable;
  bool flag = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Value> list;
  std::map<std::string, Value> table;
  Origin origin;

  bool is_table() const { return kind == Kind::kTable; }
};

// Parses TOML 1.0. A syntax error reads "FILE:LINE: ...".
Result<Value> parse_toml(std::string_view text, const std::string& file);

// Lays `over` upon `base`: tables merge key by key, everything else, lists too, is replaced
// (facts/configuration.md section 1.3).
void merge(Value& base, Value over);

// "a string", "an integer", ...: for messages.
std::string describe(const Value& value);

}  // namespace kata::config
