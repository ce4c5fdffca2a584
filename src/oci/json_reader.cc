#include "oci/json_reader.h"

#include <nlohmann/json.hpp>

#include "oci/spec.h"

namespace kata::oci {

using nlohmann::json;

namespace {

std::string describe(const json& node) {
  switch (node.type()) {
    case json::value_t::string:
      return "a string";
    case json::value_t::boolean:
      return "true or false";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return "the number " + node.dump();
    case json::value_t::number_float:
      return "a number with a fraction or an exponent";
    case json::value_t::array:
      return "a list";
    case json::value_t::object:
      return "an object";
    default:
      return "null";
  }
}

std::string member_place(std::string_view key) {
  return "." + std::string(key);
}
std::string element_place(std::string_view key, size_t index) {
  return member_place(key) + "[" + std::to_string(index) + "]";
}

}  // namespace

std::string JsonObject::path() const {
  return parent_ ? parent_->path() + place_ : std::string();
}

void JsonObject::fail_at(std::string_view place, std::string_view text) const {
  if (!failure_->message.empty()) return;
  std::string full = path() + std::string(place);
  if (full.starts_with('.')) full.erase(0, 1);
  failure_->message = full + ": " + std::string(text);
}

void JsonObject::refuse(std::string_view place, std::string_view expected,
                        const json& found) const {
  fail_at(place, "expected " + std::string(expected) + ", found " + describe(found));
}

const json* JsonObject::member(std::string_view key) const {
  if (!failure_->message.empty()) return nullptr;
  auto it = node_->find(key);
  return it == node_->end() || it->is_null() ? nullptr : &*it;
}

const json* JsonObject::array(std::string_view key) const {
  const json* node = member(key);
  if (!node || node->is_array()) return node;
  refuse(member_place(key), "a list", *node);
  return nullptr;
}

std::optional<std::string> JsonObject::string_at(const json& node, const std::string& place) const {
  if (!node.is_string()) {
    refuse(place, "a string", node);
    return std::nullopt;
  }
  const auto& value = node.get_ref<const std::string&>();
  if (value.find('\0') != std::string::npos) {
    fail_at(place, "the string holds a NUL byte");
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> JsonObject::text(std::string_view key) const {
  const json* node = member(key);
  return node ? string_at(*node, member_place(key)) : std::nullopt;
}

std::optional<bool> JsonObject::flag(std::string_view key) const {
  const json* node = member(key);
  if (!node) return std::nullopt;
  if (node->is_boolean()) return node->get<bool>();
  refuse(member_place(key), "true or false", *node);
  return std::nullopt;
}

std::optional<int64_t> JsonObject::signed_number(std::string_view key, int64_t min,
                                                 int64_t max) const {
  const json* node = member(key);
  if (!node) return std::nullopt;
  if (node->is_number_unsigned()) {
    auto value = node->get<uint64_t>();
    if (value <= static_cast<uint64_t>(max)) return static_cast<int64_t>(value);
  } else if (node->is_number_integer()) {
    auto value = node->get<int64_t>();
    if (value >= min && value <= max) return value;
  }
  refuse(member_place(key), "an integer from " + std::to_string(min) + " to " + std::to_string(max),
         *node);
  return std::nullopt;
}

std::optional<uint64_t> JsonObject::unsigned_number(std::string_view key, uint64_t max) const {
  const json* node = member(key);
  if (!node) return std::nullopt;
  if (node->is_number_unsigned() && node->get<uint64_t>() <= max) return node->get<uint64_t>();
  refuse(member_place(key), "an integer from 0 to " + std::to_string(max), *node);
  return std::nullopt;
}

void JsonObject::texts(std::string_view key, const std::function<void(std::string)>& take) const {
  const json* list = array(key);
  if (!list) return;
  for (size_t i = 0; i < list->size(); ++i) {
    auto value = string_at((*list)[i], element_place(key, i));
    if (!value) return;
    take(std::move(*value));
  }
}

void JsonObject::numbers(std::string_view key, const std::function<void(uint32_t)>& take) const {
  const json* list = array(key);
  if (!list) return;
  for (size_t i = 0; i < list->size(); ++i) {
    const json& node = (*list)[i];
    if (!node.is_number_unsigned() || node.get<uint64_t>() > UINT32_MAX) {
      refuse(element_place(key, i), "an integer from 0 to 4294967295", node);
      return;
    }
    take(node.get<uint32_t>());
  }
}

void JsonObject::objects(std::string_view key,
                         const std::function<void(const JsonObject&)>& take) const {
  const json* list = array(key);
  if (!list) return;
  for (size_t i = 0; i < list->size(); ++i) {
    const json& node = (*list)[i];
    if (!node.is_object()) return refuse(element_place(key, i), "an object", node);
    take(JsonObject(node, *this, element_place(key, i)));
  }
}

void JsonObject::text_map(std::string_view key,
                          const std::function<void(const std::string&, std::string)>& take) const {
  object(key, [&](const JsonObject& map) {
    for (const auto& [name, node] : map.node_->items()) {
      std::string place = "[\"" + name + "\"]";
      if (name.find('\0') != std::string::npos) return map.fail_at("", "a name holds a NUL byte");
      auto value = map.string_at(node, place);
      if (!value) return;
      take(name, std::move(*value));
    }
  });
}

void JsonObject::object_map(
    std::string_view key,
    const std::function<void(const std::string&, const JsonObject&)>& take) const {
  object(key, [&](const JsonObject& map) {
    for (const auto& [name, node] : map.node_->items()) {
      std::string place = "[\"" + name + "\"]";
      if (!node.is_object()) return map.refuse(place, "an object", node);
      take(name, JsonObject(node, map, place));
    }
  });
}

void JsonObject::object(std::string_view key,
                        const std::function<void(const JsonObject&)>& take) const {
  const json* node = member(key);
  if (!node) return;
  if (!node->is_object()) return refuse(member_place(key), "an object", *node);
  take(JsonObject(*node, *this, member_place(key)));
}

Status read_document(std::string_view text, std::string_view name,
                     const std::function<void(const JsonObject&)>& read) {
  auto refuse = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, std::string(name) + ": " + std::string(why));
  };
  if (text.size() > kMaxDocumentSize) {
    return refuse("larger than " + std::to_string(kMaxDocumentSize) + " bytes");
  }
  bool too_deep = false;
  auto bound_depth = [&](int depth, json::parse_event_t, const json&) {
    too_deep |= depth > kMaxDocumentDepth;
    return !too_deep;
  };
  json document = json::parse(text, bound_depth, /*allow_exceptions=*/false);
  if (too_deep)
    return refuse("nested deeper than " + std::to_string(kMaxDocumentDepth) + " levels");
  if (document.is_discarded()) return refuse("not a JSON document");
  if (!document.is_object()) return refuse("expected an object, found " + describe(document));
  ReadFailure failure;
  read(JsonObject(document, failure));
  if (!failure.message.empty()) return refuse(failure.message);
  return {};
}

}  // namespace kata::oci
