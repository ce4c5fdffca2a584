// Growing and shrinking a running VM: vCPUs and memory (facts/hypervisors.md section 3.4).
#include <nlohmann/json.hpp>

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

Task<Status> DevicePlug::remove_one_vcpu() {
  CO_TRY_STATUS(co_await remove_device(plugged_vcpus_.back()));
  plugged_vcpus_.pop_back();
  --vcpus_;
  co_return Status();
}

Task<Result<uint32_t>> DevicePlug::resize_vcpus(uint32_t wanted, bool remove) {
  wanted = std::min(wanted, max_vcpus_);
  while (vcpus_ < wanted) CO_TRY_STATUS(co_await add_one_vcpu());
  while (remove && vcpus_ > wanted && !plugged_vcpus_.empty()) {
    CO_TRY_STATUS(co_await remove_one_vcpu());
  }
  co_return vcpus_;
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
  Json dimm = {{"driver", "pc-dimm"}, {"id", "dimm" + backend_id}, {"memdev", backend_id}};
  Status plugged = co_await run("device_add", std::move(dimm));
  if (!plugged) {
    Json id = {{"id", backend_id}};
    co_await undo("object-del", std::move(id));
    co_return std::unexpected(std::move(plugged.error()));
  }
  ++dimms_;
  memory_.boot += size;
  co_return memory_.boot;
}

}  // namespace kata::hypervisor::qemu
