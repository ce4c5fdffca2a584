#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"
#include "oci/annotations.h"

// The copy of a host spec that the guest gets (facts/runtime-behaviour.md section 3.3). Pure: no
// file is looked at. docs/design/configuration.md lists what is changed and why.
namespace kata::oci {

struct GuestContext {
  ContainerType type = ContainerType::kSingleContainer;
  std::string bundle;  // host path, told to the guest as an annotation
  std::string rootfs;  // guest path of the root file system
  // New form of spec.mounts[index]; nullopt = the mount does not reach the guest.
  std::map<int, std::optional<grpc::Mount>> mounts;
  // Entries of linux.devices whose disks the guest has. Other block devices are left out of the
  // guest's copy, and so are the device rules about them: host numbers would mean other disks
  // there.
  std::set<int> block_devices;
  // Guest directory behind a bind-mounted /dev/shm; empty = /dev/shm is treated like any mount.
  std::string shm_source = "/run/kata-containers/sandbox/shm";
  bool seccomp = true;        // false drops the filter (disable_guest_seccomp, or no support)
  bool selinux = false;       // SELinux in the guest; false empties the labels
  std::string selinux_label;  // whole label to use instead of the host's retyped one
  bool vfio_in_guest_kernel = true;  // the guest's driver owns VFIO devices: no /dev/vfio nodes
  // Upstream's agent is not sent cgroup and time namespaces nor startContainer hooks.
  bool own_agent = true;
};

struct GuestSpec {
  grpc::Spec spec;
  bool sandbox_pidns = false;        // CreateContainerRequest.sandbox_pidns
  std::vector<std::string> dropped;  // one sentence per thing the guest will not do, for the log
};

// kInvalidArgument when a bind mount of a host path has no entry in `mounts`: the guest would mount
// something of its own in its place.
Result<GuestSpec> to_guest(const grpc::Spec& host, const GuestContext& context);

// Resources of an Update request, trimmed by the same rules.
grpc::LinuxResources to_guest(const grpc::LinuxResources& host);

// A process of an Exec request: labels as for the container.
grpc::Process to_guest(const grpc::Process& host, const GuestContext& context);

bool is_bind(const grpc::Mount& mount);
// Indexes of the bind mounts whose sources are host files: what the storage code has to bring into
// the guest and enter in GuestContext::mounts. Sources below /proc, /sys and (with shm_source set)
// a bind on /dev/shm are not among them, nor what GuestContext::mounts has already.
std::vector<int> host_binds(const grpc::Spec& spec, const GuestContext& context);

}  // namespace kata::oci
