#include "monitor/options.h"

#include <arpa/inet.h>

#include <charconv>

#include "base/log.h"
#include "version.h"

namespace kata::monitor {

namespace {

// The text option that a flag's name means; nullptr when there is none.
std::string* value_of(Options& options, std::string_view name) {
  if (name == "listen-address") return &options.listen_address;
  if (name == "runtime-endpoint") return &options.runtime_endpoint;
  if (name == "log-level") return &options.log_level;
  return nullptr;
}

bool* switch_of(Options& options, std::string_view name) {
  if (name == "version" || name == "v") return &options.version;
  if (name == "help" || name == "h") return &options.help;
  return nullptr;
}

Status check(const Options& options) {
  // Upstream's words for the worst two.
  if (options.log_level == "fatal" || options.log_level == "panic") return {};
  log::Level level;
  if (log::parse_level(options.log_level, &level)) return {};
  return fail(Code::kInvalidArgument,
              "unknown log level \"" + options.log_level +
                  "\"; there are trace, debug, info, warn, error, fatal and panic");
}

bool is_ip_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (word == "version" || word == "help") {
      *switch_of(options, word) = true;
      continue;
    }
    if (!word.starts_with('-')) {
      return fail(Code::kInvalidArgument, "unexpected argument \"" + arguments[i] + "\"");
    }
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (bool* on = switch_of(options, name)) {
      *on = true;
      continue;
    }
    std::string* value = value_of(options, name);
    if (!value) return fail(Code::kInvalidArgument, "unknown option \"" + arguments[i] + "\"");
    if (equals != std::string_view::npos) {
      *value = word.substr(equals + 1);
    } else if (++i < arguments.size()) {
      *value = arguments[i];
    } else {
      return fail(Code::kInvalidArgument, "option -" + std::string(name) + " needs a value");
    }
  }
  TRY_STATUS(check(options));
  return options;
}

std::string_view usage() {
  return "usage: kata-monitor [options]\n"
         "Serves the figures of all sandboxes of this node to Prometheus. Needs to be run by "
         "root.\n"
         "  --listen-address ADDRESS:PORT  where to listen (default 127.0.0.1:8090)\n"
         "  --runtime-endpoint PATH        accepted, not used: sandboxes say which pods they are\n"
         "  --log-level LEVEL              trace, debug, info (default), warn, error, fatal, "
         "panic\n"
         "  --version                      print the version\n";
}

std::string version_text() {
  return std::string("kata-monitor\n Version:\t") + kVersion + "\n Compatible with:\t" +
         kCompatVersion + "\n Git commit:\t" + KATA_COMMIT + "\n OS/Arch:\tlinux/amd64\n";
}

Result<Address> parse_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  Address address;
  const char* end = text.data() + text.size();
  const auto port = colon == std::string::npos
                        ? std::from_chars_result{end, std::errc::invalid_argument}
                        : std::from_chars(text.data() + colon + 1, end, address.port);
  if (port.ec != std::errc() || port.ptr != end) {
    return fail(Code::kInvalidArgument, "\"" + text + "\" is no ADDRESS:PORT");
  }
  address.host = text.substr(0, colon);
  if (address.host == "localhost") address.host = "127.0.0.1";
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (address.host.empty() || is_ip_address(address.host)) return address;
  return fail(Code::kInvalidArgument,
              "\"" + address.host + "\" is no IP address; write for example 127.0.0.1:8090");
}

}  // namespace kata::monitor
