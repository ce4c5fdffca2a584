#include "shim/options.h"

#include <optional>

#include "oci/annotations.h"

namespace kata::shim {

namespace {

std::string* text_flag(Options& options, std::string_view name) {
  if (name == "namespace") return &options.containerd_namespace;
  if (name == "address") return &options.address;
  if (name == "publish-binary") return &options.publish_binary;
  if (name == "id") return &options.id;
  if (name == "bundle") return &options.bundle;
  if (name == "socket") return &options.socket;
  if (name == "config-path") return &options.config_path;
  return nullptr;
}

bool* switch_flag(Options& options, std::string_view name) {
  if (name == "debug") return &options.debug;
  if (name == "v" || name == "version") return &options.version;
  if (name == "info") return &options.info;
  return nullptr;
}

std::optional<bool> parse_bool(std::string_view word) {
  for (std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (word == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

Status bad_flag(std::string_view why, std::string_view name) {
  return fail(Code::kInvalidArgument, std::string(why) + ": -" + std::string(name));
}

// One flag; `value` is what stood after '=', `next` the argument after it. Tells whether `next` was
// taken.
Result<bool> apply_flag(Options& options, std::string_view name,
                        std::optional<std::string_view> value, const std::string* next) {
  if (bool* flag = switch_flag(options, name)) {
    auto parsed = value ? parse_bool(*value) : std::optional<bool>(true);
    if (!parsed) return std::unexpected(bad_flag("invalid boolean value", name).error());
    *flag = *parsed;
    return false;
  }
  std::string* text = text_flag(options, name);
  if (!text) {
    return std::unexpected(bad_flag("flag provided but not defined", name).error());
  }
  if (value) {
    *text = *value;
    return false;
  }
  if (!next) return std::unexpected(bad_flag("flag needs an argument", name).error());
  *text = *next;
  return true;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  size_t at = 0;
  for (; at < arguments.size(); ++at) {
    std::string_view word = arguments[at];
    if (word.size() < 2 || word[0] != '-') break;
    word.remove_prefix(word[1] == '-' ? 2 : 1);
    if (word.empty()) {  // "--" ends the flags
      ++at;
      break;
    }
    std::optional<std::string_view> value;
    if (size_t equals = word.find('='); equals != std::string_view::npos) {
      value = word.substr(equals + 1);
      word = word.substr(0, equals);
    }
    const std::string* next = at + 1 < arguments.size() ? &arguments[at + 1] : nullptr;
    TRY(bool took_next, apply_flag(options, word, value, next));
    if (took_next) ++at;
  }
  if (at < arguments.size()) options.action = arguments[at];
  return options;
}

Status check_options(const Options& options) {
  if (options.version || options.info) return {};
  if (!options.action.empty() && options.action != "start" && options.action != "delete") {
    return fail(Code::kInvalidArgument, "unknown action \"" + options.action + "\"");
  }
  if (options.containerd_namespace.empty()) {
    return fail(Code::kInvalidArgument, "-namespace must not be empty");
  }
  return in_step("-id", oci::check_id(options.id));
}

std::string_view usage() {
  return "usage: containerd-shim-kata-v2 -namespace NS -id ID [-address PATH]\n"
         "         [-publish-binary PATH] [-bundle PATH] [-socket PATH] [-debug] [start | delete]\n"
         "       containerd-shim-kata-v2 -version | -info | features\n"
         "It is started by containerd, CRI-O or Docker, not by hand.\n";
}

}  // namespace kata::shim
