#pragma once

#include <memory>
#include <string>

#include "agent/oci.pb.h"
#include "base/event.h"
#include "runtime/agent_client.h"
#include "runtime/io.h"
#include "runtime/observer.h"

namespace kata::runtime {

class Container;

// A process in a container: its init, or an exec. Shared by its container and by whoever waits;
// one event loop. State and exit are answered from memory.
class Process : public std::enable_shared_from_this<Process> {
 public:
  enum class State { kCreated, kRunning, kStopped };

  // `exec_id` is empty for the init process.
  Process(Container& container, std::string exec_id, grpc::Process spec);

  const std::string& exec_id() const { return exec_id_; }
  bool is_init() const { return exec_id_.empty(); }
  bool terminal() const { return spec_.terminal(); }
  State state() const { return state_; }
  // Final once set; waits may come before the start and after the end, any number.
  Promise<Exit>& exited() { return exited_; }

  // Starts it and the copying of its streams. kFailedPrecondition unless created. After a failure
  // the process is stopped with status 255 (127/126 for a program that is missing or may not run).
  Task<Status> start(ProcessIo io);
  // Signals it, or with `all` every process of the container (init only). A created init can be
  // killed. kNotFound ("process already finished") once stopped.
  Task<Status> signal(uint32_t number, bool all);
  // Ignored without a terminal.
  Task<Status> resize(uint32_t width, uint32_t height);
  // Idempotent.
  Status close_stdin();

  // The VM is gone: the exit is final now.
  void abandon(const std::string& reason);

 private:
  Task<Status> start_in_guest();
  Task<> run(std::shared_ptr<ProcessIo> io);
  static Task<> copy_output(std::shared_ptr<Process> self, AgentClient::Output stream,
                            OutputSink* sink, Event done);
  static Task<> copy_input(std::shared_ptr<Process> self, std::shared_ptr<ProcessIo> io);
  static Task<> kill_late_starter(std::shared_ptr<Process> self);
  static Task<> enforce_kill(std::shared_ptr<Process> self);
  static Task<> end_hung_guest(std::shared_ptr<Process> self);
  static Task<> await_killed_init(std::shared_ptr<Process> self);
  void finish(Exit exit);

  Container& container_;
  std::string exec_id_;
  grpc::Process spec_;
  State state_ = State::kCreated;
  bool starting_ = false;
  bool killed_ = false;
  Event started_;
  Promise<Exit> exited_;
  std::shared_ptr<ProcessIo> io_;  // while it runs
};

}  // namespace kata::runtime
