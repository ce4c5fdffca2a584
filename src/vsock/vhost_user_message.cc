#include "vsock/vhost_user_message.h"

#include <sys/socket.h>

#include <cstring>

namespace kata::vsock {

namespace {

constexpr uint32_t kVersionMask = 3;
constexpr uint32_t kVersion = 1;
constexpr uint32_t kReplyFlag = 4;

void take_fds(msghdr* header, std::vector<UniqueFd>* fds) {
  for (auto* c = CMSG_FIRSTHDR(header); c != nullptr; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      fds->emplace_back(fd);
    }
  }
}

}  // namespace

uint32_t Message::u32(size_t offset) const {
  uint32_t value = 0;
  if (offset + sizeof value <= payload.size()) {
    std::memcpy(&value, payload.data() + offset, sizeof value);
  }
  return value;
}

uint64_t Message::u64(size_t offset) const {
  uint64_t value = 0;
  if (offset + sizeof value <= payload.size()) {
    std::memcpy(&value, payload.data() + offset, sizeof value);
  }
  return value;
}

Result<bool> MessageReader::receive(int socket, uint8_t* data, size_t size) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  iovec buffer{data, size};
  msghdr header{};
  header.msg_iov = &buffer;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return false;
    return fail_errno("receive from the vhost-user front end");
  }
  take_fds(&header, &message_.fds);
  if (message_.fds.size() > kMaxFds || (header.msg_flags & MSG_CTRUNC) != 0) {
    return fail(Code::kInvalidArgument, "vhost-user message with too many file descriptors");
  }
  if (got == 0) return fail(Code::kUnavailable, "vhost-user front end closed the connection");
  have_ += static_cast<size_t>(got);
  return true;
}

Status MessageReader::begin_payload() {
  uint32_t size = 0;
  std::memcpy(&message_.request, header_, 4);
  std::memcpy(&message_.flags, header_ + 4, 4);
  std::memcpy(&size, header_ + 8, 4);
  if ((message_.flags & kVersionMask) != kVersion || (message_.flags & kReplyFlag) != 0) {
    return fail(Code::kInvalidArgument,
                "vhost-user message with flags " + std::to_string(message_.flags));
  }
  if (size > kMaxPayload) {
    return fail(Code::kInvalidArgument,
                "vhost-user message of " + std::to_string(size) + " bytes is too long");
  }
  message_.payload.resize(size);
  return {};
}

Result<std::optional<Message>> MessageReader::poll(int socket) {
  while (have_ < kHeaderSize) {
    TRY(bool more, receive(socket, header_ + have_, kHeaderSize - have_));
    if (!more) return std::nullopt;
    if (have_ == kHeaderSize) TRY_STATUS(begin_payload());
  }
  size_t total = kHeaderSize + message_.payload.size();
  while (have_ < total) {
    size_t done = have_ - kHeaderSize;
    TRY(bool more, receive(socket, message_.payload.data() + done, total - have_));
    if (!more) return std::nullopt;
  }
  have_ = 0;
  return std::exchange(message_, Message{});
}

std::vector<uint8_t> encode_reply(uint32_t request, std::span<const uint8_t> payload) {
  std::vector<uint8_t> bytes(MessageReader::kHeaderSize + payload.size());
  uint32_t flags = kVersion | kReplyFlag;
  auto size = static_cast<uint32_t>(payload.size());
  std::memcpy(bytes.data(), &request, 4);
  std::memcpy(bytes.data() + 4, &flags, 4);
  std::memcpy(bytes.data() + 8, &size, 4);
  if (!payload.empty()) std::memcpy(bytes.data() + 12, payload.data(), payload.size());
  return bytes;
}

std::vector<uint8_t> encode_reply_u64(uint32_t request, uint64_t value) {
  uint8_t payload[sizeof value];
  std::memcpy(payload, &value, sizeof value);
  return encode_reply(request, payload);
}

}  // namespace kata::vsock
