#pragma once

#include "agent/oci.pb.h"
#include "oci/json_reader.h"

// One reader per part of the runtime-spec, each in a file of its own. They fill the message with
// what is there; failures are kept by the JsonObject.
namespace kata::oci {

void read_spec(const JsonObject& json, grpc::Spec* spec);           // config.md
void read_process(const JsonObject& json, grpc::Process* process);  // config.md, "Process"
void read_linux(const JsonObject& json, grpc::Linux* linux_part);   // config-linux.md
void read_seccomp(const JsonObject& json, grpc::LinuxSeccomp* seccomp);
void read_resources(const JsonObject& json, grpc::LinuxResources* resources);
void read_id_mappings(const JsonObject& json, std::string_view key,
                      google::protobuf::RepeatedPtrField<grpc::LinuxIDMapping>* mappings);

// Copies an optional value into a setter: take(json.text("cwd"), [&](auto v) { ... }) in one word.
#define KATA_OCI_SET(message, field, value) \
  if (auto read = (value)) (message)->set_##field(*read)

}  // namespace kata::oci
