#include "storage/virtiofsd_args.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"

namespace kata::storage {

namespace {

// One extra option, free of its spelling: "--xattr", "-o xattr", "-oxattr" are all {"xattr", ""}.
struct ExtraOption {
  std::string name;  // words joined by '-'
  std::string value;
  bool has_value = false;
};

// Options that belong to the runtime, and those that end the daemon or leave its parent.
constexpr std::string_view kRefused[] = {
    "socket-path", "socket",  "socket-group", "fd",         "shared-dir",         "source",
    "daemonize",   "version", "help",         "allow-root", "print-capabilities",
};
// Options that take their value as the next word too.
constexpr std::string_view kWithValue[] = {
    "sandbox",
    "seccomp",
    "cache",
    "thread-pool-size",
    "rlimit-nofile",
    "log-level",
    "inode-file-handles",
    "xattrmap",
    "modcaps",
    "timeout",
    "syslog-facility",
};
// Switches of the Rust daemon that the C daemon spells "-o word_word".
constexpr std::string_view kSuboptionsOfC[] = {
    "announce-submounts",
    "xattr",
    "no-xattr",
    "writeback",
    "no-writeback",
    "posix-acl",
    "no-posix-acl",
    "security-label",
    "no-security-label",
    "allow-direct-io",
    "no-allow-direct-io",
    "killpriv-v2",
    "no-killpriv-v2",
    "readdirplus",
    "no-readdirplus",
    "flock",
    "no-flock",
    "posix-lock",
    "no-posix-lock",
    "cache",
    "timeout",
    "sandbox",
    "xattrmap",
    "modcaps",
    "log-level",
    "debug",
    "max-idle-threads",
};
constexpr std::string_view kLongOfC[] = {"thread-pool-size", "rlimit-nofile", "syslog"};

// Characters with a meaning in the list behind -o.
constexpr const char* kListSigns = ",\\";

template <size_t N>
bool listed(const std::string_view (&list)[N], std::string_view word) {
  return std::ranges::find(list, word) != std::end(list);
}

ExtraOption split_option(std::string_view text) {
  ExtraOption option;
  size_t equals = text.find('=');
  option.name = text.substr(0, equals);
  std::ranges::replace(option.name, '_', '-');
  if (equals != text.npos) {
    option.has_value = true;
    option.value = text.substr(equals + 1);
  }
  return option;
}

std::unexpected<Error> refuse(const std::string& word, std::string_view why) {
  return fail(Code::kInvalidArgument, "virtio_fs_extra_args: '" + word + "' " + std::string(why));
}

Status check_option(const ExtraOption& option, const std::string& word) {
  const auto one_of = [&](std::string_view a, std::string_view b) {
    return option.value == a || option.value == b;
  };
  if (listed(kRefused, option.name)) return refuse(word, "is set by the runtime");
  if (option.name == "sandbox" && !one_of("namespace", "chroot")) {
    return refuse(word, "would run virtiofsd without its sandbox");
  }
  if (option.name == "seccomp" && !one_of("kill", "trap")) {
    return refuse(word, "would run virtiofsd without its seccomp filter");
  }
  if (option.name == "modcaps" && option.value.find('+') != std::string::npos) {
    return refuse(word, "would give virtiofsd more capabilities");
  }
  return {};
}

// A comma list behind -o.
Status parse_suboptions(const std::string& list, std::vector<ExtraOption>* out) {
  // The C daemon unescapes the list: "s\157urce=/" would name the folder.
  if (list.find('\\') != list.npos) return refuse(list, "has a backslash");
  for (size_t begin = 0; begin <= list.size();) {
    size_t end = std::min(list.find(',', begin), list.size());
    ExtraOption option = split_option(std::string_view(list).substr(begin, end - begin));
    begin = end + 1;
    if (option.name.empty()) return refuse(list, "has an empty option");
    TRY_STATUS(check_option(option, list));
    out->push_back(std::move(option));
  }
  return {};
}

Result<std::vector<ExtraOption>> parse_extra(const std::vector<std::string>& words) {
  std::vector<ExtraOption> options;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-o") {
      if (++i == words.size()) return refuse(word, "lacks its value");
      TRY_STATUS(parse_suboptions(words[i], &options));
    } else if (word.starts_with("-o")) {
      TRY_STATUS(parse_suboptions(word.substr(2), &options));
    } else if (word == "-d") {
      options.push_back({"debug", "", false});
    } else if (word.starts_with("--") && word.size() > 2) {
      ExtraOption option = split_option(std::string_view(word).substr(2));
      if (!option.has_value && listed(kWithValue, option.name)) {
        if (++i == words.size()) return refuse(word, "lacks its value");
        option.has_value = true;
        option.value = words[i];
      }
      TRY_STATUS(check_option(option, word));
      options.push_back(std::move(option));
    } else if (word != "-f" && !word.empty()) {
      return refuse(word, "is not understood");
    }
  }
  return options;
}

bool has(const std::vector<ExtraOption>& options, std::string_view name) {
  return std::ranges::any_of(options, [&](const auto& o) { return o.name == name; });
}

std::string long_option(const ExtraOption& option) {
  return "--" + option.name + (option.has_value ? "=" + option.value : "");
}

// The C daemon knows no cache of metadata alone: the stricter mode never shows stale data.
std::string cache_of_c(const std::string& cache) {
  return cache == "never" || cache == "metadata" ? "none" : cache;
}

Result<std::vector<std::string>> c_args(const VirtiofsdCommand& command,
                                        const std::vector<ExtraOption>& extra) {
  std::vector<std::string> args{command.path, "--fd=" + std::to_string(command.socket_fd), "-f"};
  const auto sub = [&](std::string text) { args.insert(args.end(), {"-o", std::move(text)}); };
  if (command.shared_dir.find_first_of(kListSigns) != std::string::npos) {
    return fail(Code::kInvalidArgument, "shared folder with a comma: " + command.shared_dir);
  }
  sub("source=" + command.shared_dir);
  if (!has(extra, "cache")) sub("cache=" + cache_of_c(command.cache));
  if (!has(extra, "sandbox")) sub("sandbox=namespace");
  if (!has(extra, "posix-lock")) sub("no_posix_lock");
  if (!has(extra, "rlimit-nofile")) {
    args.push_back("--rlimit-nofile=" + std::to_string(command.max_files));
  }
  for (ExtraOption option : extra) {
    if (listed(kLongOfC, option.name)) {
      args.push_back(long_option(option));
      continue;
    }
    // Its filter is built in and always on.
    if (option.name == "seccomp") continue;
    if (!listed(kSuboptionsOfC, option.name)) {
      return refuse(long_option(option), "has no meaning for the virtiofsd of QEMU");
    }
    // A value must not become further suboptions.
    if (option.value.find_first_of(kListSigns) != std::string::npos) {
      return refuse(long_option(option), "has a comma or backslash");
    }
    if (option.name == "cache") option.value = cache_of_c(option.value);
    if (option.name == "log-level" && option.value == "error") option.value = "err";
    std::ranges::replace(option.name, '-', '_');
    sub(option.name + (option.has_value ? "=" + option.value : ""));
  }
  return args;
}

std::vector<std::string> rust_args(const VirtiofsdCommand& command,
                                   const std::vector<ExtraOption>& extra) {
  std::vector<std::string> args{command.path, "--shared-dir=" + command.shared_dir,
                                "--fd=" + std::to_string(command.socket_fd)};
  const auto unless = [&](std::string_view name, const std::string& value) {
    if (!has(extra, name)) args.push_back("--" + std::string(name) + "=" + value);
  };
  unless("cache", command.cache == "none" ? "never" : command.cache);
  unless("sandbox", "namespace");
  unless("seccomp", "kill");
  unless("rlimit-nofile", std::to_string(command.max_files));
  for (const auto& option : extra) {
    if (option.name == "debug") {
      args.push_back("-d");
    } else if (option.name != "no-posix-lock" && option.name != "no-flock") {
      args.push_back(long_option(option));
    }
  }
  return args;
}

uint64_t read_number(const std::string& path, uint64_t fallback) {
  auto text = read_file(path);
  if (!text) return fallback;
  uint64_t value = strtoull(text->c_str(), nullptr, 10);
  return value > 0 ? value : fallback;
}

bool may_raise_limits() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) < 0) return false;
  return (data[0].effective & (1u << CAP_SYS_RESOURCE)) != 0;
}

}  // namespace

Result<std::vector<std::string>> virtiofsd_args(VirtiofsdDialect dialect,
                                                const VirtiofsdCommand& command) {
  static constexpr std::string_view kCaches[] = {"auto", "always", "metadata", "never", "none"};
  if (!listed(kCaches, command.cache)) {
    return fail(Code::kInvalidArgument, "virtio_fs_cache: unknown mode '" + command.cache + "'");
  }
  TRY(auto extra, parse_extra(command.extra_args));
  if (dialect == VirtiofsdDialect::kC) return c_args(command, extra);
  return rust_args(command, extra);
}

uint64_t virtiofsd_max_files() {
  // The daemons' own wish, and the reserve they leave to the rest of the host.
  constexpr uint64_t kWish = 1'000'000, kReserve = 16'384;
  uint64_t files = std::min(kWish, read_number("/proc/sys/fs/nr_open", kWish));
  const uint64_t all = read_number("/proc/sys/fs/file-max", kWish + kReserve);
  if (all > 2 * kReserve) files = std::min(files, all - kReserve);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && !may_raise_limits()) {
    files = std::min<uint64_t>(files, limit.rlim_max);
  }
  return files;
}

}  // namespace kata::storage
