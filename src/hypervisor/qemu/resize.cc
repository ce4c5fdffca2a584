// Growing and shrinking a running VM: vCPUs and memory (facts/hypervisors.md section 3.4).
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "hypervisor/qemu/device_plug.h"

namespace kata::hypervisor::qemu {

namespace {

// Linux takes memory in blocks of this size.
constexpr uint64_t kBlockMib = 128;

// The lowest socket that has no vCPU yet; QEMU lists the highest first and leaves out "qom-path"
// where a vCPU is missing.
const Json* free_socket(const Json& list) {
  const Json* found = nullptr;
  if (!list.is_array()) return nullptr;
  for (const Json& entry : list) {
    bool usable = entry.is_object() && !entry.contains("qom-path") && entry.contains("type") &&
                  entry["type"].is_string() && entry.contains("props") &&
                  entry["props"].is_object();
    if (usable) found = &entry;
  }
  return found;
}

// The DIMM stays plugged whatever the guest says, and it may take it later.
Task<> wait_for_guest(Promise<int64_t> taken) {
  // In a condition g++ 12 makes an illegal instruction of it.
  const bool answered = co_await taken.wait_for(DevicePlug::kTakeMemoryLimit);
  if (!answered) {
    log::warn("the guest has not taken its new memory yet");
    co_return;
  }
  const int64_t status = taken.value();
  if (status == 0) co_return;
  log::warn("the guest could not take its new memory", {{"acpi_status", std::to_string(status)}});
}

}  // namespace

Task<Status> DevicePlug::add_one_vcpu() {
  CO_TRY(Json sockets, co_await qmp_->execute("query-hotpluggable-cpus"));
  const Json* place = free_socket(sockets);
  if (place == nullptr) co_return fail(Code::kResourceExhausted, "no free vCPU socket");
  std::string id = "cpu-" + std::to_string(next_cpu_);
  Json device = (*place)["props"];
  device["driver"] = (*place)["type"];
  device["id"] = id;
  CO_TRY_STATUS(co_await run("device_add", std::move(device)));
  ++next_cpu_;
  plugged_vcpus_.push_back(std::move(id));
  ++vcpus_;
  co_return Status();
}

// Whenever the guest lets go of it, be it after we stopped waiting.
void DevicePlug::forget_vcpu(const std::string& id) {
  if (std::erase(plugged_vcpus_, id) > 0) --vcpus_;
}

Task<Result<uint32_t>> DevicePlug::resize_vcpus(uint32_t wanted, bool remove) {
  wanted = std::min(wanted, max_vcpus_);
  const uint32_t before = vcpus_;
  while (vcpus_ < wanted) {
    auto added = co_await add_one_vcpu();
    if (added) continue;
    if (vcpus_ == before) co_return std::unexpected(std::move(added.error()));
    log::failure("not all vCPUs could be added", added.error());
    break;
  }
  while (remove && vcpus_ > wanted && !plugged_vcpus_.empty()) {
    auto removed = co_await remove_device(plugged_vcpus_.back());
    if (removed) continue;
    log::failure("a vCPU stays", removed.error());
    break;
  }
  co_return vcpus_;
}

void DevicePlug::on_ost(const Json& data) {
  if (!data.is_object() || !data.contains("info") || !data["info"].is_object()) return;
  const Json& info = data["info"];
  auto device = info.find("device");
  auto status = info.find("status");
  if (device == info.end() || !device->is_string()) return;
  if (status == info.end() || !status->is_number_integer()) return;
  auto waiting = osts_.find(device->get<std::string>());
  if (waiting != osts_.end()) waiting->second.set(status->get<int64_t>());
}

Task<Result<uint64_t>> DevicePlug::resize_memory(uint64_t wanted) {
  wanted = std::min(wanted, memory_.max);
  if (wanted <= memory_.boot) co_return memory_.boot;
  uint64_t size = (wanted - memory_.boot + kBlockMib - 1) / kBlockMib * kBlockMib;
  if (memory_.boot + size > memory_.max) size -= kBlockMib;
  if (size == 0) co_return memory_.boot;
  if (dimms_ >= memory_.slots) co_return fail(Code::kResourceExhausted, "no free memory slot");
  std::string slot = std::to_string(dimms_);
  std::string backend_id = "mem" + slot;
  bool in_file = memory_.hugepages || !memory_.file_backend.empty();
  Json backend = {{"qom-type", in_file ? "memory-backend-file" : "memory-backend-memfd"}};
  backend["id"] = backend_id;
  backend["size"] = size << 20;
  // vhost-user back ends read all guest memory, plugged memory too.
  backend["share"] = true;
  if (in_file) backend["mem-path"] = memory_.hugepages ? "/dev/hugepages" : memory_.file_backend;
  if (memory_.prealloc || memory_.hugepages) backend["prealloc"] = true;
  CO_TRY_STATUS(co_await run("object-add", std::move(backend)));
  const std::string dimm_id = "dimm" + backend_id;
  Json dimm = {{"driver", "pc-dimm"}, {"id", dimm_id}, {"memdev", backend_id}};
  const Promise<int64_t> taken = osts_.try_emplace(dimm_id, executor_).first->second;
  Status plugged = co_await run("device_add", std::move(dimm));
  if (!plugged) {
    osts_.erase(dimm_id);
    Json id = {{"id", backend_id}};
    co_await undo("object-del", std::move(id));
    co_return std::unexpected(std::move(plugged.error()));
  }
  ++dimms_;
  memory_.boot += size;
  co_await wait_for_guest(taken);
  osts_.erase(dimm_id);
  co_return memory_.boot;
}

}  // namespace kata::hypervisor::qemu
