#include "oci/readers.h"

namespace kata::oci {
namespace {

void read_device(const JsonObject& json, grpc::LinuxDevice* device) {
  KATA_OCI_SET(device, path, json.text("path"));
  KATA_OCI_SET(device, type, json.text("type"));
  KATA_OCI_SET(device, major, json.number<int64_t>("major"));
  KATA_OCI_SET(device, minor, json.number<int64_t>("minor"));
  KATA_OCI_SET(device, filemode, json.number<uint32_t>("fileMode"));
  KATA_OCI_SET(device, uid, json.number<uint32_t>("uid"));
  KATA_OCI_SET(device, gid, json.number<uint32_t>("gid"));
}

void read_syscall(const JsonObject& json, grpc::LinuxSyscall* rule) {
  json.texts("names", [&](std::string name) { rule->add_names(std::move(name)); });
  KATA_OCI_SET(rule, action, json.text("action"));
  KATA_OCI_SET(rule, errnoret, json.number<uint32_t>("errnoRet"));
  json.objects("args", [&](const JsonObject& entry) {
    grpc::LinuxSeccompArg* arg = rule->add_args();
    KATA_OCI_SET(arg, index, entry.number<uint32_t>("index"));
    KATA_OCI_SET(arg, value, entry.number<uint64_t>("value"));
    KATA_OCI_SET(arg, valuetwo, entry.number<uint64_t>("valueTwo"));
    KATA_OCI_SET(arg, op, entry.text("op"));
  });
}

}  // namespace

void read_seccomp(const JsonObject& json, grpc::LinuxSeccomp* seccomp) {
  KATA_OCI_SET(seccomp, defaultaction, json.text("defaultAction"));
  KATA_OCI_SET(seccomp, defaulterrnoret, json.number<uint32_t>("defaultErrnoRet"));
  json.texts("architectures", [&](std::string arch) { seccomp->add_architectures(arch); });
  json.texts("flags", [&](std::string flag) { seccomp->add_flags(std::move(flag)); });
  json.objects("syscalls",
               [&](const JsonObject& entry) { read_syscall(entry, seccomp->add_syscalls()); });
}

void read_linux(const JsonObject& json, grpc::Linux* linux_part) {
  read_id_mappings(json, "uidMappings", linux_part->mutable_uidmappings());
  read_id_mappings(json, "gidMappings", linux_part->mutable_gidmappings());
  json.text_map("sysctl", [&](const std::string& key, std::string value) {
    (*linux_part->mutable_sysctl())[key] = std::move(value);
  });
  json.object("resources", [&](const JsonObject& part) {
    read_resources(part, linux_part->mutable_resources());
  });
  KATA_OCI_SET(linux_part, cgroupspath, json.text("cgroupsPath"));
  json.objects("namespaces", [&](const JsonObject& entry) {
    grpc::LinuxNamespace* name_space = linux_part->add_namespaces();
    KATA_OCI_SET(name_space, type, entry.text("type"));
    KATA_OCI_SET(name_space, path, entry.text("path"));
  });
  json.objects("devices",
               [&](const JsonObject& entry) { read_device(entry, linux_part->add_devices()); });
  json.object("seccomp",
              [&](const JsonObject& part) { read_seccomp(part, linux_part->mutable_seccomp()); });
  KATA_OCI_SET(linux_part, rootfspropagation, json.text("rootfsPropagation"));
  json.texts("maskedPaths", [&](std::string path) { linux_part->add_maskedpaths(path); });
  json.texts("readonlyPaths", [&](std::string path) { linux_part->add_readonlypaths(path); });
  KATA_OCI_SET(linux_part, mountlabel, json.text("mountLabel"));
  json.object("intelRdt", [&](const JsonObject& part) {
    KATA_OCI_SET(linux_part->mutable_intelrdt(), l3cacheschema, part.text("l3CacheSchema"));
  });
  json.object_map("timeOffsets", [&](const std::string& clock, const JsonObject& entry) {
    grpc::LinuxTimeOffset* offset = &(*linux_part->mutable_timeoffsets())[clock];
    KATA_OCI_SET(offset, secs, entry.number<int64_t>("secs"));
    KATA_OCI_SET(offset, nanosecs, entry.number<uint32_t>("nanosecs"));
  });
}

}  // namespace kata::oci
