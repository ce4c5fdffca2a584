#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace kata::oci {

// The first thing found wrong in a document; later ones are not recorded.
struct ReadFailure {
  std::string message;  // empty = all well so far
};

// View of one object inside a parsed JSON document, with checked access to its members.
//
// A member that is absent or null reads as "absent". A wrong type or range is noted in the shared
// ReadFailure with the path of the member and also reads as absent, so that a reader is a plain
// list of fields and asks once, at the end, whether all went well. Views live on the stack of the
// reader and must not outlive the document. Throws nothing.
class JsonObject {
 public:
  // Root of a document; `node` must be an object.
  JsonObject(const nlohmann::json& node, ReadFailure& failure) : node_(&node), failure_(&failure) {}

  std::optional<std::string> text(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;

  template <class Int>
  std::optional<Int> number(std::string_view key) const {
    using Limits = std::numeric_limits<Int>;
    if constexpr (std::is_signed_v<Int>) {
      auto value = signed_number(key, Limits::min(), Limits::max());
      return value ? std::optional<Int>(static_cast<Int>(*value)) : std::nullopt;
    } else {
      auto value = unsigned_number(key, Limits::max());
      return value ? std::optional<Int>(static_cast<Int>(*value)) : std::nullopt;
    }
  }

  // Calls `take` for each element of an array of strings, of numbers, of objects.
  void texts(std::string_view key, const std::function<void(std::string)>& take) const;
  void numbers(std::string_view key, const std::function<void(uint32_t)>& take) const;
  void objects(std::string_view key, const std::function<void(const JsonObject&)>& take) const;
  // Calls `take` for each member of an object of strings, of objects.
  void text_map(std::string_view key,
                const std::function<void(const std::string&, std::string)>& take) const;
  void object_map(std::string_view key,
                  const std::function<void(const std::string&, const JsonObject&)>& take) const;
  // Calls `take` when the member is there and is an object.
  void object(std::string_view key, const std::function<void(const JsonObject&)>& take) const;

 private:
  JsonObject(const nlohmann::json& node, const JsonObject& parent, std::string place)
      : node_(&node), parent_(&parent), place_(std::move(place)), failure_(parent.failure_) {}

  // The member, or null when absent, JSON null or after a failure.
  const nlohmann::json* member(std::string_view key) const;
  const nlohmann::json* array(std::string_view key) const;
  std::optional<int64_t> signed_number(std::string_view key, int64_t min, int64_t max) const;
  std::optional<uint64_t> unsigned_number(std::string_view key, uint64_t max) const;
  std::optional<std::string> string_at(const nlohmann::json& node, const std::string& place) const;
  std::string path() const;
  void refuse(std::string_view place, std::string_view expected, const nlohmann::json& found) const;
  void fail_at(std::string_view place, std::string_view text) const;

  const nlohmann::json* node_;
  const JsonObject* parent_ = nullptr;
  std::string place_;  // ".linux" or "[3]" below the parent
  ReadFailure* failure_;
};

// Parses a bounded document whose root must be an object, lets `read` take what it wants and
// returns the first failure, prefixed with `name` ("config.json").
Status read_document(std::string_view json, std::string_view name,
                     const std::function<void(const JsonObject&)>& read);

}  // namespace kata::oci
