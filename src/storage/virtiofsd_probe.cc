#include "storage/virtiofsd_probe.h"

#include <sys/stat.h>

#include <map>
#include <optional>

#include "base/command.h"

namespace kata::storage {

namespace {

// A host that emulates its own CPUs, and is busy besides, takes ten seconds for it.
constexpr auto kLimit = 60s;

// Output (both streams) of `path option`; old daemons exit with 1 after --help.
Task<Result<std::string>> output_of(std::string path, std::string option) {
  SpawnOptions options;
  options.argv = {path, option};
  options.env = std::vector<std::string>{};
  options.die_with_parent = true;
  CommandLimits limits;
  limits.time = kLimit;
  CO_TRY(CommandResult result, co_await run_command(std::move(options), limits));
  if (result.timed_out) {
    co_return fail(Code::kDeadlineExceeded, path + " " + option + " does not end");
  }
  co_return std::move(result.output);
}

std::optional<VirtiofsdDialect> dialect_of(const std::string& text) {
  const auto says = [&](const char* words) { return text.find(words) != text.npos; };
  if (says("QEMU Project") || says("using FUSE kernel interface") || says("-o source=")) {
    return VirtiofsdDialect::kC;
  }
  if (says("--shared-dir") || text.starts_with("virtiofsd ")) return VirtiofsdDialect::kRust;
  return std::nullopt;
}

// What tells one file from its replacement.
struct FileMark {
  dev_t device;
  ino_t inode;
  time_t seconds;
  long nanoseconds;
  bool operator==(const FileMark&) const = default;
};

struct Known {
  FileMark mark;
  VirtiofsdDialect dialect;
};

}  // namespace

Task<Result<VirtiofsdDialect>> probe_virtiofsd(std::string path) {
  // One event loop: no lock.
  static std::map<std::string, Known> known;
  struct stat info {};
  if (stat(path.c_str(), &info) < 0) co_return fail_errno("virtiofsd " + path);
  const FileMark mark{info.st_dev, info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
  if (auto found = known.find(path); found != known.end() && found->second.mark == mark) {
    co_return found->second.dialect;
  }
  for (const char* option : {"--version", "--help"}) {
    auto text = co_await output_of(path, option);
    if (!text)
      co_return in_step("probe virtiofsd",
                        Result<VirtiofsdDialect>(std::unexpected(std::move(text.error()))));
    if (auto dialect = dialect_of(*text)) {
      known.insert_or_assign(path, Known{mark, *dialect});
      co_return *dialect;
    }
  }
  co_return fail(Code::kInvalidArgument, path + " is no virtiofsd that is known here");
}

}  // namespace kata::storage
