// run_agent_hooks(): hooks in the agent's namespaces without blocking its loop.
#include "agent/container/channel.h"
#include "agent/container/hooks.h"
#include "agent/container/launch_config.h"
#include "agent/container/spawn_child.h"

namespace kata::agent {
namespace {

// Kills and reaps the helper at the end of the scope.
struct ReapAtEnd {
  Child child;
  ~ReapAtEnd() { kill_and_reap(child); }
};

}  // namespace

Task<Status> run_agent_hooks(HookState state, std::string kind) {
  if (hooks_of(*state.spec, kind).empty()) co_return Status();
  LaunchConfig config;
  config.mode = LaunchConfig::Mode::kHooks;
  config.id = state.id;
  config.bundle = state.bundle;
  config.state = state.status;
  config.pid = static_cast<uint32_t>(state.pid);
  config.hook_kind = kind;
  config.spec.set_version(state.spec->version());
  *config.spec.mutable_annotations() = state.spec->annotations();
  *config.spec.mutable_hooks() = state.spec->hooks();
  CO_TRY(UniqueFd file, config.to_memfd());
  CO_TRY(auto channel, make_channel());
  ChildPlan plan;
  plan.channel = channel.second.get();
  plan.config = file.get();
  plan.mode = "hooks";
  ReapAtEnd helper;
  CO_TRY(helper.child, spawn_child(plan));
  channel.second.reset();
  CO_TRY(ChannelMessage answer, co_await receive_message_async(channel.first.get()));
  if (answer.error) co_return std::unexpected(std::move(*answer.error).context(kind + " hooks"));
  if (answer.kind != ChannelMessage::Kind::kReady) {
    co_return fail(Code::kInternal, kind + " hooks: the helper process died");
  }
  co_return Status();
}

}  // namespace kata::agent
