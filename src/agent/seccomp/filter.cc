#include "agent/seccomp/filter.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/filter.h>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/seccomp/unknown_calls.h"
#include "base/file.h"
#include "base/unique_fd.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace kata::agent {
namespace {

struct CloseContext {
  void operator()(scmp_filter_ctx context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, CloseContext>;

constexpr std::array<std::pair<std::string_view, uint32_t>, 20> kArchitectures = {
    {{"SCMP_ARCH_NATIVE", SCMP_ARCH_NATIVE},
     {"SCMP_ARCH_X86", SCMP_ARCH_X86},
     {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
     {"SCMP_ARCH_X32", SCMP_ARCH_X32},
     {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
     {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
     {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
     {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
     {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
     {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
     {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
     {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
     {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
     {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
     {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
     {"SCMP_ARCH_S390", SCMP_ARCH_S390},
     {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
     {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
     {"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},
     {"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64}}};

constexpr std::array<std::pair<std::string_view, scmp_compare>, 7> kOperators = {
    {{"SCMP_CMP_NE", SCMP_CMP_NE},
     {"SCMP_CMP_LT", SCMP_CMP_LT},
     {"SCMP_CMP_LE", SCMP_CMP_LE},
     {"SCMP_CMP_EQ", SCMP_CMP_EQ},
     {"SCMP_CMP_GE", SCMP_CMP_GE},
     {"SCMP_CMP_GT", SCMP_CMP_GT},
     {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}}};

Error library_error(const char* step, int result) {
  return errno_error(std::string("seccomp: ") + step, -result);
}

Result<uint32_t> parse_action(const std::string& word, uint32_t number) {
  if (word == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (word == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(number);
  if (word == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(number);
  if (word == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  if (word == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (word == "SCMP_ACT_KILL" || word == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (word == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (word == "SCMP_ACT_NOTIFY") {
    return fail(Code::kUnimplemented, "seccomp: SCMP_ACT_NOTIFY cannot be served in the guest");
  }
  return fail(Code::kInvalidArgument, "seccomp: unknown action \"" + word + "\"");
}

Result<unsigned> parse_flags(const grpc::LinuxSeccomp& profile) {
  unsigned flags = 0;
  for (const std::string& word : profile.flags()) {
    if (word == "SECCOMP_FILTER_FLAG_TSYNC") {
      flags |= SECCOMP_FILTER_FLAG_TSYNC;
    } else if (word == "SECCOMP_FILTER_FLAG_LOG") {
      flags |= SECCOMP_FILTER_FLAG_LOG;
    } else if (word == "SECCOMP_FILTER_FLAG_SPEC_ALLOW") {
      flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    } else if (word != "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") {
      // The last one only matters to a notification listener, which we refuse.
      return fail(Code::kInvalidArgument, "seccomp: unknown flag \"" + word + "\"");
    }
  }
  return flags;
}

// Adds those of the profile; all of the filter's, the machine's own included.
Result<std::vector<uint32_t>> add_architectures(scmp_filter_ctx context,
                                                const grpc::LinuxSeccomp& profile) {
  std::vector<uint32_t> all = {seccomp_arch_native()};
  for (const std::string& word : profile.architectures()) {
    const auto* known = std::find_if(kArchitectures.begin(), kArchitectures.end(),
                                     [&](const auto& entry) { return entry.first == word; });
    if (known == kArchitectures.end()) {
      return fail(Code::kInvalidArgument, "seccomp: unknown architecture \"" + word + "\"");
    }
    int result = seccomp_arch_add(context, known->second);
    if (result == -EEXIST) continue;
    if (result < 0) return std::unexpected(library_error("add architecture", result));
    all.push_back(known->second);
  }
  return all;
}

Result<std::vector<scmp_arg_cmp>> parse_conditions(const grpc::LinuxSyscall& entry) {
  std::vector<scmp_arg_cmp> conditions;
  for (const grpc::LinuxSeccompArg& arg : entry.args()) {
    const auto* known = std::find_if(kOperators.begin(), kOperators.end(),
                                     [&](const auto& op) { return op.first == arg.op(); });
    if (known == kOperators.end()) {
      return fail(Code::kInvalidArgument, "seccomp: unknown operator \"" + arg.op() + "\"");
    }
    if (arg.index() > 5) return fail(Code::kInvalidArgument, "seccomp: no such argument");
    conditions.push_back(
        {static_cast<unsigned>(arg.index()), known->second, arg.value(), arg.valuetwo()});
  }
  return conditions;
}

bool same_argument_twice(const std::vector<scmp_arg_cmp>& conditions) {
  unsigned seen = 0;
  for (const scmp_arg_cmp& condition : conditions) {
    if (seen & 1U << condition.arg) return true;
    seen |= 1U << condition.arg;
  }
  return false;
}

Status add_rule(scmp_filter_ctx context, uint32_t action, int number,
                const scmp_arg_cmp* conditions, unsigned count) {
  int result = seccomp_rule_add_array(context, action, number, count, conditions);
  // EEXIST: the profile says the same twice.
  if (result < 0 && result != -EEXIST) return std::unexpected(library_error("add rule", result));
  return {};
}

Status add_entry(scmp_filter_ctx context, const grpc::LinuxSyscall& entry,
                 uint32_t default_action) {
  if (entry.names().empty()) return fail(Code::kInvalidArgument, "seccomp: entry without names");
  uint32_t number =
      entry.ErrnoRet_case() == grpc::LinuxSyscall::kErrnoret ? entry.errnoret() : EPERM;
  TRY(uint32_t action, parse_action(entry.action(), number));
  if (action == default_action) return {};
  TRY(std::vector<scmp_arg_cmp> conditions, parse_conditions(entry));
  for (const std::string& name : entry.names()) {
    int call = seccomp_syscall_resolve_name(name.c_str());
    if (call == __NR_SCMP_ERROR) continue;
    if (!same_argument_twice(conditions)) {
      TRY_STATUS(in_step(name, add_rule(context, action, call, conditions.data(),
                                        static_cast<unsigned>(conditions.size()))));
      continue;
    }
    for (const scmp_arg_cmp& condition : conditions) {
      TRY_STATUS(in_step(name, add_rule(context, action, call, &condition, 1)));
    }
  }
  return {};
}

// The library writes the program only to a descriptor. `front` runs before it: jumps are relative.
Result<std::vector<sock_filter>> export_program(scmp_filter_ctx context,
                                                std::vector<sock_filter> front) {
  UniqueFd file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return fail_errno("create seccomp buffer");
  if (int result = seccomp_export_bpf(context, file.get()); result < 0) {
    return std::unexpected(library_error("compile", result));
  }
  if (lseek(file.get(), 0, SEEK_SET) < 0) return fail_errno("rewind seccomp buffer");
  TRY(std::string bytes, read_fd(file.get()));
  std::vector<sock_filter> program = std::move(front);
  const size_t before = program.size(), count = bytes.size() / sizeof(sock_filter);
  program.resize(before + count);
  memcpy(program.data() + before, bytes.data(), count * sizeof(sock_filter));
  if (program.size() > BPF_MAXINSNS) {
    return fail(Code::kInvalidArgument, "seccomp: profile is too large for the kernel");
  }
  return program;
}

}  // namespace

struct SeccompFilter::State {
  std::vector<sock_filter> program;
  unsigned flags = 0;
};

SeccompFilter::SeccompFilter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SeccompFilter::SeccompFilter(SeccompFilter&&) noexcept = default;
SeccompFilter& SeccompFilter::operator=(SeccompFilter&&) noexcept = default;
SeccompFilter::~SeccompFilter() = default;

Result<SeccompFilter> SeccompFilter::compile(const grpc::LinuxSeccomp& profile) {
  uint32_t number = profile.has_defaulterrnoret() ? profile.defaulterrnoret() : EPERM;
  TRY(uint32_t default_action, parse_action(profile.defaultaction(), number));
  Context context(seccomp_init(default_action));
  if (!context) return fail(Code::kInvalidArgument, "seccomp: default action is not usable");
  TRY(std::vector<uint32_t> architectures, add_architectures(context.get(), profile));
  // A binary search instead of a chain: profiles hold some 400 calls.
  (void)seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const grpc::LinuxSyscall& entry : profile.syscalls()) {
    TRY_STATUS(add_entry(context.get(), entry, default_action));
  }
  auto state = std::make_unique<State>();
  TRY(state->flags, parse_flags(profile));
  TRY(state->program, export_program(context.get(), unknown_call_filter(profile, architectures)));
  return SeccompFilter(std::move(state));
}

Status SeccompFilter::load() const {
  sock_fprog program{static_cast<unsigned short>(state_->program.size()),
                     const_cast<sock_filter*>(state_->program.data())};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, state_->flags, &program) != 0) {
    return fail_errno("load seccomp filter");
  }
  return {};
}

}  // namespace kata::agent
