#include "agent/sandbox/sandbox.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>

#include "agent/network/pod_network.h"
#include "base/log.h"

namespace kata::agent {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<NamespaceFd> copy_of(int type, const UniqueFd& source) {
  UniqueFd fd(fcntl(source.get(), F_DUPFD_CLOEXEC, 3));
  if (!fd) return fail_errno("duplicate namespace");
  return NamespaceFd{type, std::move(fd)};
}

}  // namespace

Status check_container_id(const std::string& id) {
  constexpr size_t kLongest = 255;  // it becomes a folder name
  bool valid = id.size() >= 2 && id.size() <= kLongest && is_alphanumeric(id[0]) &&
               std::ranges::all_of(id, [](char c) {
                 return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
               });
  if (!valid) return fail(Code::kInvalidArgument, "Invalid container id: \"" + id + "\"");
  return {};
}

Sandbox::Sandbox(asio::any_io_executor executor) : oom_(executor), finished_(executor) {
  auto detected = CgroupHierarchy::detect();
  if (detected) {
    cgroups_ = std::move(*detected);
  } else {
    log::failure("containers will run without cgroups", detected.error());
  }
}

Status Sandbox::begin(const std::string& id, const std::string& hostname) {
  if (ipc_) return fail(Code::kAlreadyExists, "sandbox " + id_ + " exists already");
  TRY(uts_, make_shared_namespace(CLONE_NEWUTS, hostname));
  TRY(ipc_, make_shared_namespace(CLONE_NEWIPC));
  id_ = id;
  hostname_ = hostname;
  return {};
}

Status Sandbox::share_user_namespace(const grpc::Linux& spec, bool own_network) {
  const auto asked = std::ranges::find(spec.namespaces(), "user", &grpc::LinuxNamespace::type);
  if (asked == spec.namespaces().end()) return {};
  const IdMappings wanted = mappings_of(spec);
  if (user_ && wanted == mappings_) return {};
  if (user_) {
    return fail(Code::kInvalidArgument,
                "the containers of a pod share one user namespace; this one asks for other ids");
  }
  if (!containers_.empty()) {
    return fail(Code::kFailedPrecondition,
                "a container asks for a user namespace, but the first of its pod had none");
  }
  if (wanted.empty()) return fail(Code::kInvalidArgument, "user namespace without mappings");
  std::vector<int> kinds = {CLONE_NEWIPC, CLONE_NEWUTS};
  if (own_network) kinds.push_back(CLONE_NEWNET);
  TRY(auto made, in_step("user namespace of the pod", make_user_namespace(wanted, kinds)));
  TRY_STATUS(set_hostname(made[2].get(), hostname_));
  if (own_network) {
    TRY(outer_network_, in_step("network namespace of the pod", move_network(made[3].get())));
  }
  user_ = std::move(made[0]);
  ipc_ = std::move(made[1]);
  uts_ = std::move(made[2]);
  mappings_ = wanted;
  return {};
}

Task<Status> Sandbox::hold_pids() {
  const auto turn = co_await making_pids_.lock();
  if (!shares_pids_ || pidns_) co_return Status{};
  // Only in a PID namespace of the pod's user namespace could its root mount a /proc.
  CO_TRY(PauseProcess started, co_await PauseProcess::start(user_ ? user_.get() : -1));
  pause_.emplace(std::move(started));
  CO_TRY(NamespaceFd entry, copy_of(CLONE_NEWPID, pause_->pid_namespace()));
  pidns_ = std::move(entry.fd);
  co_return Status{};
}

Status Sandbox::reserve(const std::string& id) {
  TRY_STATUS(check_container_id(id));
  if (containers_.contains(id) || !reserved_.insert(id).second) {
    return fail(Code::kAlreadyExists, "container id " + id + " exists already");
  }
  return {};
}

void Sandbox::add(std::shared_ptr<Container> container) {
  if (!pidns_) {
    for (const auto& entry : container->namespaces()) {
      if (entry.type != CLONE_NEWPID) continue;
      pidns_.reset(fcntl(entry.fd.get(), F_DUPFD_CLOEXEC, 3));
      pidns_owner_ = container->id();
    }
  }
  std::string id = container->id();
  reserved_.erase(id);
  containers_[id] = std::move(container);
}

Result<std::shared_ptr<Container>> Sandbox::find(const std::string& id) const {
  auto found = containers_.find(id);
  if (found == containers_.end()) {
    return fail(Code::kInvalidArgument, "Invalid container id: " + id);
  }
  return found->second;
}

std::vector<std::shared_ptr<Container>> Sandbox::containers() const {
  std::vector<std::shared_ptr<Container>> all;
  for (const auto& [id, container] : containers_) all.push_back(container);
  return all;
}

void Sandbox::remove(const std::string& id) {
  // Dead now, nothing could be born in it. A pod without a pause container lives on.
  if (id == pidns_owner_) {
    pidns_.reset();
    pidns_owner_.clear();
  }
  containers_.erase(id);
}

Result<std::vector<NamespaceFd>> Sandbox::namespaces_to_join(bool share_pids) const {
  std::vector<NamespaceFd> join;
  for (auto [type, source] : {std::pair{CLONE_NEWIPC, &ipc_}, std::pair{CLONE_NEWUTS, &uts_},
                              std::pair{CLONE_NEWUSER, &user_}}) {
    if (!*source) continue;
    TRY(NamespaceFd entry, copy_of(type, *source));
    join.push_back(std::move(entry));
  }
  if (share_pids) {
    TRY(NamespaceFd entry, pids_to_share());
    if (entry.fd) join.push_back(std::move(entry));
  }
  return join;
}

// The wire does not tell whose: containers of a pod that shares its PIDs want the pod's, an
// ephemeral container wants its target's. In the former pod nobody but the pause container, which
// is named like the pod, has PIDs of its own; in the latter the one who has must be the target.
// Without a descriptor: nobody is meant for certain, and a neighbour that was not named is no
// substitute.
Result<NamespaceFd> Sandbox::pids_to_share() const {
  const Container* target = nullptr;
  size_t possible = 0;
  for (const auto& [id, container] : containers_) {
    if (shares_pids_ || id == id_ || !container->lives_with_own_pids()) continue;
    target = container.get();
    ++possible;
  }
  if (possible == 1) {
    for (const auto& entry : target->namespaces()) {
      if (entry.type == CLONE_NEWPID) return copy_of(CLONE_NEWPID, entry.fd);
    }
  }
  const bool of_the_pod = pidns_ && (shares_pids_ || pidns_owner_ == id_);
  if (possible > 1) {
    log::warn("a container joins another one's PID namespace, and several could be meant",
              {{"containers", std::to_string(possible)},
               {"gets", of_the_pod ? "that of the pod's first process" : "one of its own"}});
  }
  if (of_the_pod) return copy_of(CLONE_NEWPID, pidns_);
  return NamespaceFd{CLONE_NEWPID, UniqueFd()};
}

}  // namespace kata::agent
