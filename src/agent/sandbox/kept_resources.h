#pragma once

#include "agent/oci.pb.h"

namespace kata::agent {

// Writes what an update said into the resources that the container's spec keeps: what it names
// replaces the older word, lists as a whole, so that the spec does not grow by updates. Devices are
// not touched: an update does not change them.
void keep_resources(const grpc::LinuxResources& update, grpc::LinuxResources* kept);

}  // namespace kata::agent
