#include "hypervisor/qemu/qemu.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "base/log_limit.h"

namespace kata::hypervisor {

Result<std::unique_ptr<Hypervisor>> make_qemu(asio::any_io_executor executor, VmConfig config) {
  TRY_STATUS(qemu::check_config(config));
  return std::make_unique<qemu::Qemu>(std::move(executor), std::move(config));
}

namespace qemu {

namespace {

constexpr double kLinesAtOnce = 2000;

}  // namespace

Qemu::Qemu(asio::any_io_executor executor, VmConfig config)
    : executor_(executor),
      config_(std::move(config)),
      console_(std::make_shared<LineTail>(config_.on_console_line)),
      state_(std::make_shared<State>(executor)) {
  // A guest can make it complain.
  state_->output = std::make_shared<LineTail>(
      [limit = log::Limit(1, kLinesAtOnce)](const std::string& line) mutable {
        limit.write(log::Level::kWarn, "qemu says", {{"output", line}});
      });
}

Qemu::~Qemu() {
  // The watcher, which shares the state, reaps it.
  state_->stop_requested = true;
  if (state_->process && !state_->exited.ready()) {
    [[maybe_unused]] Status ignored = state_->process->kill(SIGKILL);
  }
  if (state_->qmp) state_->qmp->close();
}

Task<Status> Qemu::start() {
  if (state_->pid != 0) co_return fail(Code::kFailedPrecondition, "the VM was started before");
  CO_TRY(accel_, co_await decide_accelerator(config_.accel, config_.accel_cache));
  plan_.accel = accel_.accel;
  if (plan_.accel == Accelerator::kTcg) plan_.tsc_khz = host_tsc_khz();
  CO_TRY(plan_.uuid, read_file("/proc/sys/kernel/random/uuid", 64));
  while (plan_.uuid.ends_with('\n')) plan_.uuid.pop_back();
  CO_TRY(Channels channels, open_channels());
  CO_TRY_STATUS(spawn(channels));
  kata::spawn(executor_, watch(state_));
  kata::spawn(executor_, read_into_tail(std::move(channels.output), state_->output));
  kata::spawn(executor_, read_into_tail(std::move(channels.console), console_));
  Status answered = co_await state_->qmp->negotiate(config_.start_limit);
  if (answered) co_return Status();
  Error failure = std::move(answered.error());
  CO_TRY_STATUS(co_await stop());
  co_return std::unexpected(start_failure(std::move(failure)));
}

Error Qemu::start_failure(Error error) const {
  std::string text = "start QEMU (" + accelerator() + ")";
  if (error.code() == Code::kDeadlineExceeded) return std::move(error).context(text);
  return Error(Code::kUnavailable, text + ": " + state_->exited.value().reason);
}

Result<Qemu::Channels> Qemu::open_channels() {
  Channels c;
  auto pair = [](int type, UniqueFd* ours, UniqueFd* theirs) -> Status {
    int fds[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) return fail_errno("socketpair");
    ours->reset(fds[0]);
    theirs->reset(fds[1]);
    return {};
  };
  TRY_STATUS(pair(SOCK_STREAM, &c.qmp, &c.qmp_child));
  TRY_STATUS(pair(SOCK_STREAM, &c.console, &c.console_child));
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return fail_errno("pipe");
  c.output.reset(pipe_fds[0]);
  c.output_child.reset(pipe_fds[1]);
  TRY_STATUS(open_vsock(&c));
  plan_.qmp_fd = c.qmp_child.get();
  plan_.console_fd = c.console_child.get();
  plan_.vsock_fd = c.vsock_child.get();
  return c;
}

Status Qemu::spawn(Channels& channels) {
  Arguments args = build_arguments(Build{config_, plan_});
  SpawnOptions options;
  options.argv.push_back(config_.vmm_path);
  options.argv.insert(options.argv.end(), args.words().begin(), args.words().end());
  options.fds = args.fds();
  options.fds.emplace_back(channels.output_child.get(), 1);
  options.fds.emplace_back(channels.output_child.get(), 2);
  options.netns_fd = config_.netns_fd;
  options.die_with_parent = true;
  TRY(state_->qmp, QmpClient::adopt(executor_, std::move(channels.qmp)));
  auto process = Process::spawn(options);
  if (!process) {
    state_->qmp->close();
    return std::unexpected(std::move(process.error()));
  }
  state_->process.emplace(std::move(*process));
  state_->pid = state_->process->pid();
  std::weak_ptr<State> weak = state_;
  state_->qmp->set_event_handler([weak](const std::string& name, const Json& data) {
    if (auto state = weak.lock()) on_event(state, name, data);
  });
  state_->plug.emplace(executor_, state_->qmp, config_);
  // QEMU has its own; ours would keep the channels open after its end.
  channels.qmp_child.reset();
  channels.console_child.reset();
  channels.output_child.reset();
  channels.vsock_child.reset();
  config_.nets.clear();
  return {};
}

void Qemu::on_event(const std::shared_ptr<State>& state, const std::string& name,
                    const Json& data) {
  log::debug("qmp event", {{"event", name}});
  if (state->plug) state->plug->on_event(name, data);
  if (name == "STOP" && !state->pause_requested) {
    kata::spawn(state->executor, check_stopped(state));
  }
  if (name != "SHUTDOWN" && name != "GUEST_PANICKED") return;
  std::string reason = name == "SHUTDOWN" ? "guest shut down" : "guest kernel panicked";
  if (data.is_object()) {
    if (auto why = data.find("reason"); why != data.end() && why->is_string()) {
      reason += " (" + why->get<std::string>() + ")";
    }
  }
  state->guest_event = std::move(reason);
}

Task<> Qemu::check_stopped(std::shared_ptr<State> state) {
  auto status = co_await state->qmp->execute("query-status");
  if (!status || !status->is_object()) co_return;
  auto word = status->find("status");
  if (word == status->end() || (*word != "internal-error" && *word != "guest-panicked")) co_return;
  state->guest_event = "QEMU stopped the VM: " + word->get<std::string>();
  [[maybe_unused]] Status ignored = state->process->kill(SIGKILL);
}

Task<> Qemu::watch(std::shared_ptr<State> state) {
  auto status = co_await state->process->wait();
  // What QEMU wrote last may still be in the channels: let their readers run first.
  co_await asio::post(state->executor, asio::use_awaitable);
  ExitReport report;
  report.requested = state->stop_requested;
  if (status) {
    report.code = status->code;
    report.signal = status->signal;
    report.reason = "QEMU ended: " + status->describe();
  } else {
    report.reason = "QEMU ended: " + status.error().message();
  }
  if (!state->guest_event.empty()) report.reason += "; " + state->guest_event;
  std::string said = state->output->text(5);
  if (!said.empty()) report.reason += "; it said: " + said;
  state->qmp->close();
  if (state->plug) state->plug->vm_ended();
  state->exited.set(std::move(report));
}

Task<Status> Qemu::stop() {
  auto state = state_;
  if (!state->process) co_return Status();
  state->stop_requested = true;
  if (!state->exited.ready()) {
    Status killed = state->process->kill(SIGKILL);
    if (!killed && killed.error().code() != Code::kNotFound) co_return killed;
    co_await state->exited.wait();
  }
  co_return Status();
}

Task<Status> Qemu::pause() {
  if (!state_->qmp) co_return fail(Code::kUnavailable, "the VM does not run");
  state_->pause_requested = true;
  auto reply = co_await state_->qmp->execute("stop");
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return Status();
}

Task<Status> Qemu::resume() {
  if (!state_->qmp) co_return fail(Code::kUnavailable, "the VM does not run");
  auto reply = co_await state_->qmp->execute("cont");
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  state_->pause_requested = false;
  co_return Status();
}

Task<Result<std::vector<pid_t>>> Qemu::vcpu_threads() {
  auto state = state_;
  if (!state->qmp) co_return fail(Code::kUnavailable, "the VM does not run");
  CO_TRY(Json list, co_await state->qmp->execute("query-cpus-fast"));
  std::vector<pid_t> threads;
  if (!list.is_array()) co_return fail(Code::kInternal, "query-cpus-fast: no list of vCPUs");
  for (const Json& entry : list) {
    auto id = entry.is_object() ? entry.find("thread-id") : entry.end();
    if (id == entry.end() || !id->is_number_unsigned()) continue;
    const auto thread = id->get<uint64_t>();
    // Of its own process only, whatever it says.
    const std::string task =
        "/proc/" + std::to_string(state->pid) + "/task/" + std::to_string(thread);
    if (path_exists(task)) threads.push_back(static_cast<pid_t>(thread));
  }
  co_return threads;
}

std::string Qemu::accelerator() const {
  return std::string(accel_.accel == Accelerator::kKvm ? "kvm" : "tcg") + ": " + accel_.reason;
}

Capabilities Qemu::capabilities() const {
  Capabilities can;
  can.shared_fs = true;
  if (config_.machine_type == "microvm") return can;
  can.hotplug_disk = config_.disk_driver == DiskDriver::kVirtioScsi || config_.pci_bridges > 0;
  can.hotplug_net = config_.pci_bridges > 0;
  can.hotplug_cpu = config_.max_vcpus > config_.vcpus;
  // QEMU 7.2 dies under TCG at the next change after a vCPU was removed.
  can.unplug_cpu = can.hotplug_cpu && plan_.accel == Accelerator::kKvm;
  can.hotplug_memory = config_.memory.max > config_.memory.boot;
  return can;
}

Result<DevicePlug*> Qemu::plug(bool supported) {
  if (!supported) return fail(Code::kUnimplemented, "this VM cannot be changed in that way");
  if (!state_->plug || state_->exited.ready()) {
    return fail(Code::kUnavailable, "the VM does not run");
  }
  return &*state_->plug;
}

Task<Result<DiskAddress>> Qemu::add_disk(DiskDevice disk) {
  auto state = state_;
  CO_TRY(DevicePlug * plugs, plug(capabilities().hotplug_disk));
  CO_TRY(std::string place, co_await plugs->add_disk(std::move(disk)));
  DiskAddress address;
  (plugs->scsi() ? address.scsi_addr : address.pci_path) = std::move(place);
  co_return address;
}

Task<Status> Qemu::remove_disk(const std::string& id) {
  auto state = state_;
  CO_TRY(DevicePlug * plugs, plug(capabilities().hotplug_disk));
  co_return co_await plugs->remove_disk(id);
}

Task<Status> Qemu::resize_disk(const std::string& id, uint64_t bytes) {
  auto state = state_;
  CO_TRY(DevicePlug * plugs, plug(capabilities().hotplug_disk));
  co_return co_await plugs->resize_disk(id, bytes);
}

Task<Result<std::string>> Qemu::add_net(NetDevice net) {
  auto state = state_;
  CO_TRY(DevicePlug * plugs, plug(capabilities().hotplug_net));
  co_return co_await plugs->add_net(std::move(net));
}

Task<Status> Qemu::remove_net(const std::string& id) {
  auto state = state_;
  CO_TRY(DevicePlug * plugs, plug(capabilities().hotplug_net));
  co_return co_await plugs->remove_net(id);
}

Task<Status> Qemu::disconnect_net(const std::string& id) {
  auto state = state_;
  CO_TRY(DevicePlug * plugs, plug(true));
  co_return co_await plugs->disconnect_net(id);
}

uint32_t Qemu::vcpus() const {
  return state_->plug ? state_->plug->vcpus() : config_.vcpus;
}

Task<Result<uint32_t>> Qemu::resize_vcpus(uint32_t wanted) {
  auto state = state_;
  CO_TRY(DevicePlug * plugs, plug(capabilities().hotplug_cpu));
  co_return co_await plugs->resize_vcpus(wanted, capabilities().unplug_cpu);
}

Task<Result<uint64_t>> Qemu::resize_memory(uint64_t wanted) {
  auto state = state_;
  CO_TRY(DevicePlug * plugs, plug(capabilities().hotplug_memory));
  co_return co_await plugs->resize_memory(wanted);
}

}  // namespace qemu
}  // namespace kata::hypervisor
