#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/host_memory.h"

// Where the memory of a sandbox is, and what it asks of its RuntimeClass. Bytes everywhere.
namespace kata::cli {

struct ContainerMemory {
  std::string id, name;
  uint64_t anonymous = 0, shared = 0, page_cache = 0;  // shared: tmpfs and shared memory
  std::string problem;                                 // why there are no figures
};

// What the shim says about its sandbox (GET /memory).
struct SandboxMemory {
  pid_t shim = 0, vmm = 0, fs = 0;  // fs: 0 without a daemon
  std::vector<ContainerMemory> containers;
};
// kDataLoss when the text is not of that form.
Result<SandboxMemory> parse_sandbox_memory(const std::string& json);

// The guest's own figures, from the shim's /metrics.
struct GuestMemory {
  uint64_t total = 0;  // 0: the guest gave no figures
  uint64_t free = 0, cached = 0, buffers = 0, shared = 0, anonymous = 0;
  uint64_t agent = 0;  // anonymous memory of the agent
};
GuestMemory parse_guest_memory(std::string_view metrics);

struct MemoryReport {
  std::string sandbox;
  SandboxMemory shim_view;
  GuestMemory guest;
  HostMemory shim, vmm, fs;

  // Parts of the guest's memory; together with free and the containers' they are all of it.
  uint64_t kernel() const;
  uint64_t page_cache() const;
  uint64_t tmpfs() const;  // what no container is charged for
  uint64_t other_processes() const;

  uint64_t host_processes() const;  // without guest memory
  uint64_t guest_resident() const;  // guest memory that the host really holds
  // For overhead.podFixed.memory: host processes and what the guest needs beside its containers,
  // an eighth more, in steps of 16 MiB.
  uint64_t needed() const;
  uint64_t suggested() const;
};

std::string memory_text(const MemoryReport& report);
std::string memory_json(const MemoryReport& report);

}  // namespace kata::cli
