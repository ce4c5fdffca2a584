#include "hypervisor/kvm_probe.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "base/process.h"
#include "base/unique_fd.h"
#include "hypervisor/accel.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace kata::hypervisor {

namespace {

// Generous: a loaded host must not be taken for a broken one.
constexpr int kProbeLimitMs = 2000;
// For a killed probe to be gone; the kernel may hold it in an ioctl.
constexpr int kKillLimitMs = 1000;
constexpr size_t kPage = 4096;

// Exit codes of the child.
enum Outcome : int { kWorks = 0, kNoVm, kNoVcpu, kNoMemory, kRunFailed, kWrongExit, kWrongValue };

std::string_view outcome_text(int outcome) {
  switch (outcome) {
    case kNoVm:
      return "cannot make a VM";
    case kNoVcpu:
      return "cannot make a vCPU";
    case kNoMemory:
      return "cannot give a VM memory";
    case kRunFailed:
      return "the vCPU does not run";
    case kWrongExit:
      return "the vCPU stops for another reason than its code";
    case kWrongValue:
      return "the vCPU computes wrongly";
    default:
      return "the probe failed";
  }
}

#if defined(__x86_64__)
// Real mode at 0x1000: al = 2 + 3, out 0x10, al; hlt.
constexpr uint8_t kCode[] = {0xb0, 0x02, 0x04, 0x03, 0xe6, 0x10, 0xf4};

// Only system calls from here on: it runs between fork and _exit.
int run_code(int vm, size_t run_size) {
  void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return kNoMemory;
  std::memcpy(page, kCode, sizeof kCode);
  kvm_userspace_memory_region region{};
  region.guest_phys_addr = kPage;
  region.memory_size = kPage;
  region.userspace_addr = reinterpret_cast<uint64_t>(page);
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) return kNoMemory;
  int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  if (vcpu < 0) return kNoVcpu;
  void* shared = mmap(nullptr, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (shared == MAP_FAILED) return kNoVcpu;
  auto* run = static_cast<kvm_run*>(shared);
  kvm_sregs special{};
  if (ioctl(vcpu, KVM_GET_SREGS, &special) < 0) return kNoVcpu;
  special.cs.base = 0;
  special.cs.selector = 0;
  kvm_regs registers{};
  registers.rip = kPage;
  registers.rflags = 2;
  if (ioctl(vcpu, KVM_SET_SREGS, &special) < 0 || ioctl(vcpu, KVM_SET_REGS, &registers) < 0) {
    return kNoVcpu;
  }
  if (ioctl(vcpu, KVM_RUN, 0) < 0) return kRunFailed;
  if (run->exit_reason != KVM_EXIT_IO || run->io.port != 0x10) return kWrongExit;
  if (reinterpret_cast<uint8_t*>(run)[run->io.data_offset] != 5) return kWrongValue;
  if (ioctl(vcpu, KVM_RUN, 0) < 0) return kRunFailed;
  return run->exit_reason == KVM_EXIT_HLT ? kWorks : kWrongExit;
}
#else
int run_code(int vm, size_t) {
  return ioctl(vm, KVM_CREATE_VCPU, 0) < 0 ? kNoVcpu : kWorks;
}
#endif

// A VM belongs to the address space that made it, so the child has to make it.
int probe_in_child(int kvm, size_t run_size) {
  int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  return vm < 0 ? kNoVm : run_code(vm, run_size);
}

Status run_in_child(int kvm, size_t run_size) {
  pid_t child = fork();
  if (child < 0) return fail_errno("fork the KVM probe");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(probe_in_child(kvm, run_size));
  }
  auto pidfd = open_pidfd(child);
  pollfd ended{pidfd ? pidfd->get() : -1, POLLIN, 0};
  const bool in_time = pidfd.has_value() && poll(&ended, 1, kProbeLimitMs) == 1;
  if (!in_time) {
    kill(child, SIGKILL);
    if (pidfd && poll(&ended, 1, kKillLimitMs) != 1) {
      return fail(Code::kDeadlineExceeded, "the vCPU does not come back and cannot be killed");
    }
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return fail(Code::kDeadlineExceeded, "the vCPU does not come back");
  if (!WIFEXITED(status)) return fail(Code::kFailedPrecondition, "the KVM probe crashed");
  if (WEXITSTATUS(status) == kWorks) return {};
  return fail(Code::kFailedPrecondition, std::string(outcome_text(WEXITSTATUS(status))));
}

}  // namespace

Status check_cpu_flags() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  bool vmx = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & (1u << 5)) != 0;
  bool svm = __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & (1u << 2)) != 0;
  if (!vmx && !svm) {
    return fail(Code::kFailedPrecondition,
                "the CPU has neither vmx nor svm (a VM without nesting?)");
  }
#endif
  return {};
}

Status run_kvm_probe() {
  UniqueFd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) return fail_errno("open /dev/kvm");
  int version = ioctl(kvm.get(), KVM_GET_API_VERSION, 0);
  if (version != 12) {
    return fail(Code::kFailedPrecondition, "KVM API version " + std::to_string(version));
  }
  int run_size = ioctl(kvm.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (run_size < static_cast<int>(sizeof(kvm_run))) {
    return fail(Code::kFailedPrecondition, "KVM run area of impossible size");
  }
  return run_in_child(kvm.get(), static_cast<size_t>(run_size));
}

uint64_t host_tsc_khz() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  bool constant = __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
  if (!constant) return 0;
  auto now_ns = [] {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
  };
  uint64_t start_ns = now_ns(), start = __rdtsc();
  usleep(2000);
  uint64_t end_ns = now_ns(), end = __rdtsc();
  return end_ns > start_ns ? (end - start) * 1'000'000 / (end_ns - start_ns) : 0;
#else
  return 0;
#endif
}

}  // namespace kata::hypervisor
