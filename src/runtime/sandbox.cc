#include "runtime/sandbox.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "oci/transform.h"
#include "runtime/guest_requests.h"
#include "runtime/hooks.h"
#include "runtime/poststop.h"
#include "runtime/undo_options.h"
#include "runtime/vmm_activity.h"

namespace kata::runtime {

namespace {

// OOM reports a guest may send per second.
constexpr Clock::duration kOomPause = 100ms;
// Time in which the end of a VMM is known after its connection is gone.
constexpr Clock::duration kDeathNotice = 200ms;
// Status of a sandbox whose VM died: 128 + SIGKILL, as of its containers.
constexpr uint32_t kKilled = 137;
// For all poststop hooks that are left when a whole sandbox ends: the shim allows that 10 s.
constexpr Clock::duration kPoststopLimit = 8s;

// The configuration file has the key, in whichever section ends like this.
bool has_key(const config::LoadedConfig& loaded, std::string_view name) {
  return std::ranges::any_of(loaded.origins,
                             [&](const auto& entry) { return entry.first.ends_with(name); });
}

}  // namespace

Sandbox::Sandbox(asio::any_io_executor executor, SandboxRequest request, Observer& observer)
    : executor_(std::move(executor)),
      request_(std::move(request)),
      observer_(observer),
      id_(request_.id),
      paths_(id_),
      phases_(id_),
      stopped_(executor_),
      ended_(executor_) {}

Sandbox::~Sandbox() = default;

std::shared_ptr<Container> Sandbox::find(const std::string& id) const {
  auto found = containers_.find(id);
  return found == containers_.end() ? nullptr : found->second;
}

std::vector<std::string> Sandbox::container_ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, container] : containers_) ids.push_back(id);
  return ids;
}

Task<Result<std::shared_ptr<Container>>> Sandbox::create_container(ContainerRequest request) {
  auto self = shared_from_this();
  CO_TRY_STATUS(still_there());
  if (containers_.contains(request.id)) {
    co_return fail(Code::kAlreadyExists, "container " + request.id);
  }
  CO_TRY_STATUS(oci::check_id(request.id));
  CO_TRY(auto type, oci::container_type(request.spec));
  if (request_.pod) complete_with(*request_.pod, &request.spec);
  request.spec.mutable_process()->set_terminal(request.terminal);
  auto container =
      std::make_shared<Container>(*this, request.id, request.bundle, request.spec, type);
  // Entered first, so that a second request for the id is refused while this one is under way.
  containers_[request.id] = container;
  auto made = co_await prepare_container(request, *container);
  if (!made) {
    containers_.erase(request.id);
    const bool answered = made.error().code() != Code::kDeadlineExceeded;
    if (answered) co_await unplug_devices(request.id);
    co_await release_container_files(request.id, request.bundle);
    co_await run_poststop_hooks(request.id, request.bundle, request.spec);
    [[maybe_unused]] Status unbound = co_await bind_host_cpus();
    shrink_vm();
    co_return std::unexpected(std::move(made.error()));
  }
  co_return container;
}

Status Sandbox::still_there() const {
  if (lives()) return {};
  return fail(Code::kUnavailable,
              "sandbox " + id_ + " is gone: " + (stopping_ ? "it was stopped" : death_reason_));
}

Task<Status> Sandbox::prepare_container(ContainerRequest& request, Container& container) {
  phases_.begin("rootfs");
  CO_TRY_STATUS(check_host_cpus(request.spec.linux().resources().cpu().cpus()));
  CO_TRY_STATUS(co_await bind_host_cpus());
  oci::GuestContext context;
  context.type = container.type();
  context.bundle = request.bundle;
  context.seccomp = !config_.config.runtime.disable_guest_seccomp;
  std::string rootfs;
  auto mounted = co_await offload(pool_, [&]() -> Status {
    TRY(rootfs, storage::mount_rootfs(request.rootfs, request.bundle, request.spec, *journal_));
    return {};
  });
  if (!mounted) co_return in_step("prepare files of the container", std::move(mounted));
  // A sandbox that was stopped meanwhile has paid its debts: no new ones.
  CO_TRY_STATUS(still_there());
  // Before the files are shared: what a hook mounts below the root comes along.
  CO_TRY_STATUS(co_await run_create_hooks(request.id, request.bundle, request.spec));
  CO_TRY_STATUS(still_there());
  std::vector<grpc::Storage> assigned;
  CO_TRY_STATUS(co_await plug_volumes(request.id, request.spec, context, assigned));
  CO_TRY_STATUS(still_there());
  auto volumes = co_await share_files(request.id, rootfs, request.spec, context);
  if (!volumes) {
    co_return std::unexpected(std::move(volumes.error()).context("prepare files of the container"));
  }
  std::ranges::move(assigned, std::back_inserter(*volumes));

  phases_.begin("container");
  CO_TRY_STATUS(co_await grow_vm());
  CO_TRY_STATUS(still_there());
  grpc::CreateContainerRequest message;
  CO_TRY_STATUS(
      co_await plug_devices(request.id, request.spec, context, *message.mutable_devices()));
  CO_TRY_STATUS(still_there());
  CO_TRY(auto guest, oci::to_guest(request.spec, context));
  for (const auto& note : guest.dropped) log::info(note, {{"container", request.id}});
  message.set_container_id(request.id);
  message.set_exec_id(request.id);
  message.set_sandbox_pidns(guest.sandbox_pidns);
  for (const auto& volume : *volumes) *message.add_storages() = volume;
  *message.mutable_oci() = std::move(guest.spec);
  auto created = co_await agent_->create_container(std::move(message));
  if (created) keep_elastic(*volumes);
  phases_.end();
  if (!created && created.error().code() == Code::kUnavailable && death_reason_.empty()) {
    // The hang-up of a dying VMM comes before its exit status, which says more.
    co_await vm_->died().wait_for(kDeathNotice);
  }
  if (!created && (!death_reason_.empty() || vm_->died().ready())) {
    const std::string& why = death_reason_.empty() ? vm_->died().value() : death_reason_;
    co_return fail(Code::kUnavailable, "create container: sandbox " + id_ + " is gone: " + why);
  }
  co_return in_step("create container in the guest", std::move(created));
}

Task<Status> Sandbox::run_create_hooks(const std::string& id, const std::string& bundle,
                                       const grpc::Spec& spec) {
  const grpc::Hooks& hooks = spec.hooks();
  if (hooks.poststop_size() > 0) CO_TRY_STATUS(journal_->add(poststop_entry(id, bundle)));
  const HookState state(spec, id, bundle, pid_);
  const HookRun prestart{"prestart", "creating", {}};
  CO_TRY_STATUS(co_await run_hooks(hooks.prestart(), state, prestart));
  const HookRun create_runtime{"createRuntime", "creating", {}};
  co_return co_await run_hooks(hooks.createruntime(), state, create_runtime);
}

Task<> Sandbox::run_poststop_hooks(std::string id, std::string bundle, grpc::Spec spec) {
  // stop() pays whatever the journal's file still lists, and journal_ does not get to know of it.
  if (stopping_) co_return;
  const journal::Entry debt = poststop_entry(id, bundle);
  // Not owed when the create failed before its first hook.
  const auto owed = journal_->live();
  if (std::ranges::find(owed, debt) == owed.end()) co_return;
  if (auto done = journal_->done(debt); !done) log::failure("journal", done.error());
  const HookState state(spec, id, bundle, 0);
  const HookRun poststop{"poststop", "stopped", {}};
  co_await run_hooks_to_the_end(spec.hooks().poststop(), state, poststop);
}

Task<> Sandbox::release_container_files(std::string id, std::string bundle) {
  if (volume_watch_) volume_watch_->remove(id);
  auto freed = co_await offload(pool_, [&]() -> Status {
    auto unshared = tree_->unshare(id);
    auto unmounted = storage::unmount_rootfs(bundle, *journal_);
    if (!unshared) return unshared;
    return unmounted;
  });
  if (!freed) log::failure("files of a container stay mounted", freed.error(), {{"container", id}});
}

Task<Status> Sandbox::remove_container(const std::string& id) {
  auto self = shared_from_this();
  auto container = find(id);
  if (!container) co_return fail(Code::kNotFound, "container " + id);
  Status removed;
  if (death_reason_.empty() && !stopping_) {
    removed = co_await agent_->remove_container(id);
    // A guest that does not know it any more has nothing left of it.
    if (!removed && !death_reason_.empty()) removed = {};
  }
  if (container->state() != Container::State::kStopped) container->abandon("removed");
  co_await release_container_files(id, container->bundle());
  co_await run_poststop_hooks(id, container->bundle(), container->spec());
  containers_.erase(id);
  // A silent guest may be writing still: its disks and the locks on them end with the VM then.
  const bool answered = removed || removed.error().code() != Code::kDeadlineExceeded;
  if (answered) co_await unplug_devices(id);
  if (auto bound = co_await bind_host_cpus(); !bound) log::failure("host CPUs", bound.error());
  shrink_vm();
  if (!removed)
    log::failure("the guest could not remove a container", removed.error(), {{"container", id}});
  co_return Status{};
}

Task<> Sandbox::watch_vm(std::shared_ptr<Sandbox> self) {
  std::string reason = co_await self->vm_->died().wait();
  self->die(std::move(reason));
}

Task<> Sandbox::watch_agent(std::shared_ptr<Sandbox> self) {
  co_await self->agent_->closed().wait();
  if (self->stopping_) co_return;
  // The hang-up of a dying VMM comes before its exit status, which says more.
  co_await self->vm_->died().wait_for(kDeathNotice);
  if (self->vm_->died().ready()) co_return;
  self->die("the guest's agent hung up");
}

void Sandbox::start_health_watch() {
  HealthWatch::Options options;
  options.activity = [vmm = std::make_shared<VmmActivity>(pid_)] { return vmm->sample(); };
  // Without a word of the administrator a silent guest is only reported.
  if (has_key(config_, ".health_check_request_timeout_ms")) {
    options.limit = config_.config.agent.health_check_request_timeout;
  }
  options.give_up = [this](std::string reason) { give_up(std::move(reason)); };
  health_ = std::make_unique<HealthWatch>(std::move(options));
  spawn(executor_, watch_health(shared_from_this()));
}

Task<> Sandbox::watch_health(std::shared_ptr<Sandbox> self) {
  co_await self->health_->run(self, *self->agent_);
}

bool Sandbox::is_alone(const Container& container) const {
  // The end of a pod's own container is the end of the pod.
  if (container.type() != oci::ContainerType::kPodContainer) return true;
  return std::ranges::none_of(containers_, [&](const auto& entry) {
    const Container& other = *entry.second;
    return &other != &container && other.type() == oci::ContainerType::kPodContainer &&
           other.state() != Container::State::kStopped;
  });
}

Task<> Sandbox::watch_oom(std::shared_ptr<Sandbox> self) {
  log::Limit lies(0.1, 3);
  while (self->death_reason_.empty() && !self->stopping_) {
    auto id = co_await self->agent_->oom_event();
    if (!id) {
      if (id.error().code() == Code::kUnimplemented) co_return;
    } else if (self->containers_.contains(*id)) {
      self->observer_.container_oom(*id);
    } else {
      lies.write(log::Level::kWarn, "the guest reports an OOM of a container it does not have",
                 {{"container", *id}});
    }
    co_await sleep_for(kOomPause);
  }
}

void Sandbox::publish_phases() {
  phases_.end();
  if (auto saved = phases_.save(paths_.phases); !saved) {
    log::failure("cannot save the phase record", saved.error());
  }
  if (phases_published_) return;
  phases_published_ = true;
  log::info("container started", {{"phases", phases_.summary()}});
  if (auto logged = phases_.append_to(std::string(kPhaseLog)); !logged) {
    log::failure("cannot add to the node's phase log", logged.error());
  }
}

void Sandbox::die(std::string reason) {
  if (stopping_ || !death_reason_.empty()) return;
  death_reason_ = std::move(reason);
  log::error("the sandbox is dead", {{"reason", death_reason_}, {"console", vm_->console_tail()}});
  // All exits first, clean-up after.
  for (auto& [id, container] : containers_) container->abandon(death_reason_);
  ended_.set({kKilled, std::chrono::system_clock::now(), death_reason_});
  agent_->close();
  if (network_watch_) network_watch_->close();
  if (volume_watch_) volume_watch_->close();
  spawn(executor_, kill_vm(shared_from_this()));
}

Task<> Sandbox::kill_vm(std::shared_ptr<Sandbox> self) {
  co_await self->vm_->stop();
}

Task<> Sandbox::stop() {
  auto self = shared_from_this();
  if (stopping_) {
    co_await stopped_.wait();
    co_return;
  }
  stopping_ = true;
  port_forward_.reset();
  for (auto& [id, container] : containers_) container->abandon("the sandbox was stopped");
  if (agent_) agent_->close();
  if (network_watch_) network_watch_->close();
  if (volume_watch_) volume_watch_->close();
  // The guest holds nothing that outlives it: killing it is the whole goodbye.
  if (vm_) co_await vm_->stop();
  if (volumes_) volumes_->drop();
  // Taken out of the map first: a remove_container() under way takes its entry out meanwhile.
  auto leaving = std::exchange(containers_, {});
  for (const auto& [id, container] : leaving) {
    co_await release_container_files(id, container->bundle());
  }
  co_await free_host_resources();
  ended_.set({0, std::chrono::system_clock::now(), ""});
  stopped_.set();
}

Task<> Sandbox::free_host_resources() {
  // Without a journal nothing was made, and what bears this id is somebody else's.
  if (!journal_) co_return;
  auto freed = co_await offload(pool_, [&]() -> Status {
    Status first;
    if (tree_) first = tree_->destroy();
    if (cgroups_) cgroups_->leave();
    // Replaying the journal finds whatever an interrupted step left.
    const int netns = network_ ? network_->netns_fd() : -1;
    PoststopDebts owed;
    auto undone = undo_sandbox(paths_.journal, undo_options(request_.bundle, netns), owed);
    if (first) first = undone;
    // What could not be freed stays in the journal for the next one who tries.
    if (first) first = remove_tree(paths_.state);
    pay_poststop(owed, kPoststopLimit);
    return first;
  });
  if (!freed) log::failure("host resources of the sandbox stay", freed.error(), {{"sandbox", id_}});
}

}  // namespace kata::runtime
