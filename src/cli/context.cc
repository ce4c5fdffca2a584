#include "cli/context.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "config/search.h"

namespace kata::cli {

void say(std::string_view text) {
  (void)write_all(STDOUT_FILENO, text);
}

void complain(std::string_view text) {
  (void)write_all(STDERR_FILENO, text);
}

int report(const Error& error) {
  complain("kata-runtime: " + printable(error.message()) + "\n");
  return kFailed;
}

Result<std::string> config_path(const Context& context) {
  if (context.global.config.empty()) return config::find("");
  std::error_code error;
  const auto path = std::filesystem::absolute(context.global.config, error);
  // The working folder is gone.
  if (error) return fail_errno("--config " + context.global.config, error.value());
  return path.string();
}

Result<config::LoadedConfig> load_config(const Context& context,
                                         const config::LoadOptions& options) {
  TRY(std::string path, config_path(context));
  return config::load(path, options);
}

Status check_id(std::string_view id) {
  auto good = [](char c) { return isalnum(static_cast<unsigned char>(c)) != 0; };
  constexpr size_t kLongest = 255;
  const bool valid =
      id.size() >= 2 && id.size() <= kLongest && good(id[0]) &&
      std::ranges::all_of(id, [&](char c) { return good(c) || c == '_' || c == '.' || c == '-'; });
  if (valid) return {};
  return fail(Code::kInvalidArgument,
              "\"" + std::string(id) +
                  "\" is not a sandbox id: letters, digits, '_', '.' and '-', at least two, the "
                  "first a letter or digit; `crictl pods --no-trunc` and `ctr tasks ls` list ids");
}

}  // namespace kata::cli
