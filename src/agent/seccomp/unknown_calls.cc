#include "agent/seccomp/unknown_calls.h"

#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace kata::agent {
namespace {

// x32 calls carry the audit architecture of x86_64 and this bit in their number.
constexpr uint32_t kX32Bit = 0x40000000;

// Numbers of one architecture; above `largest` and up to `end` nobody named any.
struct CallRange {
  uint32_t audit_arch = 0;
  uint32_t largest = 0;
  uint32_t end = UINT32_MAX;
};

bool refuses_by_default(const grpc::LinuxSeccomp& profile) {
  const std::string& action = profile.defaultaction();
  // A tracer is asked, so it may let the call through.
  if (action == "SCMP_ACT_ALLOW" || action == "SCMP_ACT_LOG" || action == "SCMP_ACT_TRACE") {
    return false;
  }
  return !profile.has_defaulterrnoret() || profile.defaulterrnoret() != ENOSYS;
}

// -1: the profile names no call of this architecture.
int64_t largest_call(const grpc::LinuxSeccomp& profile, uint32_t architecture) {
  int64_t largest = -1;
  for (const grpc::LinuxSyscall& entry : profile.syscalls()) {
    for (const std::string& name : entry.names()) {
      // Negative: unknown, or a number of the library's own for a call that others carry.
      int number = seccomp_syscall_resolve_name_arch(architecture, name.c_str());
      largest = std::max<int64_t>(largest, number);
    }
  }
  return largest;
}

CallRange range_of(uint32_t architecture, uint32_t largest) {
  if (architecture == SCMP_ARCH_X86_64) return {SCMP_ARCH_X86_64, largest, kX32Bit - 1};
  if (architecture == SCMP_ARCH_X32) return {SCMP_ARCH_X86_64, largest | kX32Bit, UINT32_MAX};
  return {architecture, largest, UINT32_MAX};
}

void append(std::vector<sock_filter>* out, const CallRange& range) {
  constexpr auto kAt = [](size_t offset) { return static_cast<uint32_t>(offset); };
  const sock_filter section[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kAt(offsetof(seccomp_data, arch))),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, range.audit_arch, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kAt(offsetof(seccomp_data, nr))),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, range.largest, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, range.end, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
  };
  out->insert(out->end(), std::begin(section), std::end(section));
}

}  // namespace

std::vector<sock_filter> unknown_call_filter(const grpc::LinuxSeccomp& profile,
                                             const std::vector<uint32_t>& architectures) {
  std::vector<sock_filter> out;
  if (!refuses_by_default(profile)) return out;
  for (uint32_t architecture : architectures) {
    int64_t largest = largest_call(profile, architecture);
    if (largest >= 0) append(&out, range_of(architecture, static_cast<uint32_t>(largest)));
  }
  return out;
}

}  // namespace kata::agent
