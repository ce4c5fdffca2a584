#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/task.h"
#include "base/unique_fd.h"

namespace kata::agent {

// One message between the agent and a child that it is turning into a container process. The
// socket keeps message borders (SOCK_SEQPACKET) and is closed by a successful execve.
struct ChannelMessage {
  enum class Kind : char {
    kEnd = 0,       // the peer closed: the child executed its program, or died
    kGo = 'G',      // agent: next step may run
    kStart = 'S',   // agent: the gate is open
    kHooks = 'H',   // child: namespaces and mounts stand, run the agent's hooks
    kForked = 'F',  // child: goes on as another process; carries its pidfd
    kReady = 'R',   // child: everything but the program is done; carries the pty master
    kError = 'E',   // child: failed; its last message
  };
  Kind kind = Kind::kEnd;
  std::optional<Error> error;
  UniqueFd fd;
};

// A connected pair, both ends close-on-exec.
Result<std::pair<UniqueFd, UniqueFd>> make_channel();

// Whether the descriptor is an end of such a pair: what a private mode of the program starts with.
bool is_channel(int fd);

Status send_message(int socket, ChannelMessage::Kind kind, int fd = -1);
// A failure to report a failure has no one left to hear it: the child exits in any case.
void send_error(int socket, const Error& error);
// Blocks; for the child's side.
Result<ChannelMessage> receive_message(int socket);
// Suspends; for the agent's side.
Task<Result<ChannelMessage>> receive_message_async(int socket);

}  // namespace kata::agent
