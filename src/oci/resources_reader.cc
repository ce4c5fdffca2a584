#include "oci/readers.h"

namespace kata::oci {
namespace {

void read_memory(const JsonObject& json, grpc::LinuxMemory* memory) {
  KATA_OCI_SET(memory, limit, json.number<int64_t>("limit"));
  KATA_OCI_SET(memory, reservation, json.number<int64_t>("reservation"));
  KATA_OCI_SET(memory, swap, json.number<int64_t>("swap"));
  KATA_OCI_SET(memory, kernel, json.number<int64_t>("kernel"));
  KATA_OCI_SET(memory, kerneltcp, json.number<int64_t>("kernelTCP"));
  KATA_OCI_SET(memory, swappiness, json.number<uint64_t>("swappiness"));
  KATA_OCI_SET(memory, disableoomkiller, json.flag("disableOOMKiller"));
  KATA_OCI_SET(memory, checkbeforeupdate, json.flag("checkBeforeUpdate"));
}

void read_cpu(const JsonObject& json, grpc::LinuxCPU* cpu) {
  KATA_OCI_SET(cpu, shares, json.number<uint64_t>("shares"));
  KATA_OCI_SET(cpu, quota, json.number<int64_t>("quota"));
  KATA_OCI_SET(cpu, burst, json.number<uint64_t>("burst"));
  KATA_OCI_SET(cpu, period, json.number<uint64_t>("period"));
  KATA_OCI_SET(cpu, realtimeruntime, json.number<int64_t>("realtimeRuntime"));
  KATA_OCI_SET(cpu, realtimeperiod, json.number<uint64_t>("realtimePeriod"));
  KATA_OCI_SET(cpu, cpus, json.text("cpus"));
  KATA_OCI_SET(cpu, mems, json.text("mems"));
  KATA_OCI_SET(cpu, idle, json.number<int64_t>("idle"));
}

void read_throttle(const JsonObject& json, std::string_view key,
                   google::protobuf::RepeatedPtrField<grpc::LinuxThrottleDevice>* devices) {
  json.objects(key, [&](const JsonObject& entry) {
    grpc::LinuxThrottleDevice* device = devices->Add();
    KATA_OCI_SET(device, major, entry.number<int64_t>("major"));
    KATA_OCI_SET(device, minor, entry.number<int64_t>("minor"));
    KATA_OCI_SET(device, rate, entry.number<uint64_t>("rate"));
  });
}

void read_block_io(const JsonObject& json, grpc::LinuxBlockIO* block) {
  KATA_OCI_SET(block, weight, json.number<uint16_t>("weight"));
  KATA_OCI_SET(block, leafweight, json.number<uint16_t>("leafWeight"));
  json.objects("weightDevice", [&](const JsonObject& entry) {
    grpc::LinuxWeightDevice* device = block->add_weightdevice();
    KATA_OCI_SET(device, major, entry.number<int64_t>("major"));
    KATA_OCI_SET(device, minor, entry.number<int64_t>("minor"));
    KATA_OCI_SET(device, weight, entry.number<uint16_t>("weight"));
    KATA_OCI_SET(device, leafweight, entry.number<uint16_t>("leafWeight"));
  });
  read_throttle(json, "throttleReadBpsDevice", block->mutable_throttlereadbpsdevice());
  read_throttle(json, "throttleWriteBpsDevice", block->mutable_throttlewritebpsdevice());
  read_throttle(json, "throttleReadIOPSDevice", block->mutable_throttlereadiopsdevice());
  read_throttle(json, "throttleWriteIOPSDevice", block->mutable_throttlewriteiopsdevice());
}

void read_device_rule(const JsonObject& json, grpc::LinuxDeviceCgroup* rule) {
  KATA_OCI_SET(rule, allow, json.flag("allow"));
  KATA_OCI_SET(rule, type, json.text("type"));
  KATA_OCI_SET(rule, major, json.number<int64_t>("major"));
  KATA_OCI_SET(rule, minor, json.number<int64_t>("minor"));
  KATA_OCI_SET(rule, access, json.text("access"));
}

void read_network(const JsonObject& json, grpc::LinuxNetwork* network) {
  KATA_OCI_SET(network, classid, json.number<uint32_t>("classID"));
  json.objects("priorities", [&](const JsonObject& entry) {
    grpc::LinuxInterfacePriority* priority = network->add_priorities();
    KATA_OCI_SET(priority, name, entry.text("name"));
    KATA_OCI_SET(priority, priority, entry.number<uint32_t>("priority"));
  });
}

}  // namespace

void read_resources(const JsonObject& json, grpc::LinuxResources* resources) {
  json.objects("devices",
               [&](const JsonObject& entry) { read_device_rule(entry, resources->add_devices()); });
  json.object("memory",
              [&](const JsonObject& part) { read_memory(part, resources->mutable_memory()); });
  json.object("cpu", [&](const JsonObject& part) { read_cpu(part, resources->mutable_cpu()); });
  json.object("pids", [&](const JsonObject& part) {
    if (auto limit = part.number<int64_t>("limit")) resources->mutable_pids()->set_limit(*limit);
  });
  json.object("blockIO",
              [&](const JsonObject& part) { read_block_io(part, resources->mutable_blockio()); });
  json.objects("hugepageLimits", [&](const JsonObject& entry) {
    grpc::LinuxHugepageLimit* limit = resources->add_hugepagelimits();
    KATA_OCI_SET(limit, pagesize, entry.text("pageSize"));
    KATA_OCI_SET(limit, limit, entry.number<uint64_t>("limit"));
  });
  json.object("network",
              [&](const JsonObject& part) { read_network(part, resources->mutable_network()); });
  json.text_map("unified", [&](const std::string& file, std::string value) {
    (*resources->mutable_unified())[file] = std::move(value);
  });
}

}  // namespace kata::oci
