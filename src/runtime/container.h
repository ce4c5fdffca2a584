#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/agent.pb.h"
#include "base/event.h"
#include "oci/annotations.h"
#include "runtime/process.h"

namespace kata::runtime {

class Sandbox;

// A container in a sandbox. Owned by its sandbox; one event loop. Slow calls of one container never
// wait for another container.
class Container : public std::enable_shared_from_this<Container> {
 public:
  enum class State { kCreated, kRunning, kPausing, kPaused, kStopped };

  Container(Sandbox& sandbox, std::string id, std::string bundle, grpc::Spec spec,
            oci::ContainerType type);

  const std::string& id() const { return id_; }
  const std::string& bundle() const { return bundle_; }
  const grpc::Spec& spec() const { return spec_; }
  oci::ContainerType type() const { return type_; }
  Sandbox& sandbox() { return sandbox_; }
  State state() const;
  const std::shared_ptr<Process>& init() const { return init_; }

  // kAlreadyExists for an id in use; kFailedPrecondition when the container is stopped.
  Result<std::shared_ptr<Process>> add_exec(const std::string& exec_id, grpc::Process spec);
  // The init process for an empty id; nullptr when unknown.
  std::shared_ptr<Process> find(const std::string& exec_id) const;
  // kFailedPrecondition while it runs.
  Status remove_exec(const std::string& exec_id);
  const std::map<std::string, std::shared_ptr<Process>>& execs() const { return execs_; }

  Task<Status> pause();
  Task<Status> resume();
  Task<Status> update(grpc::LinuxResources resources);
  Task<Result<grpc::StatsContainerResponse>> stats();

  // Keeps the container and its sandbox alive across the suspensions of a coroutine.
  std::shared_ptr<void> keep_alive();

  // Called by the processes.
  Task<> run_poststart_hooks();
  void process_finished(Process& process, const Exit& exit);
  void abandon(const std::string& reason);

 private:
  Sandbox& sandbox_;
  std::string id_;
  std::string bundle_;
  grpc::Spec spec_;
  oci::ContainerType type_;
  std::shared_ptr<Process> init_;
  std::map<std::string, std::shared_ptr<Process>> execs_;
  AsyncMutex updating_;
  enum class Freeze { kNone, kPausing, kPaused } freeze_ = Freeze::kNone;
};

}  // namespace kata::runtime
