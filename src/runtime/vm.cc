#include "runtime/vm.h"

#include "base/log.h"
#include "runtime/vm_config_builder.h"
#include "runtime/vmm_activity.h"

namespace kata::runtime {

namespace {

// A guest that shows no sign of life for so long, with its time used up, is given up.
constexpr Clock::duration kSilence = 10s;
// Ceiling of the wait, in units of dial_timeout.
constexpr int kCeilingFactor = 10;
// How often the signs of life are looked at while a connect is pending.
constexpr Clock::duration kLook = 1s;

std::string in_seconds(Clock::duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

}  // namespace

Vm::Vm(asio::any_io_executor executor, Request request)
    : executor_(std::move(executor)), request_(std::move(request)), died_(executor_) {}

Vm::~Vm() = default;

Task<Result<std::unique_ptr<Vm>>> Vm::boot(Request request) {
  auto executor = co_await asio::this_coro::executor;
  std::unique_ptr<Vm> vm(new Vm(executor, std::move(request)));
  auto started = co_await vm->start();
  if (!started) {
    co_await vm->stop();
    co_return std::unexpected(std::move(started.error()));
  }
  co_return vm;
}

Task<Status> Vm::start() {
  CO_TRY(auto config, build_vm_config(request_));
  config.nets = std::move(request_.nets);
  if (config.shared_fs.kind == hypervisor::SharedFsKind::kVirtioFs) {
    CO_TRY_STATUS(co_await start_virtiofsd(config.shared_fs.socket_path));
  }
  CO_TRY(auto hypervisor, hypervisor::make_qemu(executor_, std::move(config)));
  hypervisor_ = std::move(hypervisor);
  CO_TRY_STATUS(in_step("start the VMM", co_await hypervisor_->start()));
  CO_TRY(auto entry, journal::process_entry(hypervisor_->pid()));
  CO_TRY_STATUS(request_.journal->add(entry));
  request_.phases->note("accelerator", hypervisor_->accelerator());
  spawn(executor_, watch_vmm(hypervisor_, died_));
  if (virtiofsd_) spawn(executor_, watch_fs(virtiofsd_, died_));
  co_return Status{};
}

Task<Status> Vm::start_virtiofsd(const std::string& socket_path) {
  storage::VirtiofsdOptions options;
  options.path = request_.config->hypervisor.virtio_fs_daemon;
  options.shared_dir = request_.shared_dir;
  options.socket_path = socket_path;
  options.cache = request_.config->hypervisor.virtio_fs_cache;
  options.extra_args = request_.config->hypervisor.virtio_fs_extra_args;
  options.netns_fd = request_.netns_fd;
  CO_TRY(virtiofsd_, co_await storage::Virtiofsd::start(std::move(options), *request_.journal));
  co_return Status{};
}

bool Vm::made_progress() {
  const uint64_t demand = cpu_demand(pid()).value_or(cpu_time(pid()));
  const uint64_t printed = hypervisor_->console_bytes();
  const bool progress = demand > last_cpu_demand_ || printed > last_console_bytes_;
  last_cpu_demand_ = demand;
  last_console_bytes_ = printed;
  return progress;
}

bool Vm::keep_waiting(Clock::time_point begin) {
  const Clock::duration budget = request_.config->agent.dial_timeout;
  const auto now = Clock::now();
  if (made_progress()) last_progress_ = now;
  if (now - begin < budget) return true;
  return now - begin < budget * kCeilingFactor && now - last_progress_ < kSilence;
}

Task<Result<std::shared_ptr<ttrpc::Client>>> Vm::connect_agent() {
  const auto begin = Clock::now();
  const auto port = static_cast<uint32_t>(request_.config->agent.server_port);
  last_progress_ = begin;
  Error last(Code::kUnavailable, "not tried");
  while (keep_waiting(begin)) {
    if (died_.ready()) break;
    auto stream = co_await hypervisor_->agent_endpoint().connect(port, Clock::now() + kLook);
    if (stream) co_return ttrpc::Client::create(std::move(*stream));
    last = std::move(stream.error());
    if (last.code() == Code::kUnavailable) {
      // The channel is gone: the VMM is ending. Its exit says why.
      co_await died_.wait_for(1s);
    }
  }
  const std::string tail = console_tail();
  std::string why = died_.ready()
                        ? died_.value()
                        : "the agent did not answer within " + in_seconds(Clock::now() - begin) +
                              " (" + last.message() + "); phases: " + request_.phases->summary();
  if (!tail.empty()) why += "; last console lines:\n" + tail;
  co_return fail(died_.ready() ? Code::kUnavailable : Code::kDeadlineExceeded, std::move(why));
}

Task<> Vm::watch_vmm(std::shared_ptr<hypervisor::Hypervisor> vmm, Promise<std::string> died) {
  auto report = co_await vmm->exited().wait();
  died.set("VMM: " + report.reason);
}

Task<> Vm::watch_fs(std::shared_ptr<storage::Virtiofsd> fs, Promise<std::string> died) {
  std::string reason = co_await fs->exited().wait();
  // The daemon ends by itself when its VMM does: let the cause be named first.
  co_await died.wait_for(50ms);
  died.set("virtiofsd: " + reason);
}

Task<> Vm::stop() {
  if (hypervisor_) {
    auto stopped = co_await hypervisor_->stop();
    if (!stopped) log::failure("cannot stop the VMM", stopped.error());
  }
  if (virtiofsd_) co_await virtiofsd_->stop();
}

}  // namespace kata::runtime
