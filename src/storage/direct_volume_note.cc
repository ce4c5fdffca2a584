// What a storage driver wrote about a direct-assigned volume.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "storage/direct_volume.h"

namespace kata::storage {

namespace {

using Json = nlohmann::json;

constexpr size_t kMaxOptions = 64;
constexpr size_t kMaxText = 4096;
constexpr size_t kMaxFsType = 32;

std::unexpected<Error> wrong(std::string_view member, std::string_view what) {
  return fail(Code::kInvalidArgument, std::string(member) + ": " + std::string(what));
}

// A text that goes into system calls; empty when absent.
Result<std::string> text_of(const Json& object, const char* member) {
  auto found = object.find(member);
  if (found == object.end() || found->is_null()) return std::string();
  if (!found->is_string()) return wrong(member, "must be a string");
  auto text = found->get<std::string>();
  if (text.size() > kMaxText) return wrong(member, "is too long");
  if (text.find('\0') != text.npos) return wrong(member, "has a zero byte");
  return text;
}

// Disks only: "block" is what CSI drivers of upstream's Go runtime write, "directvol" those of the
// Rust one.
Status check_type(const std::string& type) {
  if (type == "block" || type == "directvol") return {};
  if (type == "vfiovol" || type == "spdkvol") {
    return fail(Code::kUnimplemented, "volume-type: " + type + " is not offered, only block is");
  }
  return wrong("volume-type", "\"" + printable(type) + "\" is none of block, directvol");
}

Status check_fs_type(const std::string& type) {
  const bool plain = std::ranges::all_of(
      type, [](unsigned char c) { return isalnum(c) || c == '_' || c == '-' || c == '.'; });
  if (!type.empty() && type.size() <= kMaxFsType && plain) return {};
  return wrong("fstype", "must name a file system");
}

Result<std::vector<std::string>> options_of(const Json& note) {
  std::vector<std::string> options;
  auto found = note.find("options");
  if (found == note.end() || found->is_null()) return options;
  if (!found->is_array()) return wrong("options", "must be a list");
  if (found->size() > kMaxOptions) return wrong("options", "are too many");
  for (const Json& option : *found) {
    if (!option.is_string()) return wrong("options", "must be strings");
    options.push_back(option.get<std::string>());
    if (options.back().size() > kMaxText || options.back().find('\0') != std::string::npos) {
      return wrong("options", "one is too long or has a zero byte");
    }
  }
  return options;
}

Result<std::optional<grpc::FSGroup>> group_of(const Json& note) {
  auto found = note.find("metadata");
  if (found == note.end() || found->is_null()) return std::nullopt;
  if (!found->is_object()) return wrong("metadata", "must be an object");
  TRY(std::string id, in_step("metadata", text_of(*found, "fsGroup")));
  TRY(std::string policy, in_step("metadata", text_of(*found, "fsGroupChangePolicy")));
  if (!policy.empty() && policy != "Always" && policy != "OnRootMismatch") {
    return wrong("metadata: fsGroupChangePolicy", "is neither Always nor OnRootMismatch");
  }
  if (id.empty()) return std::nullopt;
  uint32_t number = 0;
  const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (problem != std::errc() || end != id.data() + id.size()) {
    return wrong("metadata: fsGroup", "must be the number of a group");
  }
  grpc::FSGroup group;
  group.set_group_id(number);
  group.set_group_change_policy(policy == "OnRootMismatch" ? types::OnRootMismatch : types::Always);
  return group;
}

}  // namespace

bool DirectVolume::read_only() const {
  bool sealed = false;
  for (const std::string& words : options) {
    for (size_t begin = 0; begin <= words.size();) {
      const size_t end = std::min(words.find(',', begin), words.size());
      const std::string_view word = std::string_view(words).substr(begin, end - begin);
      if (word == "ro") sealed = true;
      if (word == "rw") sealed = false;
      begin = end + 1;
    }
  }
  return sealed;
}

Result<DirectVolume> parse_direct_volume(std::string_view json) {
  // Nobody nests deeper; a parser that follows would use up our stack.
  constexpr int kDepth = 8;
  bool deep = false;
  const auto watch = [&deep](int depth, Json::parse_event_t, Json&) {
    deep |= depth > kDepth;
    return !deep;
  };
  const Json note = Json::parse(json, watch, false);
  if (note.is_discarded() || deep) {
    return fail(Code::kInvalidArgument, "is no JSON, or was cut short");
  }
  if (!note.is_object()) return fail(Code::kInvalidArgument, "is no JSON object");
  DirectVolume volume;
  TRY(std::string type, text_of(note, "volume-type"));
  TRY_STATUS(check_type(type));
  TRY(volume.device, text_of(note, "device"));
  if (!volume.device.starts_with('/')) return wrong("device", "must be an absolute path");
  TRY(volume.fs_type, text_of(note, "fstype"));
  TRY_STATUS(check_fs_type(volume.fs_type));
  TRY(volume.options, options_of(note));
  TRY(volume.group, group_of(note));
  return volume;
}

}  // namespace kata::storage
