#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/loader.h"

namespace kata::cli {

// Facts about this machine. Everything is read below `root` ("" = /), which tests use.
struct HostFacts {
  std::string kernel;
  std::string architecture;  // in Go's words: "amd64"
  std::string distro_name, distro_version;
  std::string cpu_vendor, cpu_model;
  int cpus = 0;
  bool hardware_virtualization = false;  // flag vmx or svm
  bool is_guest = false;                 // flag hypervisor: this host is a VM itself
  uint64_t memory_total = 0, memory_free = 0, memory_available = 0;  // KiB
};
HostFacts read_host(const std::string& root = "");

// What a VM is run with.
struct VmMode {
  enum class Kind { kKvm, kNestedKvm, kTcg, kNone };
  Kind kind = Kind::kNone;
  std::string reason;
  bool is_kvm() const { return kind == Kind::kKvm || kind == Kind::kNestedKvm; }
  // "KVM", "nested KVM", "TCG (emulation)", "none".
  std::string_view name() const;
};
// Proves KVM, which takes up to three seconds. kNone when the configured accelerator is unusable.
VmMode find_mode(const HostFacts& host, config::Accel wanted);

// The VMM program that the configuration names, else the first of the usual places; empty = none.
std::string find_vmm(const config::LoadedConfig* loaded);
std::string find_virtiofsd(const config::LoadedConfig* loaded);
// A program of this name in PATH or where services look, which have a PATH of their own; empty =
// none.
std::string find_program(const std::string& name);
// What a program says on stdout and stderr: of more than 1 MiB the end. 10 s at most. An error when
// it does not run, takes too long or fails, with its last words.
Result<std::string> output_of(std::vector<std::string> argv);
// First line of what the program answers to --version; "unknown" when it does not.
std::string program_version(const std::string& program);

// Memory protections of guests that this host's kernel offers: "sev", "snp", "tdx"; else "none".
std::vector<std::string> guest_protections(const std::string& root = "");

}  // namespace kata::cli
