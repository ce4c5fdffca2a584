#include "runtime/process.h"

#include <csignal>

#include "base/log.h"
#include "runtime/sandbox.h"

namespace kata::runtime {

namespace {

// One read of a stream. Several pipe buffers at once keep the round trips few.
constexpr uint32_t kOutputChunk = 1 << 20;
constexpr size_t kInputChunk = 256 << 10;
// After SIGKILL: for the reader of the output to take what is left, then for the guest to report.
constexpr Clock::duration kDrainAfterKill = 5s;
constexpr Clock::duration kEndAfterKill = 60s;
// Between two looks at a guest that has to kill a container.
constexpr Clock::duration kHangLook = 1s;
// How long the watch on the VM may take to say why a connection broke.
constexpr Clock::duration kVerdict = 2s;

// Exit statuses of runc and of shells for a program that cannot be executed.
uint32_t status_of_start_failure(const Error& error) {
  if (error.code() == Code::kNotFound) return 127;
  if (error.code() == Code::kPermissionDenied) return 126;
  return 255;
}

Exit make_exit(uint32_t status, std::string reason = {}) {
  return {status, std::chrono::system_clock::now(), std::move(reason)};
}

}  // namespace

Process::Process(Container& container, std::string exec_id, grpc::Process spec)
    : container_(container),
      exec_id_(std::move(exec_id)),
      spec_(std::move(spec)),
      started_(container.sandbox().executor()),
      exited_(container.sandbox().executor()) {}

Task<Status> Process::start(ProcessIo io) {
  auto self = shared_from_this();
  auto keep = container_.keep_alive();
  if (state_ != State::kCreated || starting_) {
    co_return fail(Code::kFailedPrecondition, "cannot start a process that is not just created");
  }
  starting_ = true;
  auto streams = std::make_shared<ProcessIo>(std::move(io));
  if (is_init()) container_.sandbox().phases().begin("exec");
  auto started = co_await start_in_guest();
  if (is_init()) container_.sandbox().publish_phases();
  if (!started && started.error().code() == Code::kUnavailable) {
    co_await exited_.wait_for(kVerdict);
  }
  if (state_ == State::kStopped) {
    co_return fail(Code::kUnavailable,
                   "the sandbox stopped during the start: " + exited_.value().reason);
  }
  if (!started) {
    log::failure("cannot start a process", started.error(),
                 {{"container", container_.id()}, {"exec", exec_id_}});
    if (streams->out) streams->out->close();
    if (streams->err) streams->err->close();
    if (streams->in) streams->in->close();
    if (!is_init() && started.error().code() == Code::kDeadlineExceeded) {
      // It may have started after all: it must not run unattended.
      spawn(container_.sandbox().executor(), kill_late_starter(self));
    }
    finish(make_exit(status_of_start_failure(started.error()), started.error().message()));
    co_return started;
  }
  state_ = State::kRunning;
  io_ = streams;
  spawn(container_.sandbox().executor(), run(streams));
  // Part of the start, as under runc: whoever started it finds their work done.
  if (is_init()) co_await container_.run_poststart_hooks();
  co_return Status{};
}

Task<Status> Process::start_in_guest() {
  AgentClient& agent = container_.sandbox().agent();
  if (is_init()) {
    // Docker fills the network namespace between create and start.
    co_await container_.sandbox().settle_network();
    co_return co_await agent.start_container(container_.id());
  }
  co_return co_await agent.exec_process(container_.id(), exec_id_, spec_);
}

// Lives as long as the process: output first, then the exit status, so that no output is lost to a
// client that deletes at once (facts/agent-protocol.md section 5.2).
Task<> Process::run(std::shared_ptr<ProcessIo> io) {
  auto self = shared_from_this();
  auto keep = container_.keep_alive();
  auto executor = container_.sandbox().executor();
  Event out_done(executor), err_done(executor);
  spawn(executor, copy_output(self, AgentClient::Output::kStdout, io->out.get(), out_done));
  if (terminal()) {
    err_done.set();
  } else {
    spawn(executor, copy_output(self, AgentClient::Output::kStderr, io->err.get(), err_done));
  }
  if (io->in) spawn(executor, copy_input(self, io));
  co_await out_done.wait();
  co_await err_done.wait();
  auto status = co_await container_.sandbox().agent().wait_process(container_.id(), exec_id_);
  if (io->in) io->in->close();
  if (io->out) io->out->close();
  if (io->err) io->err->close();
  if (status) {
    finish(make_exit(*status));
    co_return;
  }
  // A connection that broke is the first sign of a dying VM; the watch on it knows the reason.
  if (status.error().code() == Code::kUnavailable) co_await exited_.wait_for(kVerdict);
  finish(make_exit(255, status.error().message()));
}

Task<> Process::copy_output(std::shared_ptr<Process> self, AgentClient::Output stream,
                            OutputSink* sink, Event done) {
  auto keep = self->container_.keep_alive();
  const std::string container = self->container_.id();
  AgentClient& agent = self->container_.sandbox().agent();
  while (true) {
    auto data = co_await agent.read(stream, container, self->exec_id_, kOutputChunk);
    if (!data || data->empty()) break;
    if (!sink) continue;
    auto written = co_await sink->write(*data);
    if (!written) {
      log::failure("output of a container is lost from here on", written.error(),
                   {{"container", container}, {"exec", self->exec_id_}});
      sink->close();
      sink = nullptr;  // go on reading, so that the process does not block
    }
  }
  if (sink) sink->close();
  done.set();
}

Task<> Process::copy_input(std::shared_ptr<Process> self, std::shared_ptr<ProcessIo> io) {
  auto keep = self->container_.keep_alive();
  const std::string container = self->container_.id();
  AgentClient& agent = self->container_.sandbox().agent();
  while (self->state_ == State::kRunning) {
    auto data = co_await io->in->read(kInputChunk);
    if (!data || data->empty()) break;
    auto written = co_await agent.write_stdin(container, self->exec_id_, std::move(*data));
    if (!written) co_return;  // the process closed its input or is gone
  }
  if (self->state_ != State::kRunning) co_return;
  auto closed = co_await agent.close_stdin(container, self->exec_id_);
  if (!closed) {
    log::debug("cannot close the input of a process",
               {{"container", container}, {"error", closed.error().message()}});
  }
}

Task<Status> Process::signal(uint32_t number, bool all) {
  auto self = shared_from_this();
  auto keep = container_.keep_alive();
  if (state_ == State::kStopped) co_return fail(Code::kNotFound, "process already finished");
  if (state_ == State::kCreated && !is_init()) {
    co_return fail(Code::kFailedPrecondition, "process not started");
  }
  if (number == SIGKILL && is_init() && !std::exchange(killed_, true)) {
    spawn(container_.sandbox().executor(), end_hung_guest(self));
  }
  // To the agent an empty exec id with SIGKILL means every process of the container.
  std::string target = is_init() && !all && number != SIGKILL ? container_.id() : exec_id_;
  auto sent =
      co_await container_.sandbox().agent().signal(container_.id(), std::move(target), number);
  // A guest that dies takes its processes along: whoever removes a pod must not fail over that.
  if (!sent && sent.error().code() == Code::kUnavailable) co_await exited_.wait_for(kVerdict);
  if (!sent && state_ == State::kStopped) co_return Status{};
  if (number == SIGKILL && state_ == State::kRunning) {
    // The last word must depend neither on the guest nor on whoever reads the output.
    spawn(container_.sandbox().executor(), enforce_kill(self));
  }
  if (sent && state_ == State::kCreated && !starting_) {
    // Nobody waits for a process that was never started.
    spawn(container_.sandbox().executor(), await_killed_init(self));
  }
  co_return sent;
}

Task<> Process::kill_late_starter(std::shared_ptr<Process> self) {
  auto keep = self->container_.keep_alive();
  AgentClient& agent = self->container_.sandbox().agent();
  auto killed = co_await agent.signal(self->container_.id(), self->exec_id_, SIGKILL);
  if (killed) co_await agent.wait_process(self->container_.id(), self->exec_id_);
}

Task<> Process::enforce_kill(std::shared_ptr<Process> self) {
  auto keep = self->container_.keep_alive();
  if (co_await self->exited_.wait_for(kDrainAfterKill)) co_return;
  if (auto io = self->io_) {
    log::warn("nobody reads the output of a killed process; the rest is dropped",
              {{"container", self->container_.id()}, {"exec", self->exec_id_}});
    if (io->out) io->out->close();
    if (io->err) io->err->close();
  }
  if (co_await self->exited_.wait_for(kEndAfterKill) || !self->is_init()) co_return;
  self->container_.sandbox().give_up("the guest did not end a killed container");
}

// A guest that hangs would hold a killed container until the last of the limits above. Only where
// nobody else lives in it: a guest that is merely stopped may go on.
Task<> Process::end_hung_guest(std::shared_ptr<Process> self) {
  auto keep = self->container_.keep_alive();
  Sandbox& sandbox = self->container_.sandbox();
  while (!co_await self->exited_.wait_for(kHangLook)) {
    if (!sandbox.death_reason().empty()) co_return;
    if (!sandbox.guest_hangs() || !sandbox.is_alone(self->container_)) continue;
    sandbox.give_up("the guest hangs and cannot end a killed container");
  }
}

Task<> Process::await_killed_init(std::shared_ptr<Process> self) {
  auto keep = self->container_.keep_alive();
  auto status = co_await self->container_.sandbox().agent().wait_process(self->container_.id(), "");
  // Started meanwhile: its own run() reports the end.
  if (self->state_ != State::kCreated || self->starting_) co_return;
  self->finish(status ? make_exit(*status) : make_exit(255, status.error().message()));
}

Task<Status> Process::resize(uint32_t width, uint32_t height) {
  auto self = shared_from_this();
  auto keep = container_.keep_alive();
  if (!terminal() || state_ != State::kRunning) co_return Status{};
  co_return co_await container_.sandbox().agent().resize(container_.id(), exec_id_, width, height);
}

Status Process::close_stdin() {
  if (io_ && io_->in) io_->in->close_writer();
  return {};
}

void Process::abandon(const std::string& reason) {
  if (state_ == State::kStopped) return;
  if (state_ == State::kCreated && !is_init() && !starting_) {
    // Never ran, so there is no exit to tell of; but nobody may wait for it any longer.
    state_ = State::kStopped;
    exited_.set(make_exit(255, reason));
    return;
  }
  if (io_) {
    if (io_->in) io_->in->close();
  }
  finish(make_exit(137, reason));
}

void Process::finish(Exit exit) {
  if (state_ == State::kStopped) return;
  state_ = State::kStopped;
  io_.reset();
  container_.process_finished(*this, exit);
  exited_.set(std::move(exit));
}

}  // namespace kata::runtime
