#pragma once

#include <string>
#include <vector>

#include "agent/oci.pb.h"
#include "storage/host_disk.h"

namespace kata::storage {

// A block device that a container asks for, and the disk of the host behind it.
struct WantedDisk {
  int index = 0;               // in linux.devices
  std::string container_path;  // where the container finds it
  bool read_only = false;      // for this container, or because the host cannot write to it
  HostDisk disk;
};

// What linux.devices asks for. Left out are disks that a privileged container is given along with
// everything else below the node's /dev (oci/block_devices.h): a guest has disks of its own.
// Blocking. Errors name the entry.
Result<std::vector<WantedDisk>> wanted_disks(const grpc::Spec& spec);

}  // namespace kata::storage
