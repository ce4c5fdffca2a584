#include "shim/verbs/start.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "oci/annotations.h"
#include "oci/spec.h"
#include "shim/address.h"
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

Result<std::string> start(const Options& options) {
  TRY(std::string bundle, working_dir());
  TRY(grpc::Spec spec, oci::load_bundle(bundle));
  TRY(oci::ContainerType type, oci::container_type(spec));
  TRY(std::string sandbox, oci::sandbox_id(spec, options.id));
  const std::string address =
      socket_address(options.address, options.containerd_namespace, sandbox);
  if (type == oci::ContainerType::kPodContainer) {
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
