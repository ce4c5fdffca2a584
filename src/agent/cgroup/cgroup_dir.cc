#include "agent/cgroup/cgroup_dir.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>
#include <memory>

#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

constexpr auto kRemoveLimit = 2s;
constexpr auto kRemovePause = 5ms;
// A workload can nest cgroups as deep as the kernel lets it.
constexpr int kMaxDepth = 64;

Status collect_pids(const CgroupDir& dir, int depth, std::vector<pid_t>* out) {
  if (depth > kMaxDepth) return fail(Code::kResourceExhausted, "cgroup tree is too deep");
  TRY(std::string text, dir.read("cgroup.procs"));
  for (std::string_view line : split(text, '\n')) {
    uint64_t pid = 0;
    if (parse_u64(line, &pid) && pid != 0) out->push_back(static_cast<pid_t>(pid));
  }
  for (const CgroupDir& child : dir.children()) {
    Status below = collect_pids(child, depth + 1, out);
    // A sub-cgroup may vanish under us, and threaded ones list no processes (EOPNOTSUPP).
    if (!below && below.error().code() == Code::kResourceExhausted) return below;
  }
  return {};
}

Task<Status> remove_one(std::string path) {
  const auto limit = Clock::now() + kRemoveLimit;
  while (true) {
    if (rmdir(path.c_str()) == 0 || errno == ENOENT) co_return Status();
    if (errno != EBUSY || Clock::now() >= limit) co_return fail_errno("remove cgroup " + path);
    co_await sleep_for(kRemovePause);
  }
}

Task<Status> remove_tree_of(CgroupDir dir, int depth) {
  if (depth > kMaxDepth) co_return fail(Code::kResourceExhausted, "cgroup tree is too deep");
  for (const CgroupDir& child : dir.children()) {
    CO_TRY_STATUS(co_await remove_tree_of(child, depth + 1));
  }
  co_return co_await remove_one(dir.path());
}

}  // namespace

bool CgroupDir::exists() const {
  return path_exists(path_);
}
bool CgroupDir::has(const std::string& name) const {
  return path_exists(file(name));
}

Status CgroupDir::write(const std::string& name, const std::string& value) const {
  return in_step("write \"" + value + "\"", write_existing(file(name), value));
}

Status CgroupDir::write(const ControlWrite& item) const {
  Status written = write(item.file, item.value);
  if (!written && item.optional && written.error().sys_errno() == ENOENT) return {};
  return written;
}

Status CgroupDir::write_all(const std::vector<ControlWrite>& items) const {
  for (const ControlWrite& item : items) TRY_STATUS(write(item));
  return {};
}

Result<std::string> CgroupDir::read(const std::string& name) const {
  return read_file(file(name));
}

std::optional<uint64_t> CgroupDir::number(const std::string& name) const {
  auto text = read(name);
  if (!text) return std::nullopt;
  if (text->starts_with("max")) return std::numeric_limits<uint64_t>::max();
  uint64_t value = 0;
  return parse_u64(*text, &value) ? std::optional(value) : std::nullopt;
}

std::map<std::string, uint64_t> CgroupDir::table(const std::string& name) const {
  std::map<std::string, uint64_t> out;
  auto text = read(name);
  if (!text) return out;
  for (std::string_view line : split(*text, '\n')) {
    size_t space = line.find(' ');
    uint64_t value = 0;
    if (space == std::string_view::npos || !parse_u64(line.substr(space + 1), &value)) continue;
    out.emplace(line.substr(0, space), value);
  }
  return out;
}

Result<std::vector<pid_t>> CgroupDir::pids() const {
  std::vector<pid_t> out;
  TRY_STATUS(collect_pids(*this, 0, &out));
  return out;
}

std::vector<CgroupDir> CgroupDir::children() const {
  std::vector<CgroupDir> out;
  std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(path_.c_str()), closedir);
  while (const dirent* entry = dir ? readdir(dir.get()) : nullptr) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') out.emplace_back(file(entry->d_name));
  }
  return out;
}

Task<Status> CgroupDir::remove() const {
  return remove_tree_of(*this, 0);
}

}  // namespace kata::agent
