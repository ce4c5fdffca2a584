#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "cli/console.h"
#include "journal/journal.h"
#include "runtime/sandbox_paths.h"

namespace kata::cli {
namespace {

constexpr time_t kHandshakeSeconds = 10;

void set_read_limit(int fd, time_t seconds) {
  const timeval limit{seconds, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

// "OK PORT\n", byte by byte: what follows is the shell's.
Status read_answer(int fd, uint32_t port) {
  constexpr size_t kLongest = 64;
  std::string answer;
  for (char c = 0; answer.size() < kLongest; answer += c) {
    const ssize_t n = recv(fd, &c, 1, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("wait for the guest's answer");
    if (n == 0 || c == '\n') break;
  }
  if (answer.find("OK") != std::string::npos) return {};
  return fail(Code::kUnavailable,
              "nobody listens on port " + std::to_string(port) +
                  " of the guest; the debug console needs debug_console_enabled = true in "
                  "[agent.kata] before the sandbox starts");
}

Result<UniqueFd> connect_hybrid(const std::string& path, uint32_t port) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(Code::kInvalidArgument, path + ": too long");
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("make a socket");
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return fail_errno("connect to " + path);
  }
  set_read_limit(fd.get(), kHandshakeSeconds);
  TRY_STATUS(write_all(fd.get(), "CONNECT " + std::to_string(port) + "\n"));
  TRY_STATUS(read_answer(fd.get(), port));
  set_read_limit(fd.get(), 0);
  return fd;
}

Result<UniqueFd> connect_kernel_vsock(uint32_t cid, uint32_t port) {
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = port;
  UniqueFd fd(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("make a vsock socket");
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return fail_errno("connect to port " + std::to_string(port) + " of the guest " +
                      std::to_string(cid) + " (is debug_console_enabled set in [agent.kata]?)");
  }
  return fd;
}

// The VMM is one of the processes that the sandbox's journal lists.
std::optional<uint32_t> cid_of(const runtime::SandboxPaths& paths) {
  auto entries = journal::read_journal(paths.journal);
  if (!entries) return std::nullopt;
  for (const journal::Entry& entry : *entries) {
    if (entry.kind != journal::kProcess || entry.fields.empty()) continue;
    const auto pid = static_cast<pid_t>(strtol(entry.fields[0].c_str(), nullptr, 10));
    // Not a later process of the same number.
    auto running = journal::process_entry(pid);
    if (!running || *running != entry) continue;
    auto words = read_file("/proc/" + std::to_string(pid) + "/cmdline");
    if (!words) continue;
    if (auto cid = guest_cid(*words)) return cid;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint32_t> guest_cid(const std::string& command_line) {
  constexpr std::string_view kDevice = "vhost-vsock-", kKey = ",guest-cid=";
  for (size_t begin = 0; begin < command_line.size();) {
    const size_t end = std::min(command_line.find('\0', begin), command_line.size());
    const std::string word = command_line.substr(begin, end - begin);
    begin = end + 1;
    const size_t at = word.find(kKey);
    if (!word.starts_with(kDevice) || at == std::string::npos) continue;
    const unsigned long cid = strtoul(word.c_str() + at + kKey.size(), nullptr, 10);
    // 0 to 2 are the hypervisor, this host's loopback and the host.
    if (cid >= 3 && cid < UINT32_MAX) return static_cast<uint32_t>(cid);
  }
  return std::nullopt;
}

Result<UniqueFd> connect_guest(const std::string& sandbox, uint32_t port) {
  const runtime::SandboxPaths paths(sandbox);
  const std::string socket_path = paths.vm + "/vsock.sock";
  if (path_exists(socket_path)) return connect_hybrid(socket_path, port);
  if (auto cid = cid_of(paths)) return connect_kernel_vsock(*cid, port);
  return fail(Code::kNotFound, "sandbox " + sandbox + " has neither a socket " + socket_path +
                                   " nor a VMM with a vsock; is its VM still running?");
}

}  // namespace kata::cli
