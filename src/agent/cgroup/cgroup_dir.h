#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/task.h"

namespace kata::agent {

// One value for one control file.
struct ControlWrite {
  std::string file;
  std::string value;
  // A kernel without the file is fine: the value is what it does anyway.
  bool optional = false;

  bool operator==(const ControlWrite&) const = default;
};

// One directory of a cgroup file system. A plain value; the path is the agent's own choice, and
// cgroup file systems hold no symlinks.
class CgroupDir {
 public:
  CgroupDir() = default;
  explicit CgroupDir(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + '/' + name; }
  bool exists() const;
  bool has(const std::string& name) const;

  Status write(const std::string& name, const std::string& value) const;
  Status write(const ControlWrite& item) const;
  Status write_all(const std::vector<ControlWrite>& items) const;
  Result<std::string> read(const std::string& name) const;
  // A number; "max" is the largest value, an absent file is empty.
  std::optional<uint64_t> number(const std::string& name) const;
  // Lines "key value"; empty when the file is absent.
  std::map<std::string, uint64_t> table(const std::string& name) const;

  // Processes here and below.
  Result<std::vector<pid_t>> pids() const;
  // This directory's sub-cgroups.
  std::vector<CgroupDir> children() const;
  // Removes this and everything below; the tasks must be gone or about to be (waits <= 2 s each).
  Task<Status> remove() const;

 private:
  std::string path_;
};

}  // namespace kata::agent
