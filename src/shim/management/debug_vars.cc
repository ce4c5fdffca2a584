#include "shim/management/debug_vars.h"

#include <malloc.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "version.h"

namespace kata::shim {

namespace {

constexpr char kPages[] =
    "/debug/vars           memory and command line, JSON\n"
    "/debug/pprof/cmdline  command line, arguments divided by NUL\n";

// NUL-divided, as /proc has it.
std::string command_line() {
  auto text = read_file("/proc/self/cmdline");
  return text ? std::move(*text) : std::string();
}

std::vector<std::string> arguments() {
  std::vector<std::string> all;
  const std::string text = command_line();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\0', begin), text.size());
    all.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

http::Response vars() {
  const struct mallinfo2 heap = mallinfo2();
  nlohmann::json json;
  json["cmdline"] = arguments();
  json["version"] = kVersion;
  json["pid"] = getpid();
  json["memory"] = {{"heap_bytes", heap.arena},
                    {"mapped_bytes", heap.hblkhd},
                    {"used_bytes", heap.uordblks},
                    {"free_bytes", heap.fordblks}};
  http::Response response;
  response.type = "application/json; charset=utf-8";
  response.body = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return response;
}

}  // namespace

http::Response answer_debug(const std::string& path) {
  if (path == "/debug/vars") return vars();
  if (path == "/debug/pprof/" || path == "/debug/pprof") return http::text_response(200, kPages);
  http::Response response;
  if (path == "/debug/pprof/cmdline") {
    response.body = command_line();
    return response;
  }
  if (path.starts_with("/debug/pprof/")) {
    return http::text_response(
        501, "no such profile in this shim; use `perf record -p " + std::to_string(getpid()) + "`");
  }
  return http::text_response(404, "no such page");
}

}  // namespace kata::shim
