#pragma once

#include <memory>
#include <string>

#include "metrics/histogram.h"
#include "runtime/sandbox.h"
#include "shim/management/management.h"

namespace kata::shim {

// The one sandbox of a shim, with its management service. Either a task makes it, and then it ends
// with the last task, or the Sandbox service holds it, and then tasks come and go. Outlives the
// services that use it; one event loop.
class SandboxSlot {
 public:
  explicit SandboxSlot(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // Null while there is none.
  const std::shared_ptr<runtime::Sandbox>& get() const { return sandbox_; }
  // Boots it; on failure nothing is left. kFailedPrecondition when there is one, or one on its way.
  Task<Status> make(runtime::SandboxRequest request, runtime::Observer& observer);
  bool is_making() const { return making_; }
  // Ends the VM and frees what it has on the host. False when that takes longer than `limit`; it
  // goes on then.
  Task<bool> stop(Clock::duration limit);
  // The same, and forgets it once it is stopped.
  Task<bool> end(Clock::duration limit);
  // Forgets it and stops it, however long that takes.
  Task<> discard();

  // Set by the Sandbox service: its id, from CreateSandbox on. Empty: tasks decide.
  void hold(std::string id) { holder_ = std::move(id); }
  const std::string& held_as() const { return holder_; }

  // Times of containerd's calls, among the sandbox's figures.
  metrics::Histograms& rpc_times() { return rpc_times_; }

 private:
  void open_management(const std::string& bundle);

  asio::any_io_executor executor_;
  metrics::Histograms rpc_times_{"kata_shim_rpc_durations_histogram_milliseconds",
                                 "Time of containerd's calls in milliseconds.", "action",
                                 metrics::kUpstreamBuckets};
  std::shared_ptr<runtime::Sandbox> sandbox_;
  std::unique_ptr<Management> management_;  // null when it could not listen
  std::string holder_;
  bool making_ = false;
};

}  // namespace kata::shim
