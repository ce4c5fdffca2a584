#include "agent/container/limits.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

using NamedNumber = std::pair<std::string_view, int>;

constexpr std::array<NamedNumber, 16> kResources = {{{"RLIMIT_AS", RLIMIT_AS},
                                                     {"RLIMIT_CORE", RLIMIT_CORE},
                                                     {"RLIMIT_CPU", RLIMIT_CPU},
                                                     {"RLIMIT_DATA", RLIMIT_DATA},
                                                     {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                                                     {"RLIMIT_LOCKS", RLIMIT_LOCKS},
                                                     {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                                                     {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                                                     {"RLIMIT_NICE", RLIMIT_NICE},
                                                     {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                                                     {"RLIMIT_NPROC", RLIMIT_NPROC},
                                                     {"RLIMIT_RSS", RLIMIT_RSS},
                                                     {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                                                     {"RLIMIT_RTTIME", RLIMIT_RTTIME},
                                                     {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                                                     {"RLIMIT_STACK", RLIMIT_STACK}}};

constexpr std::array<NamedNumber, 7> kPolicies = {{{"SCHED_OTHER", 0},
                                                   {"SCHED_FIFO", 1},
                                                   {"SCHED_RR", 2},
                                                   {"SCHED_BATCH", 3},
                                                   {"SCHED_ISO", 4},
                                                   {"SCHED_IDLE", 5},
                                                   {"SCHED_DEADLINE", 6}}};

constexpr std::array<NamedNumber, 7> kSchedFlags = {{{"SCHED_FLAG_RESET_ON_FORK", 0x01},
                                                     {"SCHED_FLAG_RECLAIM", 0x02},
                                                     {"SCHED_FLAG_DL_OVERRUN", 0x04},
                                                     {"SCHED_FLAG_KEEP_POLICY", 0x08},
                                                     {"SCHED_FLAG_KEEP_PARAMS", 0x10},
                                                     {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
                                                     {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}}};

constexpr std::array<NamedNumber, 3> kIoClasses = {
    {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}}};
constexpr int kIoClassShift = 13;
constexpr int kIoPriorityOfProcess = 1;

template <size_t N>
int lookup(const std::array<NamedNumber, N>& table, std::string_view word) {
  for (auto [name, number] : table) {
    if (name == word) return number;
  }
  return -1;
}

// Layout of the kernel's struct sched_attr, first version.
struct SchedAttr {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

Status set_scheduler(pid_t pid, const grpc::Scheduler& wanted) {
  SchedAttr attr{};
  attr.size = sizeof attr;
  int policy = lookup(kPolicies, wanted.policy());
  if (policy < 0) {
    return fail(Code::kInvalidArgument, "unknown scheduler policy " + wanted.policy());
  }
  attr.policy = static_cast<uint32_t>(policy);
  attr.nice = wanted.nice();
  attr.priority = static_cast<uint32_t>(wanted.priority());
  attr.runtime = wanted.runtime();
  attr.deadline = wanted.deadline();
  attr.period = wanted.period();
  for (const std::string& flag : wanted.flags()) {
    int bit = lookup(kSchedFlags, flag);
    if (bit < 0) return fail(Code::kInvalidArgument, "unknown scheduler flag " + flag);
    attr.flags |= static_cast<uint64_t>(bit);
  }
  if (syscall(SYS_sched_setattr, pid, &attr, 0U) < 0) return fail_errno("set scheduler");
  return {};
}

}  // namespace

int rlimit_resource(std::string_view word) {
  return lookup(kResources, word);
}

Status raise_hard_limits(pid_t pid, const grpc::Process& process) {
  for (const grpc::POSIXRlimit& wanted : process.rlimits()) {
    auto resource = static_cast<__rlimit_resource>(rlimit_resource(wanted.type()));
    rlimit limit{};
    if (prlimit(pid, resource, nullptr, &limit) < 0)
      return fail_errno("read rlimit " + wanted.type());
    if (wanted.hard() <= limit.rlim_max) continue;
    const rlim_t old = std::exchange(limit.rlim_max, wanted.hard());
    if (prlimit(pid, resource, &limit, nullptr) == 0) continue;
    int number = errno;
    return std::unexpected(Error(Code::kPermissionDenied,
                                 "error setting rlimit " + wanted.type() + " to " +
                                     std::to_string(wanted.hard()) + " (hard limit here is " +
                                     std::to_string(old) + "): " + errno_text(number),
                                 number));
  }
  return {};
}

Status set_own_rlimits(const grpc::Process& process) {
  for (const grpc::POSIXRlimit& wanted : process.rlimits()) {
    rlimit limit{wanted.soft(), wanted.hard()};
    if (setrlimit(static_cast<__rlimit_resource>(rlimit_resource(wanted.type())), &limit) < 0) {
      return fail_errno("error setting rlimit " + wanted.type());
    }
  }
  return {};
}

Status set_oom_score(pid_t pid, const grpc::Process& process) {
  bool given = process.oomscoreadj() != 0 || process.oomscoreadjset();
  if (!given) {
    TRY(std::string ours, read_file("/proc/self/oom_score_adj"));
    if (atoi(ours.c_str()) >= 0) return {};
  }
  Status written = write_existing("/proc/" + std::to_string(pid) + "/oom_score_adj",
                                  std::to_string(given ? process.oomscoreadj() : 0));
  if (!written && (written.error().sys_errno() == EACCES || written.error().sys_errno() == EPERM)) {
    return {};
  }
  return in_step("set oom_score_adj", std::move(written));
}

Status set_scheduling(pid_t pid, const grpc::Process& process) {
  if (process.has_scheduler()) TRY_STATUS(set_scheduler(pid, process.scheduler()));
  if (!process.has_iopriority()) return {};
  int io_class = lookup(kIoClasses, process.iopriority().class_());
  if (io_class < 0) {
    return fail(Code::kInvalidArgument, "unknown io priority " + process.iopriority().class_());
  }
  int priority = io_class << kIoClassShift | process.iopriority().priority();
  if (syscall(SYS_ioprio_set, kIoPriorityOfProcess, pid, priority) < 0) {
    return fail_errno("set io priority");
  }
  return {};
}

}  // namespace kata::agent
