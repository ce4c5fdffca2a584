#include "config/extra_args.h"

#include <array>
#include <string_view>

namespace kata::config {
namespace {

// Options of both virtiofsd generations that decide whom the daemon serves and how it is confined.
constexpr std::array<std::string_view, 12> kReserved = {
    "sandbox", "seccomp",      "modcaps", "source",     "shared-dir", "socket-path",
    "fd",      "socket-group", "chroot",  "vhost-user", "tag",        "uid-map"};

constexpr std::array<std::string_view, 14> kTuning = {"thread-pool-size",
                                                      "announce-submounts",
                                                      "announce_submounts",
                                                      "cache",
                                                      "writeback",
                                                      "no-writeback",
                                                      "xattr",
                                                      "no_xattr",
                                                      "posix-acl",
                                                      "posix_acl",
                                                      "flock",
                                                      "no_flock",
                                                      "posix_lock",
                                                      "no_posix_lock"};

// Option names of an argument list: "--name=value" and "--name" as they are, "-o a,b=c" as a and b.
// Everything that is neither comes back unchanged, so that an allow list refuses it.
TextList option_names(const TextList& args) {
  TextList names;
  for (size_t i = 0; i < args.size(); ++i) {
    std::string_view arg = args[i];
    bool comma_list = false;
    if (arg == "-o" && i + 1 < args.size()) {
      arg = args[++i];
      comma_list = true;
    } else if (arg.starts_with("-o")) {
      arg.remove_prefix(2);
      comma_list = true;
    } else if (arg.starts_with("--")) {
      arg.remove_prefix(2);
    }
    if (arg.empty()) names.push_back(args[i]);  // "--" or a lone "-o"
    while (!arg.empty()) {
      size_t end = comma_list ? arg.find(',') : std::string_view::npos;
      std::string_view word = arg.substr(0, end);
      names.emplace_back(word.substr(0, word.find('=')));
      arg.remove_prefix(end == std::string_view::npos ? arg.size() : end + 1);
    }
  }
  return names;
}

template <size_t N>
bool listed(const std::array<std::string_view, N>& list, std::string_view name) {
  for (std::string_view known : list) {
    if (known == name) return true;
  }
  return false;
}

}  // namespace

Status check_extra_args(const TextList& args) {
  for (const Text& name : option_names(args)) {
    // The Rust daemon accepts unambiguous beginnings of long options.
    bool reserved = false;
    for (std::string_view word : kReserved) {
      reserved |= name.size() >= 3 && word.starts_with(name);
    }
    if (!reserved && !listed(kReserved, name)) continue;
    return fail(
        Code::kInvalidArgument,
        "virtiofsd option \"" + name +
            "\" is set by the runtime itself and cannot be changed: it confines the daemon");
  }
  return {};
}

Status check_pod_extra_args(const TextList& args) {
  for (const Text& name : option_names(args)) {
    if (listed(kTuning, name)) continue;
    return fail(Code::kPermissionDenied,
                "virtiofsd option \"" + name + "\" is not one that a pod may set");
  }
  return {};
}

}  // namespace kata::config
