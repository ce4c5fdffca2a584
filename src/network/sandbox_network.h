#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "hypervisor/vm_config.h"
#include "journal/journal.h"
#include "network/netns.h"
#include "network/scan.h"
#include "rtnetlink/objects.h"

namespace kata::network {

// How interfaces are brought to the VM.
struct Settings {
  config::NetworkModel model = config::NetworkModel::kTcFilter;
  uint32_t queues = 1;  // per interface
  bool vhost = true;    // where the kernel has it
};

// What changed in the namespace since the last look.
struct Change {
  std::vector<hypervisor::NetDevice> added;  // connected; for the VM
  std::vector<std::string> removed;          // ids of devices whose interface is gone
  std::vector<Refusal> refused;              // told once, until the interface changes
};

struct GuestInterface {
  std::string device;  // id in the VM
  types::Interface message;
};

// What the guest is to have, in the agent protocol's words.
struct GuestNetwork {
  std::vector<GuestInterface> interfaces;
  std::vector<types::Route> routes;
  std::vector<types::ARPNeighbor> neighbors;
};

// The network of one sandbox: which interfaces its namespace has and what carries each into the VM.
// Owns the namespace's descriptor. Whatever it makes is in the journal first and is freed by
// replaying that (network/undo.h). Members that block say so; one thread at a time.
class SandboxNetwork {
 public:
  // Blocks.
  static Result<std::unique_ptr<SandboxNetwork>> create(Netns netns, Settings settings,
                                                        Journal& journal);

  // Scans the namespace and connects every interface that is not connected yet. The first time, an
  // interface that cannot be had fails it, and what was connected is released; later it is only
  // told of and left alone until it changes. Errors name the interface and the step. Blocks.
  Result<Change> refresh();
  // The device is no longer in the VM: frees what carried it. Blocks.
  Status release(const std::string& device);
  // The VM cannot have the device: releases it and leaves the interface alone until it changes.
  Status give_up(const std::string& device);
  // Where a plugged device shows up in the guest.
  void set_path(const std::string& device, std::string pci_path);

  // What the last refresh() found of interfaces that are connected.
  GuestNetwork guest() const;
  int netns_fd() const { return netns_.fd.get(); }

 private:
  struct Endpoint {
    int link = 0;                         // its index: a name may change hands
    std::string device;                   // id in the VM
    std::vector<journal::Entry> entries;  // in the order in which they were made
    std::string pci_path;
  };

  SandboxNetwork(Netns netns, NetnsId id, Settings settings, Journal& journal)
      : netns_(std::move(netns)), id_(std::move(id)), settings_(settings), journal_(journal) {}

  Result<Change> refresh_here();
  Result<Scan> settled_scan() const;
  void note_refused(const Scan& scan, Change* change);
  void connect_new(nl_sock* socket, const Scan& scan, Change* change);
  void release_or_log(const std::string& device);
  Result<hypervisor::NetDevice> connect(nl_sock* socket, const Link& link, const Scan& scan,
                                        Endpoint* endpoint);
  Result<std::vector<UniqueFd>> tap_for(nl_sock* socket, const Link& link, const Scan& scan,
                                        Endpoint* endpoint);
  Result<std::vector<UniqueFd>> make_tap_for(nl_sock* socket, const Link& link,
                                             const std::string& tap);
  Status check_link(nl_sock* socket, const Link& link) const;
  Status tie(nl_sock* socket, const Link& link, int tap, Endpoint* endpoint);
  Status note(Endpoint* endpoint, journal::Entry entry);
  Status strike(Endpoint* endpoint);
  const Endpoint* find(int link) const;

  Netns netns_;
  NetnsId id_;
  Settings settings_;
  Journal& journal_;
  Scan scan_;
  std::vector<Endpoint> endpoints_;
  std::map<int, std::string> refused_;  // what they were like, by index
  bool first_ = true;
  size_t next_device_ = 0;
};

}  // namespace kata::network
