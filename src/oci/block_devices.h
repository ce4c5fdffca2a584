#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/oci.pb.h"

namespace kata::oci {

// An entry of linux.devices that stands for a disk of the host.
struct BlockDevice {
  int index = 0;     // in linux.devices
  std::string path;  // in the container
  uint32_t major = 0, minor = 0;
  bool read_only = false;  // no rule lets the container write to it
  // A rule of linux.resources.devices names it, or the container has no blanket permission:
  // somebody asked for this device. Engines give a privileged container every device of the node
  // and one blanket rule; a disk among those was asked for only when it goes by another name.
  bool named = false;
};

// Block devices of the container, each path once, in their order. Pure.
std::vector<BlockDevice> block_devices(const grpc::Spec& spec);

}  // namespace kata::oci
