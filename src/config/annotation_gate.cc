#include "config/annotation_gate.h"

#include <fnmatch.h>
#include <regex.h>

#include <algorithm>
#include <memory>

#include "base/file.h"

namespace kata::config {
namespace {

constexpr size_t kMaxPattern = 256;

bool is_plain_name(std::string_view pattern) {
  return std::all_of(pattern.begin(), pattern.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

struct Regex {
  regex_t compiled{};
  int error = REG_BADPAT;
  explicit Regex(const std::string& pattern) {
    if (pattern.size() <= kMaxPattern) {
      error = regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB);
    }
  }
  ~Regex() {
    if (error == 0) regfree(&compiled);
  }
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
};

}  // namespace

Status check_annotation_pattern(const std::string& pattern) {
  Regex regex(pattern);
  if (regex.error == 0) return {};
  return fail(Code::kInvalidArgument, "\"" + pattern + "\" is not a regular expression");
}

bool annotation_enabled(const TextList& patterns, std::string_view name) {
  const std::string text(name);
  for (const Text& pattern : patterns) {
    if (pattern.empty()) continue;
    if (is_plain_name(pattern)) {
      if (pattern == name) return true;
      continue;
    }
    Regex regex(pattern);
    if (regex.error == 0 && regexec(&regex.compiled, text.c_str(), 0, nullptr, 0) == 0) return true;
  }
  return false;
}

bool path_allowed(const TextList& globs, const std::string& path) {
  const std::string framed = path + "/";
  const bool clean = path.starts_with('/') && framed.find("//") == std::string::npos &&
                     framed.find("/./") == std::string::npos &&
                     framed.find("/../") == std::string::npos;
  if (!clean || !path_exists(path)) return false;
  return std::any_of(globs.begin(), globs.end(), [&](const Text& glob) {
    return fnmatch(glob.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
  });
}

}  // namespace kata::config
