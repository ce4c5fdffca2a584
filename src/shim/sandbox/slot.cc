#include "shim/sandbox/slot.h"

#include "base/file.h"
#include "base/log.h"

namespace kata::shim {

namespace {

Task<> stop_sandbox(std::shared_ptr<runtime::Sandbox> sandbox, Event done) {
  co_await sandbox->stop();
  done.set();
}

}  // namespace

Task<Status> SandboxSlot::make(runtime::SandboxRequest request, runtime::Observer& observer) {
  if (sandbox_ || making_) {
    co_return fail(Code::kFailedPrecondition, "this shim serves another sandbox");
  }
  making_ = true;
  const std::string bundle = request.bundle;
  auto made = co_await runtime::Sandbox::create(std::move(request), observer);
  making_ = false;
  CO_TRY(sandbox_, std::move(made));
  open_management(bundle);
  co_return Status{};
}

// Figures are no reason to refuse a pod.
void SandboxSlot::open_management(const std::string& bundle) {
  auto opened = Management::open(sandbox_, rpc_times_);
  if (!opened) {
    log::failure("no management service for this sandbox", opened.error());
    return;
  }
  management_ = std::move(*opened);
  // Where upstream's tools look for it.
  auto written = write_file(bundle + "/monitor_address", management_->address());
  if (!written) log::failure("no address file", written.error());
}

Task<bool> SandboxSlot::stop(Clock::duration limit) {
  if (!sandbox_) co_return true;
  Event stopped(executor_);
  spawn(executor_, stop_sandbox(sandbox_, stopped));
  const bool in_time = co_await stopped.wait_for(limit);
  if (!in_time) log::warn("the VM takes long to stop");
  co_return in_time;
}

Task<bool> SandboxSlot::end(Clock::duration limit) {
  const bool stopped = co_await stop(limit);
  if (!stopped) co_return false;
  management_.reset();
  sandbox_.reset();
  co_return true;
}

Task<> SandboxSlot::discard() {
  auto sandbox = std::exchange(sandbox_, nullptr);
  management_.reset();
  if (sandbox) co_await sandbox->stop();
}

}  // namespace kata::shim
