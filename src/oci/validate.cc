#include <array>
#include <set>

#include "oci/spec.h"

namespace kata::oci {
namespace {

constexpr std::array kNamespaceTypes = {"pid", "network", "mount",  "ipc",
                                        "uts", "user",    "cgroup", "time"};
constexpr std::array kDeviceTypes = {"c", "u", "b", "p"};

template <class Words>
bool one_of(const std::string& word, const Words& words) {
  for (const char* known : words) {
    if (word == known) return true;
  }
  return false;
}

auto refuse(std::string text) {
  return fail(Code::kInvalidArgument, "config.json: " + text);
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

Status check_version(const std::string& version) {
  // runtime-spec "Specification version": compatible within one major number. Hand-made specs often
  // leave it out, and runc takes them.
  if (version.empty() || version.starts_with("1.")) return {};
  return refuse("ociVersion: " + quoted(version) + " is not supported, only 1.x is");
}

Status check_mounts(const grpc::Spec& spec) {
  for (int i = 0; i < spec.mounts_size(); ++i) {
    const std::string place = "mounts[" + std::to_string(i) + "]";
    if (spec.mounts(i).destination().empty()) return refuse(place + ".destination: is empty");
  }
  return {};
}

Status check_linux(const grpc::Linux& part) {
  std::set<std::string> seen;
  for (int i = 0; i < part.namespaces_size(); ++i) {
    const std::string place = "linux.namespaces[" + std::to_string(i) + "].type: ";
    const std::string& type = part.namespaces(i).type();
    if (!one_of(type, kNamespaceTypes)) {
      return refuse(place + "unknown namespace " + quoted(type));
    }
    if (!seen.insert(type).second) return refuse(place + quoted(type) + " is listed twice");
  }
  for (int i = 0; i < part.devices_size(); ++i) {
    const std::string place = "linux.devices[" + std::to_string(i) + "]";
    const grpc::LinuxDevice& device = part.devices(i);
    // An unknown type makes upstream's agent panic (facts/agent-protocol.md section 9).
    if (!one_of(device.type(), kDeviceTypes)) {
      return refuse(place + ".type: " + quoted(device.type()) + " is none of c, u, b, p");
    }
    if (!device.path().starts_with('/')) {
      return refuse(place + ".path: " + quoted(device.path()) + " is not absolute");
    }
  }
  return {};
}

}  // namespace

Status validate(const grpc::Process& process) {
  if (process.args().empty()) return refuse("process.args: must name a program");
  if (process.args(0).empty()) return refuse("process.args[0]: is empty");
  if (!process.cwd().starts_with('/')) {
    return refuse("process.cwd: " + quoted(process.cwd()) + " is not an absolute path");
  }
  for (int i = 0; i < process.rlimits_size(); ++i) {
    const std::string& type = process.rlimits(i).type();
    if (type.starts_with("RLIMIT_")) continue;
    return refuse("process.rlimits[" + std::to_string(i) + "].type: " + quoted(type) +
                  " does not start with RLIMIT_");
  }
  return {};
}

Status validate(const grpc::Spec& spec) {
  TRY_STATUS(check_version(spec.version()));
  if (!spec.has_root()) return refuse("root: is missing");
  if (spec.root().path().empty()) return refuse("root.path: is empty");
  if (!spec.has_process()) return refuse("process: is missing");
  TRY_STATUS(validate(spec.process()));
  TRY_STATUS(check_mounts(spec));
  if (!spec.has_linux()) return refuse("linux: is missing, only Linux containers are supported");
  return check_linux(spec.linux());
}

}  // namespace kata::oci
