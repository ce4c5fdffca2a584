#include "resources/sandbox_cgroups.h"

#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "resources/cgroup_path.h"

namespace kata::resources {

namespace {

// Nothing of ours needs the others.
constexpr std::string_view kUnifiedControllers[] = {"cpuset", "cpu", "io", "memory", "pids"};

// Whether processes are in a group; one that is not there has none.
bool inhabited(const std::string& group) {
  auto processes = read_file(group + "/cgroup.procs");
  return processes && !processes->empty();
}

// A group below the root that has processes must keep its controllers: the kernel would make it
// the root of a threaded subtree, in which no process can be placed.
bool may_share_controllers(const std::string& group) {
  return !path_exists(group + "/cgroup.type") || !inhabited(group);
}

// A v1 cpuset takes no process before it has CPUs and memory nodes.
Status inherit_cpuset(const std::string& parent, const std::string& group) {
  for (const char* file : {"/cpuset.cpus", "/cpuset.mems"}) {
    TRY(std::string own, read_file(group + file));
    if (own.size() > 1) continue;
    TRY(std::string above, read_file(parent + file));
    TRY_STATUS(write_existing(group + file, above));
  }
  return {};
}

Status make_group(const HostCgroups::Hierarchy& hierarchy, bool unified, const std::string& path) {
  std::string at = hierarchy.root;
  for (size_t begin = 1; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string parent = at;
    at += "/" + path.substr(begin, end - begin);
    if (unified && may_share_controllers(parent)) {
      // One by one: what a parent does not have must not cost the rest.
      for (std::string_view name : kUnifiedControllers) {
        (void)write_existing(parent + "/cgroup.subtree_control", "+" + std::string(name));
      }
    }
    TRY_STATUS(make_dir(at));
    if (hierarchy.has("cpuset")) TRY_STATUS(inherit_cpuset(parent, at));
    begin = end + 1;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<SandboxCgroups>> SandboxCgroups::create(const Request& request,
                                                               HostCgroups host, Journal& journal) {
  // A broken spec is no weakness of the host: refused on any.
  TRY(const std::string path, sandbox_cgroup_path(request.cgroups_path, request.id));
  std::unique_ptr<SandboxCgroups> self(new SandboxCgroups());
  self->host_ = std::move(host);
  self->sandbox_only_ = request.sandbox_only;
  if (self->host_.empty()) {
    if (request.sandbox_only) {
      return fail(Code::kFailedPrecondition,
                  "sandbox_cgroup_only = true, but no writable control groups are mounted on "
                  "/sys/fs/cgroup; mount them or set it to false");
    }
    log::warn("the host has no writable control groups: nothing limits or counts this sandbox");
    return self;
  }
  const std::string home = request.sandbox_only ? path : overhead_cgroup_path(request.id);
  auto made = self->make_groups(home, false, journal, &self->home_);
  // Threads of one process cannot be in two places of the unified hierarchy.
  if (made && !request.sandbox_only && !self->host_.unified) {
    made = self->make_groups(path, true, journal, &self->vcpus_);
  }
  if (made) return self;
  if (request.sandbox_only) return std::unexpected(std::move(made.error()));
  self->give_up(made.error());
  return self;
}

void SandboxCgroups::give_up(const Error& why) {
  log::failure("nothing limits or counts this sandbox", why);
  leave();
  host_ = {};
  home_.clear();
  vcpus_.clear();
}

Status SandboxCgroups::make_groups(const std::string& path, bool vcpus_only, Journal& journal,
                                   std::vector<Group>* made) {
  for (const auto& hierarchy : host_.hierarchies) {
    // What counts for single threads; memory and the like belong to the process.
    const bool wanted =
        !vcpus_only || hierarchy.has("cpu") || hierarchy.has("cpuacct") || hierarchy.has("cpuset");
    if (!wanted) continue;
    Group group{hierarchy.root + path, host_.unified || hierarchy.has("cpuset")};
    // Not ours to remove, should it be somebody's already.
    if (!inhabited(group.folder)) TRY_STATUS(journal.add(journal::cgroup_entry(group.folder)));
    TRY_STATUS(
        in_step("control group " + group.folder, make_group(hierarchy, host_.unified, path)));
    made->push_back(std::move(group));
  }
  return {};
}

Status SandboxCgroups::enter() {
  if (home_.empty()) return {};
  auto entered = enter_home();
  if (entered || sandbox_only_) return entered;
  give_up(entered.error());
  return {};
}

Status SandboxCgroups::enter_home() {
  TRY(std::string text, read_file("/proc/self/cgroup"));
  came_from_ = host_.own_folders(text);
  for (const Group& group : home_) {
    TRY_STATUS(in_step("enter control group " + group.folder,
                       write_existing(group.folder + "/cgroup.procs", std::to_string(getpid()))));
  }
  return {};
}

Status SandboxCgroups::add_vcpus(const std::vector<pid_t>& threads) {
  for (const Group& group : vcpus_) {
    for (pid_t thread : threads) {
      auto moved = write_existing(group.folder + "/tasks", std::to_string(thread));
      // A vCPU that was taken away meanwhile needs no place.
      if (!moved && moved.error().sys_errno() == ESRCH) continue;
      TRY_STATUS(in_step("vCPU into control group " + group.folder, std::move(moved)));
    }
  }
  return {};
}

Status SandboxCgroups::set_cpus(const CpuSet& cpus) {
  for (const Group& group : keeps_vcpus_apart() ? vcpus_ : home_) {
    if (!group.cpuset) continue;
    std::string list = cpu_list(cpus);
    if (list.empty() && !host_.unified) {
      TRY(list, read_file(dirname(group.folder) + "/cpuset.cpus"));
    }
    if (list.empty()) list = "\n";
    if (!path_exists(group.folder + "/cpuset.cpus")) continue;
    TRY_STATUS(in_step("CPUs " + cpu_list(cpus) + " for control group " + group.folder,
                       write_existing(group.folder + "/cpuset.cpus", list)));
  }
  return {};
}

void SandboxCgroups::leave() {
  for (size_t i = 0; i < came_from_.size(); ++i) {
    const std::string pid = std::to_string(getpid());
    auto moved = write_existing(came_from_[i] + "/cgroup.procs", pid);
    // It may be gone, or have become an inner group.
    if (!moved) moved = write_existing(host_.hierarchies[i].root + "/cgroup.procs", pid);
    if (!moved) log::failure("the shim stays in its control group", moved.error());
  }
  came_from_.clear();
}

}  // namespace kata::resources
