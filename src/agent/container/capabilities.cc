#include "agent/container/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace kata::agent {
namespace {

// In the order of their numbers (linux/capability.h).
constexpr std::array<std::string_view, 41> kNames = {"CHOWN",
                                                     "DAC_OVERRIDE",
                                                     "DAC_READ_SEARCH",
                                                     "FOWNER",
                                                     "FSETID",
                                                     "KILL",
                                                     "SETGID",
                                                     "SETUID",
                                                     "SETPCAP",
                                                     "LINUX_IMMUTABLE",
                                                     "NET_BIND_SERVICE",
                                                     "NET_BROADCAST",
                                                     "NET_ADMIN",
                                                     "NET_RAW",
                                                     "IPC_LOCK",
                                                     "IPC_OWNER",
                                                     "SYS_MODULE",
                                                     "SYS_RAWIO",
                                                     "SYS_CHROOT",
                                                     "SYS_PTRACE",
                                                     "SYS_PACCT",
                                                     "SYS_ADMIN",
                                                     "SYS_BOOT",
                                                     "SYS_NICE",
                                                     "SYS_RESOURCE",
                                                     "SYS_TIME",
                                                     "SYS_TTY_CONFIG",
                                                     "MKNOD",
                                                     "LEASE",
                                                     "AUDIT_WRITE",
                                                     "AUDIT_CONTROL",
                                                     "SETFCAP",
                                                     "MAC_OVERRIDE",
                                                     "MAC_ADMIN",
                                                     "SYSLOG",
                                                     "WAKE_ALARM",
                                                     "BLOCK_SUSPEND",
                                                     "AUDIT_READ",
                                                     "PERFMON",
                                                     "BPF",
                                                     "CHECKPOINT_RESTORE"};

template <class Names>
uint64_t mask_of(const Names& names) {
  uint64_t mask = 0;
  for (const std::string& name : names) {
    int number = capability_number(name);
    if (number >= 0) mask |= uint64_t{1} << number;
  }
  return mask;
}

// What the kernel knows and what this process may hand on at most.
uint64_t ours() {
  uint64_t mask = 0;
  for (int number = 0; number < 64; ++number) {
    int in_set = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (in_set < 0) break;
    if (in_set > 0) mask |= uint64_t{1} << number;
  }
  return mask;
}

}  // namespace

int capability_number(std::string_view name) {
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
    name = name.substr(1, name.size() - 2);
  }
  if (name.starts_with("CAP_")) name.remove_prefix(4);
  for (size_t number = 0; number < kNames.size(); ++number) {
    if (kNames[number] == name) return static_cast<int>(number);
  }
  return -1;
}

CapabilitySets parse_capabilities(const grpc::LinuxCapabilities& spec) {
  // A capability that this process lacks itself cannot be given.
  uint64_t available = ours();
  CapabilitySets sets;
  sets.bounding = mask_of(spec.bounding()) & available;
  sets.permitted = mask_of(spec.permitted()) & available;
  sets.effective = mask_of(spec.effective()) & sets.permitted;
  sets.inheritable = mask_of(spec.inheritable()) & available;
  sets.ambient = mask_of(spec.ambient());
  return sets;
}

Status apply_bounding_set(const CapabilitySets& sets) {
  for (int number = 0; number < 64; ++number) {
    int in_set = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (in_set < 0) break;
    if (in_set == 0 || (sets.bounding >> number & 1)) continue;
    if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0) {
      return fail_errno("drop capability from the bounding set");
    }
  }
  return {};
}

Status apply_capabilities(const CapabilitySets& sets, uint64_t extra) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (unsigned word = 0; word < 2; ++word) {
    unsigned shift = 32 * word;
    data[word].effective = static_cast<uint32_t>((sets.effective | extra) >> shift);
    data[word].permitted = static_cast<uint32_t>((sets.permitted | extra) >> shift);
    data[word].inheritable = static_cast<uint32_t>(sets.inheritable >> shift);
  }
  if (syscall(SYS_capset, &header, data) < 0) return fail_errno("set capabilities");
  return {};
}

void apply_ambient_set(const CapabilitySets& sets) {
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned number = 0; number < 64; ++number) {
    if (sets.ambient >> number & 1) (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
  }
}

}  // namespace kata::agent
