#include "hypervisor/qemu/arguments.h"

namespace kata::hypervisor::qemu {

Props& Props::set(std::string_view key, std::string_view value) {
  if (!text_.empty()) text_.push_back(',');
  text_ += key;
  text_.push_back('=');
  for (char c : value) {
    if (c == ',') text_.push_back(',');
    text_.push_back(c);
  }
  return *this;
}

Props& Props::append(std::string_view written) {
  while (!written.empty()) {
    size_t end = written.find(',');
    std::string_view part = written.substr(0, end);
    written.remove_prefix(end == std::string_view::npos ? written.size() : end + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty()) continue;
    if (!text_.empty()) text_.push_back(',');
    text_ += part;
  }
  return *this;
}

int Arguments::pass(int fd) {
  int number = kFirstFd + static_cast<int>(fds_.size());
  fds_.emplace_back(fd, number);
  return number;
}

}  // namespace kata::hypervisor::qemu
