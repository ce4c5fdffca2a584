#include "runtime/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "base/file.h"
#include "network/in_netns.h"

namespace kata::runtime {

namespace {

constexpr char kHostNetwork[] =
    "the host's network was asked for, but a container in a VM cannot have it: drop --net-host, "
    "hostNetwork or the network namespace path of the host";

// False also when `path` may not be looked at: an init that hides its namespaces is not ours to
// share.
bool same_namespace(int fd, const char* path) {
  struct stat a {
  }, b{};
  return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// A thread makes the namespace and lends it to its descriptor; no mount is needed.
Result<network::Netns> new_netns() {
  Result<UniqueFd> result = fail(Code::kInternal, "network namespace");
  TRY_STATUS(network::run_in_thread([&result] {
    if (unshare(CLONE_NEWNET) < 0) {
      result = fail_errno("make a network namespace");
    } else {
      result = open_file("/proc/thread-self/ns/net", O_RDONLY);
    }
  }));
  TRY(UniqueFd fd, std::move(result));
  return network::Netns{std::move(fd), {}};
}

}  // namespace

Result<network::Netns> sandbox_netns(const grpc::Spec& spec) {
  const grpc::LinuxNamespace* network = nullptr;
  for (const auto& entry : spec.linux().namespaces()) {
    if (entry.type() == "network") network = &entry;
  }
  if (!network) return fail(Code::kInvalidArgument, kHostNetwork);
  if (network->path().empty()) return new_netns();
  TRY(network::Netns netns, network::open_netns(network->path()));
  const int fd = netns.fd.get();
  if (same_namespace(fd, "/proc/1/ns/net") || same_namespace(fd, "/proc/self/ns/net")) {
    return fail(Code::kInvalidArgument, kHostNetwork);
  }
  return netns;
}

}  // namespace kata::runtime
