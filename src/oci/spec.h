#pragma once

#include <cstddef>
#include <string_view>

#include "agent/oci.pb.h"
#include "base/error.h"

// OCI runtime-spec 1.2 documents read into the wire model (proto/agent/oci.proto), host side only.
//
// A value of the wrong type or out of range fails with kInvalidArgument and names its place, for
// example "config.json: process.rlimits[2].hard: expected an integer from 0 to ..., found a
// string". Unknown fields are ignored, null counts as absent, strings with NUL bytes are refused
// (they would be cut short on their way into system calls).
namespace kata::oci {

// containerd hands specs over in messages of at most 16 MiB.
inline constexpr size_t kMaxDocumentSize = 16 << 20;
inline constexpr int kMaxDocumentDepth = 64;

// A whole config.json. Reads only; see validate().
Result<grpc::Spec> parse_spec(std::string_view json);
// The `process` object alone: the content of the Any of an Exec request.
Result<grpc::Process> parse_process(std::string_view json);
// The `linux.resources` object alone: the content of the Any of an Update request.
Result<grpc::LinuxResources> parse_resources(std::string_view json);

// Reads <bundle>/config.json and validates it.
Result<grpc::Spec> load_bundle(const std::string& bundle);

// What must hold before a container is made of a spec: root and process present, arguments,
// absolute working directory, mount destinations, known namespaces without duplicates, known device
// types.
Status validate(const grpc::Spec& spec);
// The same for a process that joins a running container.
Status validate(const grpc::Process& process);

}  // namespace kata::oci
