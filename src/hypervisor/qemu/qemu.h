#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/process.h"
#include "hypervisor/accel.h"
#include "hypervisor/hypervisor.h"
#include "hypervisor/line_tail.h"
#include "hypervisor/qemu/device_plug.h"
#include "hypervisor/qemu/devices.h"
#include "hypervisor/qemu/qmp_client.h"
#include "vsock/vhost_user_vsock.h"

namespace kata::hypervisor::qemu {

// A VM run by QEMU as a child of this process, controlled over QMP. The child gets SIGKILL when the
// thread that called start() ends, so it cannot outlive us. Owns the process, the QMP connection,
// the console and the vsock back end.
class Qemu : public Hypervisor {
 public:
  Qemu(asio::any_io_executor executor, VmConfig config);
  ~Qemu() override;

  Task<Status> start() override;
  Task<Status> stop() override;
  Task<Status> pause() override;
  Task<Status> resume() override;
  pid_t pid() const override { return state_->pid; }
  Promise<ExitReport>& exited() override { return state_->exited; }
  const AgentEndpoint& agent_endpoint() const override { return endpoint_; }
  std::string console_tail() const override { return console_->text(); }
  uint64_t console_bytes() const override { return console_->bytes(); }
  std::string accelerator() const override;
  Capabilities capabilities() const override;

  Task<Result<std::vector<pid_t>>> vcpu_threads() override;
  Task<Result<DiskAddress>> add_disk(DiskDevice disk) override;
  Task<Status> remove_disk(const std::string& id) override;
  Task<Status> resize_disk(const std::string& id, uint64_t bytes) override;
  Task<Result<std::string>> add_net(NetDevice net) override;
  Task<Status> remove_net(const std::string& id) override;
  Task<Status> disconnect_net(const std::string& id) override;
  uint32_t vcpus() const override;
  Task<Result<uint32_t>> resize_vcpus(uint32_t wanted) override;
  Task<Result<uint64_t>> resize_memory(uint64_t wanted) override;

 private:
  // What the watcher needs, which may outlive the object.
  struct State {
    explicit State(asio::any_io_executor loop) : exited(loop), executor(loop) {}
    Promise<ExitReport> exited;
    asio::any_io_executor executor;
    std::optional<Process> process;
    pid_t pid = 0;
    bool stop_requested = false;
    bool pause_requested = false;
    std::string guest_event;  // last reason QEMU gave for the guest's end
    std::shared_ptr<LineTail> output;
    std::shared_ptr<QmpClient> qmp;
    std::optional<DevicePlug> plug;
  };
  // Our ends of the child's channels.
  struct Channels {
    UniqueFd qmp, console, output;  // ours
    UniqueFd qmp_child, console_child, output_child, vsock_child;
  };

  Result<Channels> open_channels();
  Status open_vsock(Channels* channels);
  Status open_kernel_vsock(Channels* channels);
  Status spawn(Channels& channels);
  static Task<> watch(std::shared_ptr<State> state);
  static void on_event(const std::shared_ptr<State>& state, const std::string& name,
                       const Json& data);
  // A VM that QEMU stopped by itself (internal error, guest panic) is dead: ends the process.
  static Task<> check_stopped(std::shared_ptr<State> state);
  Error start_failure(Error error) const;
  // The hot-plug side, or why there is none.
  Result<DevicePlug*> plug(bool supported);

  asio::any_io_executor executor_;
  VmConfig config_;
  LaunchPlan plan_;
  AccelDecision accel_;
  AgentEndpoint endpoint_;
  std::shared_ptr<LineTail> console_;
  std::shared_ptr<State> state_;
};

}  // namespace kata::hypervisor::qemu
