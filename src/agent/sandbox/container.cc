#include "agent/sandbox/container.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <algorithm>
#include <csignal>

#include "agent/sandbox/kept_resources.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"

namespace kata::agent {
namespace {

constexpr char kTypeAnnotation[] = "io.katacontainers.pkg.oci.container_type";

Result<UniqueFd> duplicate(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) return fail_errno("duplicate pidfd");
  return copy;
}

bool is_pod_sandbox(const grpc::Spec& spec) {
  auto type = spec.annotations().find(kTypeAnnotation);
  return type != spec.annotations().end() && type->second == "pod_sandbox";
}

}  // namespace

Container::Container(ContainerPlan plan)
    : id_(std::move(plan.id)),
      spec_(std::move(plan.spec)),
      bundle_(std::move(plan.bundle)),
      rootfs_(bundle_ + "/rootfs"),
      join_(std::move(plan.join)),
      own_pids_(std::ranges::find(join_, CLONE_NEWPID, &NamespaceFd::type) == join_.end()),
      cgroups_(plan.cgroups),
      pipe_size_(plan.pipe_size),
      views_(plan.views) {}

Task<Result<std::shared_ptr<Container>>> Container::create(ContainerPlan plan) {
  auto self = std::shared_ptr<Container>(new Container(std::move(plan)));
  auto made = self->make_bundle();
  if (made) made = self->make_cgroup();
  if (made) made = co_await self->launch();
  if (made) co_return self;
  co_await self->clean_up();
  co_return std::unexpected(std::move(made.error()));
}

// The bundle's rootfs is a bind mount of the spec's root, so that hooks find it where the bundle
// format puts it and a later unmount of the storage is not held up by paths into it.
Status Container::make_bundle() {
  const std::string& root = spec_.root().path();
  if (root.empty() || root[0] != '/') {
    return fail(Code::kInvalidArgument, "root path \"" + root + "\" is not absolute");
  }
  // Root of a user namespace is nobody here, and must come through.
  TRY_STATUS(make_dirs(rootfs_, 0711));
  if (root == rootfs_) return {};
  if (mount(root.c_str(), rootfs_.c_str(), nullptr, MS_BIND | MS_REC, nullptr) < 0) {
    return fail_errno("bind root filesystem " + root);
  }
  rootfs_mounted_ = true;
  return {};
}

Status Container::make_cgroup() {
  if (!cgroups_) return {};
  TRY(std::string path, resolve_cgroups_path(spec_.linux().cgroupspath(), id_));
  TRY(cgroup_, Cgroup::create(*cgroups_, std::move(path)));
  TRY_STATUS(in_step("limits of the container", cgroup_->apply(spec_.linux().resources())));
  follow_cpu_limit();
  return {};
}

// A kernel that cannot restrict CPUs still holds the limit itself.
void Container::follow_cpu_limit() {
  if (!views_ || !cgroup_ || !spec_.linux().resources().cpu().cpus().empty()) return;
  CpuSet wanted = views_->choose(id_, cpus_of_limit(spec_.linux().resources().cpu()), cpus_);
  if (wanted == cpus_) return;
  auto restricted = cgroup_->restrict_cpus(wanted);
  if (restricted) {
    cpus_ = std::move(wanted);
    views_->took(id_, cpus_);
  } else {
    log::failure("the container sees more CPUs than its limit is worth", restricted.error(),
                 {{"container_id", id_}});
  }
}

Task<Status> Container::launch() {
  auto executor = co_await asio::this_coro::executor;
  InitRequest request;
  request.id = id_;
  request.bundle = bundle_;
  request.rootfs = rootfs_;
  request.spec = &spec_;
  request.join = std::move(join_);
  request.cgroup = cgroup_.get();
  if (views_ && cgroup_ && !is_pod_sandbox(spec_)) {
    request.view = views_->show(executor, id_, spec_.linux().resources(), cgroup_.get());
  }
  ProcessIo io;
  bool terminal = spec_.process().terminal();
  if (!terminal) {
    CO_TRY(io, ProcessIo::make_pipes(executor, pipe_size_, &request.stdio));
  }
  CO_TRY(gate_, co_await create_init(std::move(request)));
  if (terminal) {
    CO_TRY(io, ProcessIo::from_console(executor, gate_->take_console()));
  }
  CO_TRY(UniqueFd pidfd, duplicate(gate_->pidfd()));
  init_ = ContainerProcess::adopt(executor, id_, gate_->pid(), std::move(pidfd), std::move(io));
  co_return Status{};
}

Task<Status> Container::start(OomEvents* oom) {
  if (state_ != State::kCreated) {
    co_return fail(Code::kFailedPrecondition, "container " + id_ + " is not in created state");
  }
  // A frozen child would never pass its gate.
  if (cgroup_ && cgroup_->frozen()) {
    co_return fail(Code::kFailedPrecondition, "container " + id_ + " is paused");
  }
  std::unique_ptr<OomWatch> watch;
  if (oom && cgroup_ && !is_pod_sandbox(spec_)) {
    auto made = cgroup_->watch_oom();
    if (made) {
      watch = std::move(*made);
    } else {
      log::failure("OOM events of this container will be missing", made.error(),
                   {{"container_id", id_}});
    }
  }
  state_ = State::kRunning;
  auto started = co_await gate_->start();
  if (!started) co_return started;
  if (watch) {
    spawn(co_await asio::this_coro::executor,
          report_oom(shared_from_this(), std::move(watch), oom));
  }
  co_return Status{};
}

Task<> Container::report_oom(std::shared_ptr<Container> self, std::unique_ptr<OomWatch> watch,
                             OomEvents* oom) {
  while (true) {
    auto woken = co_await wait_readable(watch->fd());
    if (!woken) co_return;
    auto kills = watch->take();
    if (!kills) co_return;
    if (*kills > 0) oom->push(self->id_);
  }
}

Task<Status> Container::exec(std::string exec_id, const grpc::Process& process) {
  if (is_init(exec_id) || execs_.contains(exec_id)) {
    co_return fail(Code::kAlreadyExists, "exec id " + exec_id + " exists already");
  }
  if (state_ != State::kRunning || init_->has_exited()) {
    co_return fail(Code::kFailedPrecondition, "container " + id_ + " is not running");
  }
  auto executor = co_await asio::this_coro::executor;
  ExecRequest request;
  request.process = &process;
  request.spec = &spec_;
  request.namespaces = &gate_->namespaces();
  request.init_pid = init_->pid();
  request.cgroup = cgroup_.get();
  ProcessIo io;
  if (!process.terminal()) {
    CO_TRY(io, ProcessIo::make_pipes(executor, pipe_size_, &request.stdio));
  }
  CO_TRY(Launched launched, co_await exec_process(std::move(request)));
  if (process.terminal()) {
    CO_TRY(io, ProcessIo::from_console(executor, std::move(launched.console)));
  }
  execs_[exec_id] = ContainerProcess::adopt(executor, exec_id, launched.pid,
                                            std::move(launched.pidfd), std::move(io));
  co_return Status{};
}

Result<std::shared_ptr<ContainerProcess>> Container::process(const std::string& exec_id) const {
  if (is_init(exec_id)) return init_;
  auto found = execs_.find(exec_id);
  if (found == execs_.end()) return fail(Code::kNotFound, "Process not found: exec id " + exec_id);
  return found->second;
}

void Container::forget(const std::string& exec_id) {
  auto found = execs_.find(exec_id);
  if (found != execs_.end() && found->second->has_exited()) execs_.erase(found);
}

Task<Status> Container::signal(std::string exec_id, int number) {
  CO_TRY(auto target, process(exec_id));
  if (exec_id.empty() && number == SIGKILL && cgroup_) {
    auto self = shared_from_this();
    co_return co_await cgroup_->kill_all();
  }
  if (is_init(exec_id) && number == SIGTERM && target->takes_default_action(SIGTERM)) {
    number = SIGKILL;
  }
  co_return target->signal(number);
}

Status Container::update(const grpc::LinuxResources& resources) {
  if (!cgroup_) return fail(Code::kUnavailable, "this machine has no cgroups");
  TRY_STATUS(cgroup_->update(resources));
  keep_resources(resources, spec_.mutable_linux()->mutable_resources());
  follow_cpu_limit();
  return {};
}

Task<Status> Container::destroy() {
  if (state_ == State::kDestroyed) co_return Status{};
  state_ = State::kDestroyed;
  Status killed;
  if (cgroup_) killed = co_await cgroup_->kill_all();
  if (!init_->has_exited()) {
    auto sent = init_->signal(SIGKILL);
    if (!sent && killed) killed = std::move(sent);
  }
  if (killed) co_await init_->wait();
  co_await run_poststop_hooks(spec_, id_, bundle_);
  co_await clean_up();
  co_return killed;
}

// Every step runs, whatever the one before said: what can be freed is freed.
Task<> Container::clean_up() {
  gate_.reset();
  if (views_) views_->forget(id_);
  if (cgroup_) {
    if (auto removed = co_await cgroup_->destroy(); !removed) {
      log::failure("cgroup left behind", removed.error(), {{"container_id", id_}});
    }
  }
  if (rootfs_mounted_ && umount2(rootfs_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
    log::failure("root filesystem left mounted", errno_error("unmount " + rootfs_));
  }
  if (auto removed = remove_tree(bundle_); !removed) {
    log::failure("bundle left behind", removed.error(), {{"container_id", id_}});
  }
}

}  // namespace kata::agent
