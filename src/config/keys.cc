#include "config/keys.h"

#include <cmath>

#include "config/toml_tree.h"

namespace kata::config {
namespace {

std::string joined(Words words) {
  std::string text;
  for (std::string_view word : words) {
    if (word.empty()) continue;
    text += (text.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  }
  return text;
}

std::string number_text(double number) {
  std::string text = std::to_string(static_cast<int64_t>(number));
  return number >= 9.2e18 ? "9223372036854775807" : text;
}

std::unexpected<Error> wrong(const std::string& expected, const Value& found) {
  return fail(Code::kInvalidArgument, "expected " + expected + ", found " + describe(found));
}

// Which word of the row a string is.
Result<size_t> word_index(const Key& key, const Value& value) {
  if (value.kind != Value::Kind::kText) return wrong("one of " + joined(key.words), value);
  for (size_t i = 0; i < key.words.size(); ++i) {
    if (key.words[i] == value.text) return i;
  }
  return wrong("one of " + joined(key.words), value);
}

Result<int64_t> bounded_integer(const Key& key, const Value& value) {
  const auto low = static_cast<int64_t>(key.min);
  bool good = value.kind == Value::Kind::kInteger && value.integer >= low &&
              static_cast<double>(value.integer) <= key.max;
  if (good) return value.integer;
  return wrong("an integer from " + number_text(key.min) + " to " + number_text(key.max), value);
}

// One overload per alternative of Field.
struct Store {
  const Key& key;
  const Value& value;

  Status operator()(bool* member) const {
    if (value.kind != Value::Kind::kBool) return wrong("true or false", value);
    *member = value.flag;
    return {};
  }
  Status operator()(uint64_t* member) const {
    TRY(int64_t number, bounded_integer(key, value));
    *member = static_cast<uint64_t>(number);
    return {};
  }
  Status operator()(double* member) const {
    double number =
        value.kind == Value::Kind::kFloat ? value.real : static_cast<double>(value.integer);
    bool is_number = value.kind == Value::Kind::kFloat || value.kind == Value::Kind::kInteger;
    if (!is_number || !std::isfinite(number) || number < key.min || number > key.max) {
      return wrong("a number from " + number_text(key.min) + " to " + number_text(key.max), value);
    }
    *member = number;
    return {};
  }
  Status operator()(Text* member) const {
    if (!key.words.empty()) TRY_STATUS(word_index(key, value));
    if (value.kind != Value::Kind::kText) return wrong("a string", value);
    if (value.text.find('\0') != std::string::npos) return wrong("a string without NUL", value);
    *member = value.text;
    return {};
  }
  Status operator()(TextList* member) const {
    if (value.kind != Value::Kind::kList) return wrong("a list of strings", value);
    TextList list;
    for (const Value& element : value.list) {
      if (element.kind != Value::Kind::kText) return wrong("a list of strings only", element);
      if (element.text.find('\0') != std::string::npos) return wrong("strings without NUL", value);
      list.push_back(element.text);
    }
    *member = std::move(list);
    return {};
  }
  Status operator()(Millis* member) const {
    TRY(int64_t number, bounded_integer(key, value));
    *member = Millis(number * key.unit);
    return {};
  }
  Status operator()(ChoiceRef member) const {
    TRY(size_t index, word_index(key, value));
    member.set(member.member, index);
    return {};
  }
};

struct Show {
  const Key& key;

  static std::string quoted(const Text& text) {
    std::string out = "\"";
    for (char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + "\"";
  }
  std::string operator()(const bool* member) const { return *member ? "true" : "false"; }
  std::string operator()(const uint64_t* member) const { return std::to_string(*member); }
  std::string operator()(const double* member) const {
    std::string text = std::to_string(*member);
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
  }
  std::string operator()(const Text* member) const { return quoted(*member); }
  std::string operator()(const TextList* member) const {
    std::string text = "[";
    for (const Text& element : *member) text += (text.size() > 1 ? ", " : "") + quoted(element);
    return text + "]";
  }
  std::string operator()(const Millis* member) const {
    return std::to_string(member->count() / key.unit);
  }
  std::string operator()(ChoiceRef member) const {
    return quoted(std::string(key.words[member.get(member.member)]));
  }
};

bool is_zero(const Value& value) {
  return (value.kind == Value::Kind::kInteger && value.integer == 0) ||
         (value.kind == Value::Kind::kFloat && value.real == 0) ||
         (value.kind == Value::Kind::kText && value.text.empty());
}

}  // namespace

const Key* find_key(std::span<const Key> keys, std::string_view name) {
  for (const Key& key : keys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

Status store(const Key& key, const Value& value, Config& config) {
  if (!key.field || (key.zero_is_default && is_zero(value))) return {};
  return std::visit(Store{key, value}, key.field(config));
}

std::string show(const Key& key, Config& config) {
  return key.field ? std::visit(Show{key}, key.field(config)) : std::string();
}

}  // namespace kata::config
