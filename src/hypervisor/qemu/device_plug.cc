#include "hypervisor/qemu/device_plug.h"

#include <nlohmann/json.hpp>

#include "base/log.h"

namespace kata::hypervisor::qemu {

namespace {

// Far more than a guest's containers are given; QEMU's controller takes them all.
constexpr size_t kMaxScsiDisks = 256;

std::vector<int> numbers(const std::vector<UniqueFd>& fds) {
  std::vector<int> out;
  for (const UniqueFd& fd : fds) out.push_back(fd.get());
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ":") + name;
  return out;
}

Json disk_backend(const DiskDevice& disk) {
  Json file = {{"driver", "file"}, {"filename", disk.path}, {"aio", disk.aio}};
  if (disk.path.starts_with("/dev/")) file["driver"] = "host_device";
  if (disk.aio == "native" && !disk.direct) file["aio"] = "threads";
  Json node = {{"driver", "raw"}, {"node-name", "drive-" + disk.id}, {"file", file}};
  node["read-only"] = disk.read_only;
  node["cache"] = {{"direct", disk.direct}, {"no-flush", disk.no_flush}};
  return node;
}

}  // namespace

DevicePlug::DevicePlug(asio::any_io_executor executor, std::shared_ptr<QmpClient> qmp,
                       const VmConfig& config)
    : qmp_(std::move(qmp)),
      executor_(std::move(executor)),
      slots_(config.pci_bridges),
      scsi_(config.disk_driver == DiskDriver::kVirtioScsi),
      indep_iothreads_(config.indep_iothreads),
      memory_(config.memory),
      vcpus_(config.vcpus),
      max_vcpus_(config.max_vcpus) {
  for (uint32_t i = 0; i < config.disks.size(); ++i) luns_.insert(i);
}

void DevicePlug::on_event(const std::string& name, const Json& data) {
  if (name == "ACPI_DEVICE_OST") on_ost(data);
  if (name != "DEVICE_DELETED" || !data.is_object()) return;
  auto id = data.find("device");
  if (id == data.end() || !id->is_string()) return;
  const auto device = id->get<std::string>();
  forget_vcpu(device);
  auto waiting = removals_.find(device);
  if (waiting != removals_.end()) waiting->second->set();
  auto late = late_.find(device);
  if (late == late_.end()) return;
  free_place(late->second.id);
  kata::spawn(executor_, remove_late(qmp_, std::move(late->second)));
  late_.erase(late);
}

void DevicePlug::free_place(const std::string& id) {
  slots_.release(id);
  auto unit = disk_luns_.find(id);
  if (unit == disk_luns_.end()) return;
  luns_.erase(unit->second);
  disk_luns_.erase(unit);
}

void DevicePlug::vm_ended() {
  ended_ = true;
  for (auto& [id, gone] : removals_) gone->set();
  for (auto& [id, status] : osts_) status.set(0);
}

Task<Status> DevicePlug::run(std::string command, Json arguments) {
  auto reply = co_await qmp_->execute(std::move(command), std::move(arguments));
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return Status();
}

Task<> DevicePlug::undo(std::string command, Json arguments) {
  auto reply = co_await qmp_->execute(command, std::move(arguments));
  if (!reply) log::failure("undo of a hot plug failed", reply.error());
}

Task<Status> DevicePlug::remove_device(std::string id, Clock::duration limit) {
  auto gone = std::make_shared<Event>(executor_);
  removals_[id] = gone;
  Json arguments = {{"id", id}};
  Status asked = co_await run("device_del", std::move(arguments));
  bool removed = false;
  if (asked) removed = co_await gone->wait_for(limit);
  removals_.erase(id);
  if (!asked) co_return asked;
  if (ended_) co_return fail(Code::kUnavailable, "the VM ended");
  if (!removed) {
    co_return fail(Code::kDeadlineExceeded, "the guest does not let go of device " + id);
  }
  co_return Status();
}

Task<Status> DevicePlug::unplug(Backend backend, Clock::duration limit) {
  const std::string device = "virtio-" + backend.id;
  Status removed = co_await remove_device(device, limit);
  if (!removed) {
    // The guest may do it later: on_event() goes on then.
    if (removed.error().code() == Code::kDeadlineExceeded) late_[device] = std::move(backend);
    co_return removed;
  }
  free_place(backend.id);
  co_return co_await remove_backend(qmp_, std::move(backend));
}

// Needs nothing of the object, which may be gone before the answer.
Task<Status> DevicePlug::remove_backend(std::shared_ptr<QmpClient> qmp, Backend backend) {
  Json arguments = Json::object();
  if (backend.is_disk) {
    arguments["node-name"] = "drive-" + backend.id;
  } else {
    arguments["id"] = backend.id;
  }
  const std::string command = backend.is_disk ? "blockdev-del" : "netdev_del";
  auto removed = co_await qmp->execute(command, std::move(arguments));
  if (!removed) co_return std::unexpected(std::move(removed.error()));
  co_return Status();
}

Task<> DevicePlug::remove_late(std::shared_ptr<QmpClient> qmp, Backend backend) {
  Status removed = co_await remove_backend(std::move(qmp), std::move(backend));
  if (!removed) log::failure("the back end of a device stays", removed.error());
}

Task<Result<std::string>> DevicePlug::add_disk(DiskDevice disk) {
  Json device = {{"id", "virtio-" + disk.id}, {"drive", "drive-" + disk.id}};
  // "share-rw" is a bool property; QMP wants it as such.
  device["share-rw"] = true;
  // QEMU's default stops the whole VM when the host's disk is full.
  device["werror"] = "report";
  device["rerror"] = "report";
  if (!disk.serial.empty()) device["serial"] = disk.serial;
  if (disk.logical_sector != 0) device["logical_block_size"] = disk.logical_sector;
  if (disk.physical_sector != 0) device["physical_block_size"] = disk.physical_sector;
  if (!scsi_) {
    CO_TRY(PciPlace place, slots_.take(disk.id));
    device["driver"] = "virtio-blk-pci";
    device["bus"] = place.bus;
    device["addr"] = place.addr;
    device["romfile"] = "";
    if (indep_iothreads_ > 0) {
      device["iothread"] = "indep-iothread-" + std::to_string(next_iothread_++ % indep_iothreads_);
    }
    std::string id = disk.id;
    Status plugged = co_await plug_disk(std::move(disk), std::move(device));
    if (plugged) co_return place.guest_path;
    slots_.release(id);
    co_return std::unexpected(std::move(plugged.error()));
  }
  if (disk_luns_.contains(disk.id)) {
    co_return fail(Code::kAlreadyExists, "disk " + disk.id + " is plugged");
  }
  if (luns_.size() >= kMaxScsiDisks) {
    co_return fail(Code::kResourceExhausted, "all " + std::to_string(kMaxScsiDisks) +
                                                 " units of the SCSI controller are taken");
  }
  uint32_t unit = 0;
  while (luns_.contains(unit)) ++unit;
  luns_.insert(unit);
  device["driver"] = "scsi-hd";
  device["bus"] = "scsi0.0";
  device["channel"] = 0;
  device["scsi-id"] = unit / 256;
  device["lun"] = unit % 256;
  std::string id = disk.id;
  Status plugged = co_await plug_disk(std::move(disk), std::move(device));
  if (!plugged) {
    luns_.erase(unit);
    co_return std::unexpected(std::move(plugged.error()));
  }
  disk_luns_[id] = unit;
  co_return std::to_string(unit / 256) + ":" + std::to_string(unit % 256);
}

Task<Status> DevicePlug::add_node(DiskDevice disk) {
  Status added = co_await run("blockdev-add", disk_backend(disk));
  if (added || disk.aio != "io_uring") co_return added;
  // Hosts may forbid io_uring, containers' seccomp profiles do; the other way always works.
  disk.aio = "threads";
  co_return co_await run("blockdev-add", disk_backend(disk));
}

Task<Status> DevicePlug::plug_disk(DiskDevice disk, Json device) {
  Json node = {{"node-name", "drive-" + disk.id}};
  CO_TRY_STATUS(co_await add_node(std::move(disk)));
  Status plugged = co_await run("device_add", std::move(device));
  if (!plugged) co_await undo("blockdev-del", std::move(node));
  co_return plugged;
}

Task<Status> DevicePlug::remove_disk(std::string id) {
  Backend backend{std::move(id), true};
  co_return co_await unplug(std::move(backend), kRemoveLimit);
}

Task<Status> DevicePlug::resize_disk(std::string id, uint64_t bytes) {
  Json arguments = {{"node-name", "drive-" + id}, {"size", bytes}};
  co_return co_await run("block_resize", std::move(arguments));
}

Task<Result<std::string>> DevicePlug::add_net(NetDevice net) {
  CO_TRY(PciPlace place, slots_.take(net.id));
  Json device = {{"driver", "virtio-net-pci"}, {"id", "virtio-" + net.id}, {"netdev", net.id}};
  device["mac"] = net.mac;
  device["bus"] = place.bus;
  device["addr"] = place.addr;
  device["romfile"] = "";
  if (net.mtu != 0) device["host_mtu"] = net.mtu;
  if (net.tap_fds.size() > 1) {
    device["mq"] = true;
    device["vectors"] = 2 * net.tap_fds.size() + 2;
  }
  Status plugged = co_await plug_net(net, std::move(device));
  if (plugged) co_return place.guest_path;
  slots_.release(net.id);
  co_return std::unexpected(std::move(plugged.error()));
}

// Hands descriptors to QEMU under names of their own; `names` gets those, also on failure.
Task<Status> DevicePlug::send_fds(const std::vector<UniqueFd>& fds, std::string prefix,
                                  std::vector<std::string>* names) {
  for (int fd : numbers(fds)) {
    const std::string name = prefix + std::to_string(names->size());
    Json arguments = {{"fdname", name}};
    std::vector<int> one(1, fd);
    auto reply = co_await qmp_->execute("getfd", std::move(arguments), std::move(one));
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    names->push_back(name);
  }
  co_return Status();
}

Task<Status> DevicePlug::add_backend(const NetDevice& net) {
  std::vector<std::string> taps, vhosts;
  Status done = co_await send_fds(net.tap_fds, net.id + "-tap", &taps);
  if (done) done = co_await send_fds(net.vhost_fds, net.id + "-vhost", &vhosts);
  if (done) {
    Json backend = {{"type", "tap"}, {"id", net.id}};
    backend["fds"] = joined(taps);
    if (!vhosts.empty()) {
      backend["vhost"] = true;
      backend["vhostfds"] = joined(vhosts);
    }
    done = co_await run("netdev_add", std::move(backend));
    if (done) co_return done;
  }
  // What QEMU did not take it keeps for ever. What it took has no name any more: no failure.
  taps.insert(taps.end(), vhosts.begin(), vhosts.end());
  for (const std::string& name : taps) {
    Json arguments = {{"fdname", name}};
    auto closed = co_await qmp_->execute("closefd", std::move(arguments));
    if (!closed) log::debug("closefd", {{"name", name}, {"answer", closed.error().message()}});
  }
  co_return done;
}

Task<Status> DevicePlug::plug_net(const NetDevice& net, Json device) {
  CO_TRY_STATUS(co_await add_backend(net));
  Status plugged = co_await run("device_add", std::move(device));
  if (!plugged) {
    Json id = {{"id", net.id}};
    co_await undo("netdev_del", std::move(id));
  }
  co_return plugged;
}

Task<Status> DevicePlug::remove_net(std::string id) {
  Backend backend{std::move(id), false};
  co_return co_await unplug(std::move(backend), kRemoveNetLimit);
}

// QEMU closes its descriptors of the tap, which would otherwise be readable for ever once the tap
// is gone, and tells the guest that the link is down.
Task<Status> DevicePlug::disconnect_net(std::string id) {
  Json arguments = {{"id", std::move(id)}};
  co_return co_await run("netdev_del", std::move(arguments));
}

}  // namespace kata::hypervisor::qemu
