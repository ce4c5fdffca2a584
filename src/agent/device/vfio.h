#pragma once

#include <string>

#include "agent/agent.pb.h"
#include "agent/device/uevents.h"

namespace kata::agent {

// Waits for the PCI functions of a VFIO group. "vfio-pci": hands them to the guest's vfio-pci
// driver and answers the node of their IOMMU group (all must share one). "vfio-pci-gk": leaves them
// to the guest's own driver and answers an empty text.
Task<Result<std::string>> prepare_vfio(UeventMonitor& uevents, Clock::duration limit,
                                       const grpc::Device& device);

}  // namespace kata::agent
