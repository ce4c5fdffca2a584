#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/task.h"
#include "hypervisor/hypervisor.h"

namespace kata::runtime {

struct VmSize {
  uint32_t vcpus = 1;
  uint32_t memory_mib = 2048;
};

// A running VM as VmResizer sees it. Each task may be awaited by one caller at a time.
class ResizableVm {
 public:
  virtual ~ResizableVm() = default;

  virtual hypervisor::Capabilities capabilities() const = 0;
  // The next three as the VMM's driver does it (hypervisor.h); nothing below the size at boot.
  virtual uint32_t vcpus() const = 0;
  virtual Task<Result<uint32_t>> resize_vcpus(uint32_t wanted) = 0;
  // In MiB.
  virtual Task<Result<uint64_t>> resize_memory(uint64_t wanted) = 0;
};

}  // namespace kata::runtime
