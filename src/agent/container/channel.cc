#include "agent/container/channel.h"

#include <sys/socket.h>

#include <cstring>

#include "base/process.h"

namespace kata::agent {
namespace {

// Longest failure text; the child may quote paths of the spec.
constexpr size_t kMaxText = 4096;

struct WireError {
  char kind;
  int32_t code;
  int32_t number;
};

Status send_packet(int socket, const void* data, size_t length, int fd) {
  iovec part{const_cast<void*>(data), length};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  while (sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return fail_errno("send to the container process");
  }
  return {};
}

Result<ChannelMessage> parse(const char* data, size_t length, UniqueFd fd) {
  ChannelMessage message;
  message.fd = std::move(fd);
  if (length == 0) return message;
  message.kind = static_cast<ChannelMessage::Kind>(data[0]);
  if (message.kind != ChannelMessage::Kind::kError) return message;
  WireError wire;
  if (length < sizeof wire) return fail(Code::kDataLoss, "short message from container process");
  memcpy(&wire, data, sizeof wire);
  message.error.emplace(static_cast<Code>(wire.code),
                        std::string(data + sizeof wire, length - sizeof wire), wire.number);
  return message;
}

Result<ChannelMessage> receive(int socket, int flags) {
  char data[sizeof(WireError) + kMaxText];
  iovec part{data, sizeof data};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t length;
  do {
    length = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  // A child that died with unread messages in its queue resets the connection.
  if (length < 0 && errno == ECONNRESET) return ChannelMessage{};
  if (length < 0) return fail_errno("receive from the container process");
  UniqueFd fd;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights && rights->cmsg_type == SCM_RIGHTS && rights->cmsg_len == CMSG_LEN(sizeof(int))) {
    int number;
    memcpy(&number, CMSG_DATA(rights), sizeof number);
    fd.reset(number);
  }
  return parse(data, static_cast<size_t>(length), std::move(fd));
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> make_channel() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
    return fail_errno("create channel to the container process");
  }
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

bool is_channel(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

Status send_message(int socket, ChannelMessage::Kind kind, int fd) {
  return send_packet(socket, &kind, 1, fd);
}

void send_error(int socket, const Error& error) {
  WireError wire{static_cast<char>(ChannelMessage::Kind::kError),
                 static_cast<int32_t>(error.code()), error.sys_errno()};
  std::string packet(reinterpret_cast<const char*>(&wire), sizeof wire);
  packet += std::string_view(error.message()).substr(0, kMaxText);
  (void)send_packet(socket, packet.data(), packet.size(), -1);
}

Result<ChannelMessage> receive_message(int socket) {
  return receive(socket, 0);
}

Task<Result<ChannelMessage>> receive_message_async(int socket) {
  CO_TRY_STATUS(co_await wait_readable(socket));
  co_return receive(socket, MSG_DONTWAIT);
}

}  // namespace kata::agent
