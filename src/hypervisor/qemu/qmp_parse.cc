#include "hypervisor/qemu/qmp_parse.h"

#include <sys/socket.h>

#include <cstring>
#include <nlohmann/json.hpp>

namespace kata::hypervisor::qemu {

namespace {

constexpr size_t kMaxFds = 64;

// Nesting is counted before parsing, so that no parser recursion depends on the peer.
bool too_deep(std::string_view text, int max_depth) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

std::string text_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return {};
  auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>().substr(0, 1024);
}

}  // namespace

Result<nlohmann::json> parse_qmp_line(std::string_view line, int max_depth) {
  if (too_deep(line, max_depth)) return fail(Code::kDataLoss, "QMP message nested too deep");
  auto message = nlohmann::json::parse(line.begin(), line.end(), nullptr, false);
  if (message.is_discarded() || !message.is_object()) {
    return fail(Code::kDataLoss, "QMP line is not a JSON object");
  }
  return message;
}

Error qmp_error(const nlohmann::json& error) {
  std::string kind = text_of(error, "class");
  std::string text = text_of(error, "desc");
  Code code = Code::kFailedPrecondition;
  if (kind == "DeviceNotFound") code = Code::kNotFound;
  if (kind == "CommandNotFound") code = Code::kUnimplemented;
  return Error(code, text.empty() ? "refused without a reason" : std::move(text));
}

Result<size_t> send_with_fds(int socket, std::string_view text, const std::vector<UniqueFd>& fds) {
  if (fds.size() > kMaxFds) return fail(Code::kInvalidArgument, "too many descriptors");
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    for (size_t i = 0; i < fds.size(); ++i) {
      int fd = fds[i].get();
      std::memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
    }
  }
  ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return size_t{0};
  int saved = errno;
  return std::unexpected(errno_error("send to the VMM", saved).as(Code::kUnavailable));
}

}  // namespace kata::hypervisor::qemu
