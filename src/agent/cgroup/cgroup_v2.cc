#include "agent/cgroup/cgroup_v2.h"

#include <fcntl.h>
#include <unistd.h>

#include "agent/cgroup/device_program.h"
#include "agent/cgroup/device_rules.h"
#include "agent/cgroup/limits_v2.h"
#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

// Turns on for the children of `dir` every controller it has itself.
Status enable_controllers(const CgroupDir& dir) {
  TRY(std::string available, dir.read("cgroup.controllers"));
  while (!available.empty() && available.back() == '\n') available.pop_back();
  for (std::string_view controller : split(available, ' ')) {
    if (controller.empty()) continue;
    // One by one: a controller that cannot be had (cpu with realtime tasks) must not cost the rest.
    // A limit that needs it fails later, with its own name.
    (void)dir.write("cgroup.subtree_control", '+' + std::string(controller));
  }
  return {};
}

}  // namespace

CgroupV2::CgroupV2(std::string root, std::string path)
    : Cgroup(path), root_(std::move(root)), dir_(root_ + path) {}

Status CgroupV2::make() {
  std::string at = root_;
  for (std::string_view part : split(std::string_view(path()).substr(1), '/')) {
    TRY_STATUS(enable_controllers(CgroupDir(at)));
    at += '/';
    at += part;
    TRY_STATUS(make_dir(at));
  }
  return {};
}

bool CgroupV2::populated() const {
  auto events = dir_.table("cgroup.events");
  return events.contains("populated") && events["populated"] != 0;
}

Status CgroupV2::apply(const grpc::LinuxResources& resources) {
  TRY_STATUS(update(resources));
  return apply_devices(resources);
}

Status CgroupV2::apply_devices(const grpc::LinuxResources& resources) {
  TRY(auto rules, device_rules(resources, guest_disk_rules(root_device())));
  TRY(UniqueFd cgroup, open_file(dir_.path(), O_RDONLY | O_DIRECTORY));
  TRY(device_program_, attach_device_program(cgroup.get(), rules, device_program_));
  return {};
}

Status CgroupV2::update(const grpc::LinuxResources& resources) {
  const grpc::LinuxMemory& memory = resources.memory();
  if (memory.checkbeforeupdate() && memory.limit() > 0) {
    auto used = dir_.number("memory.current");
    if (used && *used > static_cast<uint64_t>(memory.limit())) {
      return fail(Code::kFailedPrecondition, "rejecting memory limit: usage is above it");
    }
  }
  auto cpu_max = dir_.read("cpu.max");
  TRY(auto writes, limits_v2(resources, cpu_max ? *cpu_max : std::string()));
  for (const ControlWrite& item : writes) {
    if (!item.optional && !dir_.has(item.file)) {
      return fail(Code::kFailedPrecondition,
                  "cannot set " + item.file + ": its controller is not available in this kernel");
    }
    TRY_STATUS(dir_.write(item));
  }
  return {};
}

Status CgroupV2::set_cpuset(const std::string& cpus, const std::string& mems) {
  // Parents without a value of their own already span everything in v2.
  if (!cpus.empty()) TRY_STATUS(dir_.write("cpuset.cpus", cpus));
  return mems.empty() ? Status() : dir_.write("cpuset.mems", mems);
}

Status CgroupV2::restrict_cpus(const CpuSet& cpus) {
  return dir_.write("cpuset.cpus", cpu_list(cpus));
}

CpuSet CgroupV2::effective_cpus() const {
  auto text = dir_.read("cpuset.cpus.effective");
  if (!text) return {};
  return parse_cpu_list(*text).value_or(CpuSet());
}

MemoryView CgroupV2::memory_view() const {
  MemoryView view;
  view.limit = dir_.number("memory.max").value_or(view.limit);
  view.used = dir_.number("memory.current").value_or(0);
  auto parts = dir_.table("memory.stat");
  view.file = parts["file"];
  view.inactive_file = parts["inactive_file"];
  return view;
}

Status CgroupV2::add(pid_t pid) {
  return dir_.write("cgroup.procs", std::to_string(pid));
}

Result<UniqueFd> CgroupV2::clone_target(pid_t init_pid) {
  std::string path = dir_.path();
  // Controllers handed on to sub-cgroups close a cgroup for processes ("no internal processes");
  // then the place where the container's init went is the right one.
  auto handed_on = dir_.read("cgroup.subtree_control");
  if (init_pid > 0 && handed_on && handed_on->size() > 1) {
    TRY(std::string where, read_file("/proc/" + std::to_string(init_pid) + "/cgroup"));
    size_t begin = where.find("0::");
    if (begin != std::string::npos) {
      std::string below = root_ + where.substr(begin + 3, where.find('\n', begin) - begin - 3);
      // Only down from our own: a container that could escape its cgroup takes nobody along.
      if (below.starts_with(dir_.path() + '/') && below.find("/..") == std::string::npos) {
        path = below;
      }
    }
  }
  return open_file(path, O_RDONLY | O_DIRECTORY);
}

Result<bool> CgroupV2::ask_frozen(bool frozen) {
  TRY_STATUS(dir_.write("cgroup.freeze", frozen ? "1" : "0"));
  auto events = dir_.table("cgroup.events");
  return !events.contains("frozen") || (events["frozen"] != 0) == frozen;
}

Task<Status> CgroupV2::kill_all() {
  if (dir_.has("cgroup.kill")) co_return dir_.write("cgroup.kill", "1");
  co_return co_await Cgroup::kill_all();  // before 5.14
}

Result<grpc::CgroupStats> CgroupV2::stats() const {
  if (!dir_.exists()) return fail(Code::kNotFound, "cgroup " + path() + " is gone");
  return read_stats_v2(dir_);
}

Result<std::unique_ptr<OomWatch>> CgroupV2::watch_oom() {
  return make_oom_watch_v2(dir_);
}

Task<Status> CgroupV2::destroy() {
  if (!dir_.exists()) co_return Status();
  if (populated()) CO_TRY_STATUS(co_await kill_all());
  co_return co_await dir_.remove();
}

}  // namespace kata::agent
