// How a sandbox comes to be: a list of named steps. There is no undo code per step: whatever a step
// makes on the host is in the journal first, and stop() replays that.
#include "base/file.h"
#include "base/log.h"
#include "config/annotations.h"
#include "oci/annotations.h"
#include "runtime/guest_requests.h"
#include "runtime/pod_file.h"
#include "runtime/poststop.h"
#include "runtime/sandbox.h"
#include "runtime/sandbox_lock.h"
#include "runtime/sizing.h"
#include "runtime/undo_options.h"

namespace kata::runtime {

namespace {

struct Step {
  const char* name;
  Task<Status> (Sandbox::*run)();
};

std::string seconds(Clock::duration duration) {
  char text[32];
  snprintf(text, sizeof text, "%.1f s", std::chrono::duration<double>(duration).count());
  return text;
}

}  // namespace

Task<Result<std::shared_ptr<Sandbox>>> Sandbox::create(SandboxRequest request, Observer& observer) {
  auto executor = co_await asio::this_coro::executor;
  CO_TRY_STATUS(oci::check_id(request.id));
  std::shared_ptr<Sandbox> self(new Sandbox(executor, std::move(request), observer));
  auto made = co_await self->boot_and_prepare();
  if (!made) {
    co_await self->stop();
    co_return std::unexpected(std::move(made.error()));
  }
  co_return self;
}

Task<Status> Sandbox::boot_and_prepare() {
  static constexpr Step kSteps[] = {
      {"config", &Sandbox::load_config},         {"netns", &Sandbox::check_network},
      {"state", &Sandbox::make_state},           {"cgroup", &Sandbox::join_cgroups},
      {"network", &Sandbox::connect_network},    {"shared-tree", &Sandbox::make_shared_tree},
      {"vmm-spawn", &Sandbox::boot_vm},          {"kernel", &Sandbox::connect_agent},
      {"guest-network", &Sandbox::give_network}, {"sandbox", &Sandbox::create_in_guest},
      {"port-forward", &Sandbox::forward_ports},
  };
  for (const Step& step : kSteps) {
    phases_.begin(step.name);
    auto done = co_await (this->*step.run)();
    if (!done) {
      std::string where = "create sandbox " + id_ + ": step " + step.name + " failed after " +
                          seconds(phases_.elapsed());
      co_return in_step(where, std::move(done));
    }
  }
  phases_.end();
  spawn(executor_, watch_vm(shared_from_this()));
  spawn(executor_, watch_agent(shared_from_this()));
  spawn(executor_, watch_oom(shared_from_this()));
  spawn(executor_, watch_network(shared_from_this()));
  start_health_watch();
  co_return Status{};
}

Task<Status> Sandbox::load_config() {
  CO_TRY(config_, config::load_for_sandbox(request_.config_path));
  const auto& annotations = request_.spec.annotations();
  CO_TRY_STATUS(
      in_step("pod annotations",
              config::apply_annotations({annotations.begin(), annotations.end()}, &config_)));
  for (const auto& warning : config_.warnings) log::warn(warning);
  log::Level level;
  if (config_.config.runtime.enable_debug) {
    log::set_level(log::Level::kDebug);
  } else if (log::parse_level(config_.config.runtime.log_level, &level)) {
    log::set_level(level);
  }
  if (config_.config.hypervisor.shared_fs == config::SharedFs::kNone) {
    co_return fail(Code::kUnimplemented,
                   "shared_fs = \"none\" needs a block device as root file system; set shared_fs "
                   "to \"virtio-fs\" or \"virtio-9p\" in " +
                       config_.path);
  }
  co_return Status{};
}

Task<Status> Sandbox::make_state() {
  CO_TRY(UniqueFd old, lock_sandbox_patiently(paths_));
  if (old) {
    // Its shim is dead, as the lock was free, and died without clean-up.
    log::warn("clearing what an earlier sandbox of this id left", {{"sandbox", id_}});
    CO_TRY_STATUS(co_await offload(pool_, [this]() -> Status {
      PoststopDebts owed;
      auto undone = undo_sandbox(paths_.journal, undo_options(request_.bundle), owed);
      drop_poststop(owed);
      TRY_STATUS(undone);
      return remove_tree(paths_.state);
    }));
  }
  CO_TRY_STATUS(make_dirs(std::string(kStateRoot), 0750));
  CO_TRY_STATUS(make_dirs(std::string(kVmRoot), 0750));
  CO_TRY_STATUS(make_dir(paths_.state, 0700));
  CO_TRY(owner_lock_, lock_sandbox_patiently(paths_));
  if (!owner_lock_) co_return fail(Code::kAborted, paths_.state + " was removed by somebody");
  CO_TRY(auto journal, Journal::open(paths_.journal));
  journal_ = std::make_unique<Journal>(std::move(journal));
  CO_TRY_STATUS(journal_->add(journal::tree_entry(paths_.vm)));
  CO_TRY_STATUS(journal_->add(journal::file_entry(paths_.management)));
  CO_TRY_STATUS(add_pod_files());
  if (auto written = write_pod_file(request_.spec, paths_.pod); !written) {
    log::failure("the monitor will not know the pod's name", written.error());
  }
  co_return make_dir(paths_.vm, 0700);
}

// The guest's own resolv.conf comes from the sandbox's spec.
Status Sandbox::add_pod_files() {
  if (!request_.pod) return {};
  drop_forgotten_files(std::string(kPodFilesRoot), std::string(kStateRoot));
  TRY_STATUS(make_dirs(std::string(kPodFilesRoot), 0700));
  TRY_STATUS(journal_->add(journal::tree_entry(paths_.pod_files)));
  TRY_STATUS(in_step("files of the pod", write_files(&*request_.pod, paths_.pod_files)));
  complete_with(*request_.pod, &request_.spec);
  return {};
}

// Before the first helper is started: children are born in their parent's group.
Task<Status> Sandbox::join_cgroups() {
  resources::SandboxCgroups::Request request;
  request.id = id_;
  request.cgroups_path = request_.spec.linux().cgroupspath();
  request.sandbox_only = config_.config.runtime.sandbox_cgroup_only;
  co_return co_await offload(pool_, [&]() -> Status {
    TRY(std::string mounts, read_file("/proc/self/mountinfo"));
    TRY(cgroups_, resources::SandboxCgroups::create(request, resources::find_host_cgroups(mounts),
                                                    *journal_));
    return cgroups_->enter();
  });
}

Task<Status> Sandbox::place_vcpus() {
  if (!cgroups_->keeps_vcpus_apart()) co_return Status{};
  CO_TRY(auto threads, co_await vm_->vcpu_threads());
  co_return cgroups_->add_vcpus(threads);
}

Task<Status> Sandbox::make_shared_tree() {
  CO_TRY(tree_, storage::SharedTree::create(id_, *journal_));
  co_return tree_->share_sandbox_mounts(config_.config.runtime.sandbox_bind_mounts);
}

Task<Status> Sandbox::boot_vm() {
  Vm::Request request;
  request.sandbox_id = id_;
  request.config = &config_.config;
  request.paths = &paths_;
  request.shared_dir = tree_->exported();
  const config::HypervisorConfig& hypervisor = config_.config.hypervisor;
  CO_TRY(request.size, boot_size(request_.spec, hypervisor));
  const bool fixed = config_.config.runtime.static_sandbox_resource_mgmt;
  request.most = fixed ? request.size : most_size(hypervisor);
  const VmSize boot = request.size;
  request.netns_fd = network_ ? network_->netns_fd() : -1;
  for (const auto& net : nets_) boot_nets_.insert(net.id);
  request.nets = std::move(nets_);
  request.journal = journal_.get();
  request.phases = &phases_;
  CO_TRY(vm_, co_await Vm::boot(std::move(request)));
  pid_ = vm_->pid();
  volumes_ = std::make_unique<AssignedVolumes>(executor_, pool_, id_, *journal_);
  disks_ = std::make_unique<PluggedDisks>(executor_, vm_->hypervisor(), hypervisor);
  if (!fixed) {
    resizer_ = std::make_unique<VmResizer>(executor_, *vm_, boot, [this] { return place_vcpus(); });
  }
  co_return in_step("control groups of the vCPUs", co_await place_vcpus());
}

Task<Status> Sandbox::connect_agent() {
  CO_TRY(auto client, co_await vm_->connect_agent());
  phases_.begin("agent");
  const auto& agent = config_.config.agent;
  AgentClient::Deadlines deadlines;
  deadlines.request = agent.request_timeout;
  deadlines.create_container = config_.config.runtime.create_container_timeout;
  deadlines.check = agent.health_check_request_timeout;
  agent_ = std::make_unique<AgentClient>(std::move(client), deadlines);
  co_return co_await agent_->check(deadlines.check);
}

Task<Status> Sandbox::create_in_guest() {
  auto message = make_create_sandbox(id_, request_.spec, config_.config);
  message.set_sandbox_pidns(request_.pod && request_.pod->shares_pids);
  CO_TRY_STATUS(co_await agent_->create_sandbox(std::move(message)));
  co_return Status{};
}

// Only a pod's manager dials into the namespace, and a pod without one (disable_new_netns) has
// nothing to dial into. A kernel that cannot is no reason to fail: the pod
// works, and so does all traffic to its address.
Task<Status> Sandbox::forward_ports() {
  CO_TRY(auto type, oci::container_type(request_.spec));
  if (type != oci::ContainerType::kPodSandbox || !network_) co_return Status{};
  auto trap =
      co_await offload(pool_, [this] { return network::trap_loopback(network_->netns_fd()); });
  Status started;
  if (trap) {
    auto forward = PortForward::start(executor_, std::move(*trap), vm_->endpoint());
    if (forward) {
      port_forward_ = std::move(*forward);
      co_return Status{};
    }
    started = std::unexpected(std::move(forward.error()));
  } else {
    started = std::unexpected(std::move(trap.error()));
  }
  log::failure("ports of this pod cannot be forwarded", started.error());
  co_return Status{};
}

}  // namespace kata::runtime
