#include "agent/container/launcher.h"

#include <fcntl.h>

#include <algorithm>

#include "agent/container/agent_side.h"
#include "agent/container/channel.h"
#include "agent/container/entry.h"
#include "agent/container/hooks.h"
#include "agent/container/launch_config.h"
#include "agent/container/limits.h"
#include "agent/container/namespaces.h"
#include "agent/container/spawn_child.h"
#include "agent/container/validate.h"
#include "base/file.h"
#include "base/log.h"
#include "base/user_namespace.h"

namespace kata::agent {
namespace {

class CreatedInit : public InitProcess {
 public:
  CreatedInit(RunningLaunch launch, std::vector<NamespaceFd> namespaces, HookState state,
              grpc::Spec spec)
      : launch_(std::move(launch)),
        namespaces_(std::move(namespaces)),
        spec_(std::move(spec)),
        state_(std::move(state)) {
    state_.spec = &spec_;
  }

  pid_t pid() const override { return launch_.child.pid; }
  int pidfd() const override { return launch_.child.pidfd.get(); }
  UniqueFd take_console() override { return std::move(launch_.console); }
  const std::vector<NamespaceFd>& namespaces() const override { return namespaces_; }

  Task<Status> start() override {
    CO_TRY_STATUS(co_await launch_.open_gate());
    state_.status = "running";
    Status hooks = co_await run_agent_hooks(state_, "poststart");
    if (!hooks) log::failure("poststart hooks", hooks.error(), {{"container", state_.id}});
    co_return Status();
  }

 private:
  RunningLaunch launch_;
  std::vector<NamespaceFd> namespaces_;
  grpc::Spec spec_;  // version, annotations and hooks
  HookState state_;
};

// Opens the namespaces that the spec names by path, unless the request has one of that type.
Status open_spec_namespaces(const grpc::Linux& spec, std::vector<NamespaceFd>* join) {
  for (const grpc::LinuxNamespace& ns : spec.namespaces()) {
    const NamespaceKind* kind = namespace_by_oci(ns.type());
    bool given = false;
    for (const NamespaceFd& entry : *join) given |= entry.type == kind->flag;
    if (given || ns.path().empty()) continue;
    TRY(UniqueFd fd, in_step(ns.type() + " namespace", open_file(ns.path(), O_RDONLY)));
    join->push_back({kind->flag, std::move(fd)});
  }
  return {};
}

// CLONE_NEW* the container gets of its own.
uint32_t own_namespaces(const grpc::Spec& spec, const std::vector<NamespaceFd>& join, bool v2) {
  uint32_t own = CLONE_NEWNS | (v2 ? CLONE_NEWCGROUP : 0U);
  for (const grpc::LinuxNamespace& ns : spec.linux().namespaces()) {
    own |= static_cast<uint32_t>(namespace_by_oci(ns.type())->flag);
  }
  for (const NamespaceFd& entry : join) own &= ~static_cast<uint32_t>(entry.type);
  return own;
}

LaunchConfig init_config(const InitRequest& request, uint32_t own) {
  LaunchConfig config;
  config.mode = LaunchConfig::Mode::kInit;
  config.id = request.id;
  config.bundle = request.bundle;
  config.rootfs = request.rootfs;
  config.view = request.view;
  config.spec = *request.spec;
  config.made = own;
  if (request.cgroup) {
    config.cgroup_v2 = request.cgroup->is_v2();
    config.cgroup_mounts = request.cgroup->hierarchies();
  }
  return config;
}

grpc::Spec hooks_only(const grpc::Spec& spec) {
  grpc::Spec out;
  out.set_version(spec.version());
  *out.mutable_annotations() = spec.annotations();
  *out.mutable_hooks() = spec.hooks();
  return out;
}

Task<Status> prestart_hooks(HookState state) {
  CO_TRY_STATUS(co_await run_agent_hooks(state, "prestart"));
  co_return co_await run_agent_hooks(state, "createRuntime");
}

bool has_type(const std::vector<NamespaceFd>& list, int type) {
  return std::ranges::find(list, type, &NamespaceFd::type) != list.end();
}

// A user namespace is made apart and entered like one of the pod: its maps exist before anybody is
// in it.
Status join_own_user_namespace(const grpc::Linux& spec, std::vector<NamespaceFd>* join) {
  const auto asked = std::ranges::find(spec.namespaces(), "user", &grpc::LinuxNamespace::type);
  if (asked == spec.namespaces().end() || has_type(*join, CLONE_NEWUSER)) return {};
  TRY(auto made, make_user_namespace(mappings_of(spec)));
  join->push_back({CLONE_NEWUSER, std::move(made.front())});
  return {};
}

Result<RunningLaunch> spawn_init(InitRequest* request, uint32_t own) {
  LaunchPlan plan;
  plan.stdio = &request->stdio;
  plan.cgroup = request->cgroup;
  LaunchConfig config = init_config(*request, own);
  NamespaceVisit visit;
  if (own & CLONE_NEWTIME) TRY_STATUS(visit.make_time_namespace(request->spec->linux()));
  if (has_type(request->join, CLONE_NEWUSER)) {
    for (const NamespaceFd* entry : entry_order(request->join)) {
      config.enter.push_back(static_cast<uint32_t>(entry->type));
      plan.extra.push_back(entry->fd.get());
    }
    return RunningLaunch::spawn(plan, config);
  }
  plan.clone_flags = own & ~kMadeOtherwise;
  for (const NamespaceFd& entry : request->join) {
    TRY_STATUS(visit.enter(entry.type, entry.fd.get()));
  }
  return RunningLaunch::spawn(plan, config);
}

}  // namespace

Task<Result<std::unique_ptr<InitProcess>>> create_init(InitRequest request) {
  const grpc::Spec& spec = *request.spec;
  CO_TRY_STATUS(validate_spec(spec));
  CO_TRY_STATUS(open_spec_namespaces(spec.linux(), &request.join));
  CO_TRY_STATUS(join_own_user_namespace(spec.linux(), &request.join));
  const bool v2 = request.cgroup && request.cgroup->is_v2();
  const uint32_t own = own_namespaces(spec, request.join, v2);
  grpc::Spec kept = hooks_only(spec);
  grpc::Process process = spec.process();

  CO_TRY(RunningLaunch launch, spawn_init(&request, own));
  // The child has them now; a held write end would hide the end of its output.
  request.stdio = Stdio();
  if (has_type(request.join, CLONE_NEWUSER)) {
    CO_TRY_STATUS(send_message(launch.channel.get(), ChannelMessage::Kind::kGo));
    CO_TRY_STATUS(co_await launch.follow_fork());
  }
  const pid_t pid = launch.child.pid;
  CO_TRY_STATUS(launch.prepare(process));

  CO_TRY_STATUS(co_await launch.expect(ChannelMessage::Kind::kHooks));
  HookState state{request.id, request.bundle, "creating", pid, &kept};
  CO_TRY_STATUS(co_await prestart_hooks(state));
  CO_TRY_STATUS(send_message(launch.channel.get(), ChannelMessage::Kind::kGo));

  CO_TRY_STATUS(co_await launch.expect(ChannelMessage::Kind::kReady));
  CO_TRY(std::vector<NamespaceFd> namespaces, pin_namespaces(pid));
  state.status = "created";
  co_return std::make_unique<CreatedInit>(std::move(launch), std::move(namespaces),
                                          std::move(state), std::move(kept));
}

Task<> run_poststop_hooks(const grpc::Spec& spec, std::string id, std::string bundle) {
  grpc::Spec kept = hooks_only(spec);
  HookState state{id, bundle, "stopped", 0, &kept};
  Status hooks = co_await run_agent_hooks(state, "poststop");
  if (!hooks) log::failure("poststop hooks", hooks.error(), {{"container", id}});
}

}  // namespace kata::agent
