#include "agent/cgroup/device_program.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace kata::agent {
namespace {

// Registers of the program: the request, taken apart once at the start.
constexpr uint8_t kResult = BPF_REG_0;
constexpr uint8_t kContext = BPF_REG_1;
constexpr uint8_t kType = BPF_REG_2;
constexpr uint8_t kAccess = BPF_REG_3;
constexpr uint8_t kMajor = BPF_REG_4;
constexpr uint8_t kMinor = BPF_REG_5;
constexpr uint8_t kScratch = BPF_REG_6;

bpf_insn insn(int code, uint8_t dst, uint8_t src, int16_t off, int32_t imm) {
  bpf_insn out{};
  out.code = static_cast<uint8_t>(code);
  out.dst_reg = dst & 0xf;
  out.src_reg = src & 0xf;
  out.off = off;
  out.imm = imm;
  return out;
}

bpf_insn load(uint8_t dst, int16_t offset) {
  return insn(BPF_LDX | BPF_MEM | BPF_W, dst, kContext, offset, 0);
}
bpf_insn alu(int operation, uint8_t dst, int32_t imm) {
  return insn(BPF_ALU | operation | BPF_K, dst, 0, 0, imm);
}

int32_t access_bits(const DeviceRule& rule) {
  return (rule.mknod ? BPF_DEVCG_ACC_MKNOD : 0) | (rule.read ? BPF_DEVCG_ACC_READ : 0) |
         (rule.write ? BPF_DEVCG_ACC_WRITE : 0);
}

constexpr int32_t kAllAccess = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

// Tests of one rule followed by its verdict; a failed test jumps behind the verdict.
void add_rule(const DeviceRule& rule, std::vector<bpf_insn>* program) {
  std::vector<bpf_insn> tests;
  auto unless_equal = [&](uint8_t reg, uint32_t value) {
    tests.push_back(insn(BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, static_cast<int32_t>(value)));
  };
  if (rule.type != 'a') {
    unless_equal(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  }
  int32_t bits = access_bits(rule);
  if (bits != kAllAccess) {
    // Allow: nothing beyond the rule is asked for. Deny: something of the rule is asked for.
    tests.push_back(insn(BPF_ALU | BPF_MOV | BPF_X, kScratch, kAccess, 0, 0));
    tests.push_back(alu(BPF_AND, kScratch, rule.allow ? kAllAccess & ~bits : bits));
    tests.push_back(insn(BPF_JMP | (rule.allow ? BPF_JNE : BPF_JEQ) | BPF_K, kScratch, 0, 0, 0));
  }
  if (rule.major) unless_equal(kMajor, *rule.major);
  if (rule.minor) unless_equal(kMinor, *rule.minor);
  tests.push_back(alu(BPF_MOV, kResult, rule.allow ? 1 : 0));
  tests.push_back(insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  for (size_t at = 0; at < tests.size(); ++at) {
    bool jump = (tests[at].code & 0x7) == BPF_JMP && tests[at].code != (BPF_JMP | BPF_EXIT);
    if (jump) tests[at].off = static_cast<int16_t>(tests.size() - at - 1);
  }
  program->insert(program->end(), tests.begin(), tests.end());
}

bool decides_everything(const DeviceRule& rule) {
  return rule.type == 'a' && !rule.major && !rule.minor && access_bits(rule) == kAllAccess;
}

long bpf(int command, bpf_attr* attr) {
  return syscall(SYS_bpf, command, attr, sizeof *attr);
}

Result<UniqueFd> load_program(const std::vector<bpf_insn>& program) {
  static constexpr char kLicense[] = "Apache-2.0";
  bpf_attr attr{};
  attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.insns = reinterpret_cast<uint64_t>(program.data());
  attr.insn_cnt = static_cast<uint32_t>(program.size());
  attr.license = reinterpret_cast<uint64_t>(kLicense);
  UniqueFd fd(static_cast<int>(bpf(BPF_PROG_LOAD, &attr)));
  if (!fd) return fail_errno("load device program");
  return fd;
}

}  // namespace

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> program = {load(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),
                                   insn(BPF_ALU | BPF_MOV | BPF_X, kAccess, kType, 0, 0),
                                   alu(BPF_AND, kType, 0xffff),
                                   alu(BPF_RSH, kAccess, 16),
                                   load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
                                   load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor))};
  bool complete = false;
  for (auto rule = rules.rbegin(); rule != rules.rend() && !complete; ++rule) {
    add_rule(*rule, &program);
    // The verifier refuses instructions that cannot be reached.
    complete = decides_everything(*rule);
  }
  if (!complete) add_rule(DeviceRule{}, &program);
  return program;
}

Result<UniqueFd> attach_device_program(int cgroup_dir, const std::vector<DeviceRule>& rules,
                                       const UniqueFd& previous) {
  TRY(UniqueFd program, load_program(device_program(rules)));
  bpf_attr attr{};
  attr.target_fd = static_cast<uint32_t>(cgroup_dir);
  attr.attach_bpf_fd = static_cast<uint32_t>(program.get());
  attr.attach_type = BPF_CGROUP_DEVICE;
  attr.attach_flags = BPF_F_ALLOW_MULTI;
  if (bpf(BPF_PROG_ATTACH, &attr) < 0) return fail_errno("attach device program");
  if (previous) {
    attr.attach_flags = 0;
    attr.attach_bpf_fd = static_cast<uint32_t>(previous.get());
    if (bpf(BPF_PROG_DETACH, &attr) < 0) return fail_errno("detach old device program");
  }
  return program;
}

}  // namespace kata::agent
