#include "agent/container/namespaces.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/file.h"

namespace kata::agent {
namespace {

constexpr std::array<NamespaceKind, 8> kKinds = {{{"user", "user", CLONE_NEWUSER},
                                                  {"ipc", "ipc", CLONE_NEWIPC},
                                                  {"uts", "uts", CLONE_NEWUTS},
                                                  {"network", "net", CLONE_NEWNET},
                                                  {"pid", "pid", CLONE_NEWPID},
                                                  {"time", "time", CLONE_NEWTIME},
                                                  {"cgroup", "cgroup", CLONE_NEWCGROUP},
                                                  {"mount", "mnt", CLONE_NEWNS}}};

std::string ns_file(const std::string& process, const NamespaceKind& kind) {
  return "/proc/" + process + "/ns/" + kind.proc;
}

// Children of a process live in another namespace than itself for these two.
std::string own_ns_file(const NamespaceKind& kind) {
  bool for_children = kind.flag == CLONE_NEWPID || kind.flag == CLONE_NEWTIME;
  return ns_file("self", kind) + (for_children ? "_for_children" : "");
}

Result<bool> same_as_ours(int fd, const NamespaceKind& kind) {
  struct stat theirs {
  }, ours{};
  if (fstat(fd, &theirs) < 0 || stat(ns_file("self", kind).c_str(), &ours) < 0) {
    return fail_errno("stat namespace");
  }
  return theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

}  // namespace

const NamespaceKind* namespace_by_oci(std::string_view type) {
  for (const NamespaceKind& kind : kKinds) {
    if (kind.oci == type) return &kind;
  }
  return nullptr;
}

const NamespaceKind* namespace_by_flag(int flag) {
  for (const NamespaceKind& kind : kKinds) {
    if (kind.flag == flag) return &kind;
  }
  return nullptr;
}

Result<std::vector<NamespaceFd>> pin_namespaces(pid_t pid) {
  std::vector<NamespaceFd> pinned;
  for (const NamespaceKind& kind : kKinds) {
    std::string path = ns_file(std::to_string(pid), kind);
    // A kernel may lack a kind.
    if (!path_exists(ns_file("self", kind))) continue;
    TRY(UniqueFd fd, open_file(path, O_RDONLY));
    TRY(bool same, same_as_ours(fd.get(), kind));
    if (!same) pinned.push_back({kind.flag, std::move(fd)});
  }
  return pinned;
}

Status NamespaceVisit::remember(const NamespaceKind& kind) {
  TRY(UniqueFd own, open_file(own_ns_file(kind), O_RDONLY));
  back_.push_back({kind.flag, std::move(own)});
  return {};
}

Status NamespaceVisit::enter(int type, int fd) {
  const NamespaceKind* kind = namespace_by_flag(type);
  if (!kind) return fail(Code::kInvalidArgument, "unknown namespace type");
  TRY_STATUS(remember(*kind));
  if (setns(fd, type) < 0) {
    Error error = errno_error("enter " + std::string(kind->oci) + " namespace");
    back_.pop_back();
    return std::unexpected(std::move(error));
  }
  return {};
}

Status NamespaceVisit::make_time_namespace(const grpc::Linux& spec) {
  TRY_STATUS(remember(*namespace_by_flag(CLONE_NEWTIME)));
  if (unshare(CLONE_NEWTIME) < 0) return fail_errno("create time namespace");
  std::string offsets;
  for (const auto& [clock, offset] : spec.timeoffsets()) {
    offsets += clock + ' ' + std::to_string(offset.secs()) + ' ' +
               std::to_string(offset.nanosecs()) + '\n';
  }
  if (offsets.empty()) return {};
  return in_step("set time namespace offsets",
                 write_existing("/proc/self/timens_offsets", offsets));
}

NamespaceVisit::~NamespaceVisit() {
  for (auto back = back_.rbegin(); back != back_.rend(); ++back) {
    if (setns(back->fd.get(), back->type) < 0) panic("cannot leave a container's namespace");
  }
}

IdMappings mappings_of(const grpc::Linux& spec) {
  return {id_mappings(spec.uidmappings()), id_mappings(spec.gidmappings())};
}

Result<UniqueFd> make_shared_namespace(int type, const std::string& hostname) {
  const NamespaceKind* kind = namespace_by_flag(type);
  if (!kind || !(type & (CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET))) {
    return fail(Code::kInvalidArgument, "namespace type cannot be shared this way");
  }
  NamespaceVisit way_back;
  TRY(UniqueFd own, open_file(ns_file("self", *kind), O_RDONLY));
  // Entering one's own namespace only notes the way back.
  TRY_STATUS(way_back.enter(type, own.get()));
  if (unshare(type) < 0) return fail_errno("create " + std::string(kind->oci) + " namespace");
  TRY(UniqueFd made, open_file(ns_file("self", *kind), O_RDONLY));
  if (type == CLONE_NEWUTS) TRY_STATUS(set_hostname(made.get(), hostname));
  return made;
}

Status set_hostname(int uts, const std::string& hostname) {
  if (hostname.empty()) return {};
  NamespaceVisit visit;
  TRY_STATUS(visit.enter(CLONE_NEWUTS, uts));
  if (sethostname(hostname.data(), hostname.size()) < 0) return fail_errno("set host name");
  return {};
}

}  // namespace kata::agent
