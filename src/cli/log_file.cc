#include "cli/log_file.h"

#include <fcntl.h>

#include <memory>

#include "base/file.h"
#include "base/log.h"

namespace kata::cli {

Status open_log(const GlobalOptions& options) {
  const bool json = options.log_format == "json";
  if (!json && options.log_format != "text") {
    return fail(Code::kInvalidArgument, "unknown log-format \"" + options.log_format +
                                            "\"; possible are \"text\" and \"json\"");
  }
  TRY(UniqueFd opened,
      in_step("log file",
              open_file(options.log, O_WRONLY | O_APPEND | O_CREAT | O_SYNC | O_NOCTTY, 0640)));
  auto file = std::make_shared<UniqueFd>(std::move(opened));
  log::set_common_field("source", "runtime");
  log::set_sink(
      [file, json](log::Level level, std::string_view message, const log::Fields& fields) {
        const std::string line = json ? log::format_json(level, message, fields)
                                      : log::format_logfmt(level, message, fields);
        (void)write_all(file->get(), line);
      });
  return {};
}

}  // namespace kata::cli
