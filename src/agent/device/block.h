#pragma once

#include <optional>
#include <string>

#include "agent/device/uevents.h"
#include "base/task.h"

// Finds the block devices of the guest (facts/agent-behaviour.md section 8). All answers are device
// nodes such as "/dev/vda"; each waits up to `limit` for a device that is still on its way.
namespace kata::agent {

// virtio-blk behind a PCI path ("02/01").
Task<Result<std::string>> await_pci_block(UeventMonitor& uevents, std::string pci_path,
                                          Clock::duration limit);
// "<id>:<lun>" on any virtio-scsi controller; asks the controllers to look again first.
Task<Result<std::string>> await_scsi_block(UeventMonitor& uevents, std::string address,
                                           Clock::duration limit);
// A node whose name is known: /dev/vdX (virtio-mmio), /dev/pmemN.
Task<Result<std::string>> await_named_block(UeventMonitor& uevents, std::string node,
                                            Clock::duration limit);

// Node of the block device below a device's sysfs folder (virtioN/block/<name>).
std::optional<std::string> block_below(const std::string& folder);

}  // namespace kata::agent
