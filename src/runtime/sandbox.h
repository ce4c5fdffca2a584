#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "config/loader.h"
#include "journal/journal.h"
#include "network/sandbox_network.h"
#include "network/watch.h"
#include "resources/sandbox_cgroups.h"
#include "runtime/assigned_volumes.h"
#include "runtime/container.h"
#include "runtime/guest_network.h"
#include "runtime/health_watch.h"
#include "runtime/phase_record.h"
#include "runtime/plugged_disks.h"
#include "runtime/pod_settings.h"
#include "runtime/port_forward.h"
#include "runtime/sandbox_paths.h"
#include "runtime/vm.h"
#include "runtime/vm_resizer.h"
#include "storage/rootfs_mounts.h"
#include "storage/shared_tree.h"
#include "storage/volume_watch.h"

namespace kata::runtime {

// What a door hands over to make a sandbox.
struct SandboxRequest {
  std::string id;
  std::string bundle;              // of the first container
  std::string config_path;         // ConfigPath of the runtime options; empty = the search order
  grpc::Spec spec;                 // of the first container: sizing, network namespace, annotations
  std::optional<PodSettings> pod;  // a pod without a first container of its own
  bool outlives_containers = false;  // the VM does not end with its last container
};

// What a door hands over to make a container.
struct ContainerRequest {
  std::string id;
  std::string bundle;
  std::vector<storage::RootfsMount> rootfs;  // empty = the spec's root.path is used as it is
  grpc::Spec spec;
  bool terminal = false;  // the request's flag beats the spec's
};

// One VM and the containers in it. One event loop; a door keeps it by shared_ptr, running
// coroutines keep it alive too. Whatever it makes on the host is in its journal first, so that
// stop(), the shim's `delete` and gc leave nothing (docs/design/runtime.md).
class Sandbox : public std::enable_shared_from_this<Sandbox> {
 public:
  // Boots the VM and prepares the guest. On failure nothing is left on the host; the text names the
  // step, the time it took and the console's last lines.
  static Task<Result<std::shared_ptr<Sandbox>>> create(SandboxRequest request, Observer& observer);
  ~Sandbox();

  // kAlreadyExists for an id in use; kUnavailable after the VM died.
  Task<Result<std::shared_ptr<Container>>> create_container(ContainerRequest request);
  // Kills what still runs in it, frees its guest and host resources, forgets it.
  Task<Status> remove_container(const std::string& id);
  std::shared_ptr<Container> find(const std::string& id) const;
  size_t container_count() const { return containers_.size(); }

  // Ends the VM and frees every host resource. Idempotent; any number of callers.
  Task<> stop();
  // Declares the VM dead: its guest no longer does what it must.
  void give_up(std::string reason) { die(std::move(reason)); }
  // The guest is silent and its VMM does not even try to run.
  bool guest_hangs() const { return health_ && health_->hangs(); }
  // Nobody but this container would miss the VM.
  bool is_alone(const Container& container) const;
  // Why the VM is gone; empty while it lives.
  const std::string& death_reason() const { return death_reason_; }
  // How it ended: 137 at once when the VM died, 0 when it was stopped and all of it is freed.
  Promise<Exit>& ended() { return ended_; }

  const std::string& id() const { return id_; }
  const SandboxPaths& paths() const { return paths_; }
  // Neither dead nor being stopped.
  bool lives() const { return death_reason_.empty() && !stopping_; }
  std::vector<std::string> container_ids() const;
  // Comes back when the guest has every interface that the network namespace has now. A failure is
  // logged: the workload may well do without the newcomer.
  Task<> settle_network();

  // linux.resources.cpu.cpus of a container: kInvalidArgument when the host does not have them.
  static Status check_host_cpus(const std::string& list);
  // Grows the VM to what its containers may use in all; nothing with static_sandbox_resource_mgmt.
  // A VMM that fails to is an error.
  Task<Status> grow_vm();
  // In the background, as a guest may hold on to a vCPU: takes away what no container needs.
  void shrink_vm();
  // Restricts the sandbox to the CPUs of its containers, if they name any.
  Task<Status> bind_host_cpus();

  // Process id of the VMM: the pid that every task of the sandbox reports.
  pid_t pid() const { return pid_; }
  // Of the file-system daemon; 0 without one.
  pid_t fs_pid() const { return vm_->fs_pid(); }
  // Where the agent listens, in the form of upstream's tools.
  std::string agent_url() const {
    return vm_->endpoint().url(static_cast<uint32_t>(config_.config.agent.server_port));
  }
  AgentClient& agent() { return *agent_; }
  Observer& observer() { return observer_; }
  const config::Config& config() const { return config_.config; }
  asio::thread_pool& pool() { return pool_; }
  PhaseRecord& phases() { return phases_; }
  // Ends the record of a start: to the log, the sandbox's file and, the first time, the node's log.
  void publish_phases();
  asio::any_io_executor executor() const { return executor_; }

  // Of a direct-assigned volume that a container uses, by the volume's path or its device:
  // kNotFound when none does. The figures are the guest's.
  Task<Result<grpc::VolumeStatsResponse>> volume_stats(std::string name);
  // Brings a larger disk to the guest and has its file system grown to `bytes`.
  Task<Status> resize_volume(std::string name, uint64_t bytes);

 private:
  // The steps of create(), in their order (sandbox_create.cc).
  Task<Status> boot_and_prepare();
  Task<Status> load_config();
  Task<Status> check_network();
  Task<Status> make_state();
  Status add_pod_files();
  Task<Status> join_cgroups();
  Task<Status> connect_network();
  Task<Status> make_shared_tree();
  Task<Status> boot_vm();
  Task<Status> connect_agent();
  Task<Status> give_network();
  Task<Status> create_in_guest();
  Task<Status> forward_ports();

  Sandbox(asio::any_io_executor executor, SandboxRequest request, Observer& observer);

  // kUnavailable once it is dead or being stopped.
  Status still_there() const;
  Task<Status> place_vcpus();
  Result<VmSize> needed_size() const;
  static Task<> shrink_vm_later(std::shared_ptr<Sandbox> self);
  Task<Status> prepare_container(ContainerRequest& request, Container& container);
  // Files of a container for its guest (sandbox_volumes.cc): fills in the context's root and
  // mounts, returns what the guest has to make. The references outlive the call.
  Task<Result<std::vector<grpc::Storage>>> share_files(std::string id, std::string rootfs,
                                                       const grpc::Spec& spec,
                                                       oci::GuestContext& context);
  void watch_volume(const std::string& id, storage::ConfigVolume& volume);
  static Task<> watch_volumes(std::shared_ptr<Sandbox> self);
  void keep_elastic(const std::vector<grpc::Storage>& volumes);
  Task<> resize_volumes();
  Task<Status> run_create_hooks(const std::string& id, const std::string& bundle,
                                const grpc::Spec& spec);
  Task<> run_poststop_hooks(std::string id, std::string bundle, grpc::Spec spec);
  // Disks of linux.devices: plugs them, enters them in context and the agent's list; the container
  // gives them back with unplug_devices(), also after a failure (sandbox_disks.cc).
  Task<Status> plug_devices(std::string container, const grpc::Spec& spec,
                            oci::GuestContext& context,
                            google::protobuf::RepeatedPtrField<grpc::Device>& devices);
  // Direct-assigned volumes: plugs their disks, enters the mounts in context and what the guest has
  // to mount in the agent's list.
  Task<Status> plug_volumes(std::string container, const grpc::Spec& spec,
                            oci::GuestContext& context, std::vector<grpc::Storage>& storages);
  Task<Result<std::string>> plug_volume(std::string container, std::string source,
                                        std::vector<grpc::Storage>& storages);
  Task<> unplug_devices(std::string container);
  Task<> release_container_files(std::string id, std::string bundle);
  static Task<> watch_vm(std::shared_ptr<Sandbox> self);
  static Task<> watch_agent(std::shared_ptr<Sandbox> self);
  static Task<> kill_vm(std::shared_ptr<Sandbox> self);
  void start_health_watch();
  static Task<> watch_health(std::shared_ptr<Sandbox> self);
  static Task<> watch_oom(std::shared_ptr<Sandbox> self);

  // What comes and goes in the network namespace while the sandbox lives (sandbox_network.cc).
  static Task<> watch_network(std::shared_ptr<Sandbox> self);
  Task<> refresh_network();
  static Task<> retry_network(std::weak_ptr<Sandbox> weak);
  Task<Status> apply_network_changes();
  Task<> plug_net(hypervisor::NetDevice device);
  Task<> unplug_net(std::string device);
  void die(std::string reason);
  Task<> free_host_resources();

  asio::any_io_executor executor_;
  SandboxRequest request_;
  Observer& observer_;
  std::string id_;
  config::LoadedConfig config_;
  SandboxPaths paths_;
  PhaseRecord phases_;
  asio::thread_pool pool_{1};
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<resources::SandboxCgroups> cgroups_;
  CpuSet bound_cpus_;  // what cgroups_ was told
  std::unique_ptr<storage::SharedTree> tree_;
  std::unique_ptr<storage::VolumeWatch> volume_watch_;  // from the first such volume on
  std::set<std::string> elastic_volumes_;  // mount points in the guest that follow its memory
  std::unique_ptr<Vm> vm_;
  std::unique_ptr<VmResizer> resizer_;  // null: the VM stays as it booted
  std::unique_ptr<PluggedDisks> disks_;
  std::unique_ptr<AssignedVolumes> volumes_;
  std::unique_ptr<AgentClient> agent_;
  std::unique_ptr<HealthWatch> health_;
  std::unique_ptr<PortForward> port_forward_;  // pods only
  std::map<std::string, std::shared_ptr<Container>> containers_;
  UniqueFd owner_lock_;                               // see sandbox_lock.h
  network::Netns netns_;                              // until network_ has it
  std::unique_ptr<network::SandboxNetwork> network_;  // null with disable_new_netns
  std::vector<hypervisor::NetDevice> nets_;           // until the VM has them
  std::set<std::string> boot_nets_;                   // device ids; cannot be unplugged
  std::unique_ptr<network::Watch> network_watch_;
  ToldNetwork network_told_;             // what the guest has
  bool network_behind_ = false;          // the guest refused something
  bool network_retrying_ = false;        // retry_network() runs
  std::optional<Event> network_change_;  // one is being brought to the guest
  pid_t pid_ = 0;
  std::string death_reason_;
  bool stopping_ = false;
  bool phases_published_ = false;
  Event stopped_;
  Promise<Exit> ended_;
};

}  // namespace kata::runtime
