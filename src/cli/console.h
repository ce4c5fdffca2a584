#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

// The debug console of a guest, seen from the host (base/console_mark.h has what our agent adds to
// upstream's plain stream).
namespace kata::cli {

// Connects to a port of the sandbox's guest: by the hybrid vsock socket of the VMM or the shim, or
// by the kernel's vsock where the VMM uses that. The stream blocks.
Result<UniqueFd> connect_guest(const std::string& sandbox, uint32_t port);
// The context id in a VMM's command line (NUL between the words).
std::optional<uint32_t> guest_cid(const std::string& command_line);

// What is typed into the guest's shell to run one command between marks; kInvalidArgument when it
// is too long for a terminal's line.
Result<std::string> command_line_of(const std::vector<std::string>& words);

// Joins our terminal (or stdin and stdout) and the guest's shell until the shell ends. Returns its
// exit status; 0 when the agent does not tell, 255 when three times Ctrl-] left it, 128 and its
// number when a signal did. kUnavailable when the guest went away.
Result<int> join_console(UniqueFd guest);
// Types `line` and writes what the command says to stdout; input is not passed on. kUnavailable,
// with the guest's last words, when the command never began.
Result<int> run_in_console(UniqueFd guest, const std::string& line);

}  // namespace kata::cli
