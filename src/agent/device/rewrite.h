#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

#include "agent/agent.pb.h"
#include "agent/device/uevents.h"

namespace kata::agent {

// A device of the spec and the guest's numbers for it.
struct DeviceUpdate {
  std::string container_path;
  std::string type;  // "b" or "c"
  int64_t major = 0, minor = 0;
};

// Waits for every device of the request and puts the guest's numbers into the spec
// (facts/agent-behaviour.md section 8.2).
Task<Status> prepare_devices(UeventMonitor& uevents, Clock::duration limit,
                             google::protobuf::RepeatedPtrField<grpc::Device> devices,
                             grpc::Spec* spec);

// Host numbers become guest numbers in linux.devices and in the device rules, all at once, so that
// swapped numbers do not collide; an updated device that no rule of the spec speaks of gets a rule
// that allows everything. A path that the spec does not have is kInvalidArgument.
Status rewrite_devices(const std::vector<DeviceUpdate>& updates, grpc::Spec* spec);

}  // namespace kata::agent
