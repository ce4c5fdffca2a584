#include "agent/cgroup/cgroup_v1.h"

#include <set>

#include "agent/cgroup/limits_v1.h"
#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

// A new cpuset is empty and takes no process: it inherits the values of the level above.
Status inherit_cpuset(const CgroupDir& parent, const CgroupDir& child) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    TRY(std::string own, child.read(file));
    if (!trimmed(own).empty()) continue;
    TRY(std::string above, parent.read(file));
    TRY_STATUS(child.write(file, trimmed(above)));
  }
  return {};
}

}  // namespace

CgroupV1::CgroupV1(std::map<std::string, std::string> mounts, std::string path)
    : Cgroup(path), mounts_(std::move(mounts)) {
  for (const auto& [controller, mount] : mounts_) dirs_.emplace(controller, mount + path);
}

Status CgroupV1::make() {
  for (const auto& [controller, mount] : mounts_) {
    CgroupDir parent(mount);
    for (std::string_view part : split(std::string_view(path()).substr(1), '/')) {
      CgroupDir child(parent.file(std::string(part)));
      TRY_STATUS(make_dir(child.path()));
      if (controller == "cpuset") TRY_STATUS(inherit_cpuset(parent, child));
      parent = child;
    }
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> CgroupV1::hierarchies() const {
  // Controllers that are mounted together share one entry.
  std::set<std::string> points;
  for (const auto& [controller, mount] : mounts_) points.insert(mount);
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& point : points) out.emplace_back(point, path());
  return out;
}

Status CgroupV1::write_controller(const std::string& controller,
                                  const std::vector<ControlWrite>& items) {
  if (items.empty()) return {};
  auto dir = dirs_.find(controller);
  if (dir != dirs_.end()) return dir->second.write_all(items);
  for (const ControlWrite& item : items) {
    if (!item.optional) {
      return fail(Code::kFailedPrecondition,
                  "cannot set " + item.file + ": its controller is not available in this kernel");
    }
  }
  return {};
}

Status CgroupV1::apply(const grpc::LinuxResources& resources) {
  TRY_STATUS(update(resources));
  return apply_devices(resources);
}

Status CgroupV1::apply_devices(const grpc::LinuxResources& resources) {
  auto dir = dirs_.find("devices");
  if (dir == dirs_.end()) {
    return fail(Code::kFailedPrecondition, "no device control in this kernel");
  }
  TRY(auto rules, device_rules(resources, guest_disk_rules(root_device())));
  for (const DeviceRule& rule : rules) {
    // Everything at once has a word of its own, which also resets the list.
    bool all = rule.type == 'a' && !rule.major && !rule.minor;
    std::string text = all ? "a" : rule.text();
    TRY_STATUS(dir->second.write(rule.allow ? "devices.allow" : "devices.deny", text));
  }
  return {};
}

Status CgroupV1::update(const grpc::LinuxResources& resources) {
  uint64_t limit_now = 0;
  if (auto memory = dirs_.find("memory"); memory != dirs_.end()) {
    limit_now = memory->second.number("memory.limit_in_bytes").value_or(0);
    auto used = memory->second.number("memory.usage_in_bytes");
    int64_t wanted = resources.memory().limit();
    if (resources.memory().checkbeforeupdate() && wanted > 0 && used &&
        *used > static_cast<uint64_t>(wanted)) {
      return fail(Code::kFailedPrecondition, "rejecting memory limit: usage is above it");
    }
  }
  for (const auto& [controller, items] : limits_v1(resources, limit_now)) {
    TRY_STATUS(write_controller(controller, items));
  }
  return {};
}

Status CgroupV1::set_cpuset(const std::string& cpus, const std::string& mems) {
  auto mount = mounts_.find("cpuset");
  if (mount == mounts_.end()) return {};
  CgroupDir at(mount->second);
  // From the top, because a level cannot be wider than the one above.
  for (std::string_view part : split(std::string_view(path()).substr(1), '/')) {
    at = CgroupDir(at.file(std::string(part)));
    if (!cpus.empty()) TRY_STATUS(at.write("cpuset.cpus", cpus));
    if (!mems.empty()) TRY_STATUS(at.write("cpuset.mems", mems));
  }
  return {};
}

Status CgroupV1::restrict_cpus(const CpuSet& cpus) {
  auto dir = dirs_.find("cpuset");
  if (dir == dirs_.end()) return fail(Code::kFailedPrecondition, "no cpuset in this kernel");
  return dir->second.write("cpuset.cpus", cpu_list(cpus));
}

CpuSet CgroupV1::effective_cpus() const {
  auto dir = dirs_.find("cpuset");
  if (dir == dirs_.end()) return {};
  auto text = dir->second.read("cpuset.effective_cpus");
  if (!text) text = dir->second.read("cpuset.cpus");
  if (!text) return {};
  return parse_cpu_list(*text).value_or(CpuSet());
}

MemoryView CgroupV1::memory_view() const {
  MemoryView view;
  auto dir = dirs_.find("memory");
  if (dir == dirs_.end()) return view;
  view.limit = dir->second.number("memory.limit_in_bytes").value_or(view.limit);
  view.used = dir->second.number("memory.usage_in_bytes").value_or(0);
  auto parts = dir->second.table("memory.stat");
  view.file = parts["total_cache"];
  view.inactive_file = parts["total_inactive_file"];
  return view;
}

Status CgroupV1::add(pid_t pid) {
  for (const auto& [controller, dir] : dirs_) {
    TRY_STATUS(in_step(controller, dir.write("cgroup.procs", std::to_string(pid))));
  }
  return {};
}

Result<std::vector<pid_t>> CgroupV1::pids() const {
  for (const char* controller : {"freezer", "devices", "pids", "memory"}) {
    if (auto dir = dirs_.find(controller); dir != dirs_.end()) return dir->second.pids();
  }
  return dirs_.empty() ? std::vector<pid_t>() : dirs_.begin()->second.pids();
}

Result<bool> CgroupV1::ask_frozen(bool frozen) {
  auto dir = dirs_.find("freezer");
  if (dir == dirs_.end()) return fail(Code::kFailedPrecondition, "no freezer in this kernel");
  const std::string wanted = frozen ? "FROZEN" : "THAWED";
  TRY_STATUS(dir->second.write("freezer.state", wanted));
  TRY(std::string state, dir->second.read("freezer.state"));
  return trimmed(state) == wanted;
}

bool CgroupV1::frozen() const {
  auto dir = dirs_.find("freezer");
  if (dir == dirs_.end()) return false;
  auto state = dir->second.read("freezer.state");
  return state && trimmed(*state) != "THAWED";
}

Result<grpc::CgroupStats> CgroupV1::stats() const {
  if (dirs_.empty() || !dirs_.begin()->second.exists()) {
    return fail(Code::kNotFound, "cgroup " + path() + " is gone");
  }
  return read_stats_v1(dirs_);
}

Result<std::unique_ptr<OomWatch>> CgroupV1::watch_oom() {
  auto dir = dirs_.find("memory");
  if (dir == dirs_.end()) return fail(Code::kFailedPrecondition, "no memory controller");
  return make_oom_watch_v1(dir->second);
}

Task<Status> CgroupV1::destroy() {
  auto left = pids();
  if (left && !left->empty()) CO_TRY_STATUS(co_await kill_all());
  for (const auto& [controller, dir] : dirs_) {
    if (dir.exists()) CO_TRY_STATUS(co_await dir.remove());
  }
  co_return Status();
}

}  // namespace kata::agent
