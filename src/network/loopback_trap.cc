#include "network/loopback_trap.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "network/in_netns.h"

namespace kata::network {

namespace {

constexpr int kBacklog = 64;

long bpf(int command, bpf_attr* attributes) {
  return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

template <class T>
uint64_t pointer(const T* what) {
  return reinterpret_cast<uint64_t>(what);
}

Result<UniqueFd> make_socket_map() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_SOCKMAP;
  attributes.key_size = sizeof(uint32_t);
  attributes.value_size = sizeof(uint64_t);
  attributes.max_entries = 1;
  const long fd = bpf(BPF_MAP_CREATE, &attributes);
  if (fd < 0) return fail_errno("BPF socket map");
  return UniqueFd(static_cast<int>(fd));
}

Status put_socket(int map, int socket) {
  const uint32_t key = 0;
  const uint64_t value = static_cast<uint64_t>(socket);
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(map);
  attributes.key = pointer(&key);
  attributes.value = pointer(&value);
  if (bpf(BPF_MAP_UPDATE_ELEM, &attributes) < 0) return fail_errno("BPF socket map");
  return {};
}

// Only what follows is used of the instruction set; Documentation/bpf/instruction-set.rst.
constexpr uint8_t kLoadWord = BPF_LDX | BPF_MEM | BPF_W;
constexpr uint8_t kStoreWord = BPF_ST | BPF_MEM | BPF_W;
constexpr uint8_t kMove = BPF_ALU64 | BPF_MOV | BPF_X;
constexpr uint8_t kMoveNumber = BPF_ALU64 | BPF_MOV | BPF_K;
constexpr uint8_t kAddNumber = BPF_ALU64 | BPF_ADD | BPF_K;
constexpr uint8_t kAndNumber = BPF_ALU64 | BPF_AND | BPF_K;
constexpr uint8_t kIfNotNumber = BPF_JMP | BPF_JNE | BPF_K;
constexpr uint8_t kIfNumber = BPF_JMP | BPF_JEQ | BPF_K;
constexpr uint8_t kCall = BPF_JMP | BPF_CALL;
constexpr uint8_t kExit = BPF_JMP | BPF_EXIT;
constexpr uint8_t kLoadMap = BPF_LD | BPF_IMM | BPF_DW;

constexpr bpf_insn op(uint8_t code, uint8_t to, uint8_t from, int offset, int number) {
  return {code, to, from, static_cast<int16_t>(offset), number};
}

// A look-up of a TCP socket at an IPv4 loopback address gets our listener; every other one goes
// its usual way (SK_PASS). An address of 127.0.0.0/8 has 127 in its first byte, network order.
Result<UniqueFd> load_program(int map) {
  constexpr int kFirstByte = 0xff;
  const bpf_insn program[] = {
      op(kMove, 6, 1, 0, 0),  // the context outlives the calls in r6
      op(kLoadWord, 2, 6, offsetof(bpf_sk_lookup, family), 0),
      op(kIfNotNumber, 2, 0, 19, AF_INET),
      op(kLoadWord, 2, 6, offsetof(bpf_sk_lookup, protocol), 0),
      op(kIfNotNumber, 2, 0, 17, IPPROTO_TCP),
      op(kLoadWord, 2, 6, offsetof(bpf_sk_lookup, local_ip4), 0),
      op(kAndNumber, 2, 0, 0, kFirstByte),
      op(kIfNotNumber, 2, 0, 14, 127),
      op(kStoreWord, 10, 0, -4, 0),  // the key, on the stack
      op(kMove, 2, 10, 0, 0),
      op(kAddNumber, 2, 0, 0, -4),
      op(kLoadMap, 1, BPF_PSEUDO_MAP_FD, 0, map),
      op(0, 0, 0, 0, 0),  // second half of the load
      op(kCall, 0, 0, 0, BPF_FUNC_map_lookup_elem),
      op(kIfNumber, 0, 0, 7, 0),
      op(kMove, 7, 0, 0, 0),
      op(kMove, 1, 6, 0, 0),
      op(kMove, 2, 7, 0, 0),
      op(kMoveNumber, 3, 0, 0, 0),
      op(kCall, 0, 0, 0, BPF_FUNC_sk_assign),
      op(kMove, 1, 7, 0, 0),
      op(kCall, 0, 0, 0, BPF_FUNC_sk_release),
      op(kMoveNumber, 0, 0, 0, SK_PASS),
      op(kExit, 0, 0, 0, 0),
  };
  static constexpr char kLicense[] = "Apache-2.0";
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_SK_LOOKUP;
  attributes.expected_attach_type = BPF_SK_LOOKUP;
  attributes.insns = pointer(program);
  attributes.insn_cnt = sizeof program / sizeof *program;
  attributes.license = pointer(kLicense);
  const long fd = bpf(BPF_PROG_LOAD, &attributes);
  if (fd < 0) return fail_errno("load the BPF program");
  return UniqueFd(static_cast<int>(fd));
}

Result<UniqueFd> attach(int program, int netns_fd) {
  bpf_attr attributes{};
  attributes.link_create.prog_fd = static_cast<uint32_t>(program);
  attributes.link_create.target_fd = static_cast<uint32_t>(netns_fd);
  attributes.link_create.attach_type = BPF_SK_LOOKUP;
  const long fd = bpf(BPF_LINK_CREATE, &attributes);
  if (fd < 0) return fail_errno("attach the BPF program to the network namespace");
  return UniqueFd(static_cast<int>(fd));
}

Result<UniqueFd> listen_on_loopback() {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("TCP socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
      listen(fd.get(), kBacklog) < 0) {
    return fail_errno("listen on the loopback");
  }
  return fd;
}

}  // namespace

Result<LoopbackTrap> trap_loopback(int netns_fd) {
  LoopbackTrap trap;
  TRY(trap.listener, in_netns(netns_fd, [] { return listen_on_loopback(); }));
  TRY(UniqueFd map, make_socket_map());
  TRY_STATUS(put_socket(map.get(), trap.listener.get()));
  TRY(UniqueFd program, load_program(map.get()));
  TRY(trap.link, attach(program.get(), netns_fd));
  return trap;
}

}  // namespace kata::network
