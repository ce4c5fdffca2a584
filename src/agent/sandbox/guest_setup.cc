#include "agent/sandbox/guest_setup.h"

#include <sys/mount.h>
#include <unistd.h>

#include "agent/process/run_tool.h"
#include "base/file.h"
#include "base/log.h"

namespace kata::agent {

Status prepare_run_dir(const std::string& run_dir) {
  if (auto removed = remove_tree(run_dir); !removed) {
    // A mount below is the usual reason; what could be removed is removed.
    log::failure("run folder not empty", removed.error());
  }
  return make_dirs(run_dir + "/sandbox");
}

Task<Status> load_kernel_modules(google::protobuf::RepeatedPtrField<grpc::KernelModule> modules) {
  for (const auto& module : modules) {
    CO_TRY(std::string tool, find_tool({"/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe"}));
    std::vector<std::string> argv = {tool, "-v", "--", module.name()};
    argv.insert(argv.end(), module.parameters().begin(), module.parameters().end());
    CO_TRY(ToolOutput output, co_await run_tool(std::move(argv)));
    if (output.code != 0) {
      co_return fail(Code::kInternal, "modprobe " + module.name() + " ended with " +
                                          std::to_string(output.code) + ": " + output.err);
    }
  }
  co_return Status{};
}

Status set_dns(const std::string& run_dir, const std::vector<std::string>& lines) {
  constexpr char kTarget[] = "/etc/resolv.conf";
  if (lines.empty() || !path_exists(kTarget)) return {};
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  std::string file = run_dir + "/sandbox/resolv.conf";
  TRY_STATUS(write_file(file, text, 0644));
  if (mount(file.c_str(), kTarget, nullptr, MS_BIND, nullptr) < 0) {
    return fail_errno("bind resolv.conf");
  }
  return {};
}

Status set_guest_hostname(const std::string& name) {
  if (name.empty()) return {};
  if (sethostname(name.data(), name.size()) < 0) return fail_errno("set hostname " + name);
  return {};
}

}  // namespace kata::agent
