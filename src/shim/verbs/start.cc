#include "shim/verbs/start.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "oci/annotations.h"
#include "oci/spec.h"
#include "shim/address.h"
#include "shim/runtime_options.h"
#include "shim/socket.h"
#include "shim/verbs/launch.h"

namespace kata::shim {

namespace {

Result<std::string> working_dir() {
  std::error_code error;
  auto path = std::filesystem::current_path(error);
  if (error) return fail_errno("working directory", error.value());
  return path.string();
}

Status write_files(const std::string& bundle, const std::string& address, pid_t daemon) {
  TRY_STATUS(write_file_atomic(bundle + "/shim.pid", std::to_string(daemon)));
  return write_address_file(bundle, address);
}

// containerd writes it and closes; nothing else ever stands there.
constexpr size_t kMaxOptions = 1 << 20;

// Options with their handler's ConfigPath come with Create in a task's life. A sandbox of the
// Sandbox API gets them here only (facts/shim-v2.md section 13).
Status take_runtime_options(Options* options) {
  TRY(std::string input, in_step("runtime options on stdin", read_fd(STDIN_FILENO, kMaxOptions)));
  options->config_path = config_path_of_start(input, options->id);
  return {};
}

// The sandbox whose shim is wanted, and whether it may be made here.
struct Wanted {
  std::string sandbox;
  bool joins = false;
};

Result<Wanted> wanted_of(const std::string& bundle, Options* options) {
  if (!path_exists(bundle + "/config.json")) {
    TRY_STATUS(take_runtime_options(options));
    return Wanted{options->id, false};
  }
  TRY(grpc::Spec spec, oci::load_bundle(bundle));
  if (options->is_of_crio()) oci::drop_unfiltered(&spec);
  TRY(oci::ContainerType type, oci::container_type(spec));
  TRY(std::string sandbox, oci::sandbox_id(spec, options->id));
  return Wanted{std::move(sandbox), type == oci::ContainerType::kPodContainer};
}

// Whoever reads the log of a bundle waits for somebody to write to it, and of a container that
// joins nobody ever does: CRI-O would keep a thread for each of them. It finds an empty log
// instead.
void release_log_reader(const std::string& bundle) {
  [[maybe_unused]] auto writer = open_file(bundle + "/log", O_RDWR | O_NONBLOCK);
}

Status launch_and_record(const Options& options, const std::string& bundle,
                         const std::string& address, const UniqueFd& listener) {
  TRY(Process daemon, launch_daemon(options, listener.get()));
  auto written = write_files(bundle, address, daemon.pid());
  if (!written) {
    // Nobody would ever find it.
    TRY_STATUS(daemon.kill(SIGKILL));
  }
  return written;
}

}  // namespace

Result<std::string> start(Options options) {
  TRY(std::string bundle, working_dir());
  TRY(Wanted wanted, wanted_of(bundle, &options));
  const std::string address =
      socket_address(options.address, options.containerd_namespace, wanted.sandbox);
  if (wanted.joins) {
    release_log_reader(bundle);
    TRY_STATUS(write_address_file(bundle, address));
    return address;
  }
  TRY(std::string path, socket_path(address));
  TRY(UniqueFd listener, bind_socket(path));
  if (!listener) {  // the sandbox's shim lives already
    TRY_STATUS(write_address_file(bundle, address));
    return address;
  }
  auto launched = launch_and_record(options, bundle, address, listener);
  if (!launched) {
    unlink(path.c_str());
    return std::unexpected(std::move(launched.error()));
  }
  return address;
}

}  // namespace kata::shim
