#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace kata::hypervisor::qemu {

// A QEMU option value: "kind,key=value,...". Commas inside values are doubled as QEMU wants it, so
// that no path or id can add properties.
class Props {
 public:
  explicit Props(std::string_view kind) : text_(kind) {}
  Props& set(std::string_view key, std::string_view value);
  Props& set(std::string_view key, uint64_t value) { return set(key, std::to_string(value)); }
  // Only when the condition holds.
  Props& set_if(bool condition, std::string_view key, std::string_view value) {
    return condition ? set(key, value) : *this;
  }
  // "key=on" or "key=off".
  Props& flag(std::string_view key, bool on) { return set(key, on ? "on" : "off"); }
  // Properties as the administrator wrote them ("a=b, c=d"); blanks around commas go.
  Props& append(std::string_view written);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A QEMU command line under construction and the descriptors that it names.
class Arguments {
 public:
  // Numbers of passed descriptors in the child start here.
  static constexpr int kFirstFd = 3;

  void add(std::string_view option) { words_.emplace_back(option); }
  void add(std::string_view option, std::string_view value) {
    words_.emplace_back(option);
    words_.emplace_back(value);
  }
  void add(std::string_view option, const Props& value) { add(option, value.text()); }
  void device(const Props& value) { add("-device", value); }

  // The number a descriptor of ours gets in the child; it stays open until the spawn.
  int pass(int fd);
  const std::vector<std::string>& words() const { return words_; }
  const std::vector<std::pair<int, int>>& fds() const { return fds_; }

 private:
  std::vector<std::string> words_;
  std::vector<std::pair<int, int>> fds_;
};

}  // namespace kata::hypervisor::qemu
