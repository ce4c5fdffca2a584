#include "config/pod_value.h"

#include <algorithm>
#include <charconv>

namespace kata::config {
namespace {

std::unexpected<Error> wrong(std::string_view expected, const std::string& text) {
  return fail(Code::kInvalidArgument,
              "expected " + std::string(expected) + ", found \"" + text + "\"");
}

Value value_of(Value::Kind kind) {
  Value value;
  value.kind = kind;
  return value;
}

Result<Value> boolean(const std::string& text) {
  Value value = value_of(Value::Kind::kBool);
  for (const char* word : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text != word) continue;
    value.flag = true;
    return value;
  }
  for (const char* word : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == word) return value;
  }
  return wrong("a boolean value 'true|false'", text);
}

Result<Value> integer(const PodKey& pod_key, const std::string& text) {
  Value value = value_of(Value::Kind::kInteger);
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value.integer);
  std::string_view suffix(rest, end);
  if (error == std::errc() && pod_key.annotation == "default_memory" && suffix == "Gi" &&
      value.integer <= INT64_MAX / 1024) {
    value.integer *= 1024;
  } else if (!suffix.empty() && !(pod_key.annotation == "default_memory" && suffix == "Mi")) {
    return wrong("a positive numeric value", text);
  }
  const bool good = error == std::errc() && static_cast<double>(value.integer) >= pod_key.min;
  if (good) return value;
  return wrong("a numeric value of at least " + std::to_string(static_cast<int>(pod_key.min)),
               text);
}

Result<Value> real(const std::string& text) {
  Value value = value_of(Value::Kind::kFloat);
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value.real, std::chars_format::fixed);
  if (error == std::errc() && rest == end && value.real >= 0) return value;
  return wrong("a positive numeric value", text);
}

Value plain_text(const std::string& text) {
  Value value = value_of(Value::Kind::kText);
  value.text = text;
  return value;
}

// A JSON list of strings is also a TOML one; anything after it would be a second key.
Result<Value> json_list(const std::string& text) {
  auto document = parse_toml("list = " + text, "annotation");
  bool good = document && document->table.size() == 1 &&
              document->table.at("list").kind == Value::Kind::kList;
  if (!good) return wrong("a JSON list of strings", text);
  return std::move(document->table.at("list"));
}

Value split(const std::string& text, char separator) {
  Value list = value_of(Value::Kind::kList);
  size_t start = 0;
  while (start <= text.size()) {
    size_t end = std::min(text.find(separator, start), text.size());
    std::string word = text.substr(start, end - start);
    word.erase(0, std::min(word.find_first_not_of(' '), word.size()));
    word.erase(word.find_last_not_of(' ') + 1);
    if (!word.empty()) list.list.push_back(plain_text(word));
    start = end + 1;
  }
  return list;
}

}  // namespace

Result<Value> pod_value(const PodKey& pod_key, const Key& key, const std::string& text,
                        Config& config) {
  if (!key.field) return plain_text(text);
  const Field field = key.field(config);
  if (std::holds_alternative<bool*>(field)) return boolean(text);
  if (std::holds_alternative<uint64_t*>(field) || std::holds_alternative<Millis*>(field)) {
    return integer(pod_key, text);
  }
  if (std::holds_alternative<double*>(field)) return real(text);
  if (!std::holds_alternative<TextList*>(field)) return plain_text(text);
  if (pod_key.annotation == "virtio_fs_extra_args") return json_list(text);
  return split(text, pod_key.annotation == "kernel_modules" ? ';' : ' ');
}

}  // namespace kata::config
