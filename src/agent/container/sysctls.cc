#include "agent/container/sysctls.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/file.h"

namespace kata::agent {
namespace {

constexpr std::array<std::string_view, 8> kIpcKeys = {
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
    "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};

// Keys come with dots or with slashes; a dot inside a slashed key belongs to a name.
std::string dotted(std::string key) {
  size_t separator = key.find_first_of("./");
  if (separator != std::string::npos && key[separator] == '/') {
    for (char& c : key) c = c == '/' ? '.' : c == '.' ? '/' : c;
  }
  return key;
}

std::string sysctl_path(const std::string& key) {
  std::string path = dotted(key);
  for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return "/proc/sys/" + path;
}

bool has_namespace(const grpc::Spec& spec, std::string_view type) {
  for (const grpc::LinuxNamespace& ns : spec.linux().namespaces()) {
    if (ns.type() == type) return true;
  }
  return false;
}

Status check_key(const grpc::Spec& spec, const std::string& key) {
  std::string name = dotted(key);
  bool ipc = std::find(kIpcKeys.begin(), kIpcKeys.end(), name) != kIpcKeys.end() ||
             name.starts_with("fs.mqueue.");
  if (name.find("//") != std::string::npos || name.find("..") != std::string::npos) {
    return fail(Code::kInvalidArgument, "sysctl \"" + key + "\" is malformed");
  }
  if (ipc && !has_namespace(spec, "ipc")) {
    return fail(Code::kInvalidArgument,
                "sysctl \"" + key + "\" is not allowed in the hosts ipc namespace");
  }
  if (ipc || name.starts_with("net.")) return {};
  if (name == "kernel.domainname" && has_namespace(spec, "uts")) return {};
  if (name == "kernel.hostname") {
    return fail(
        Code::kInvalidArgument,
        "sysctl \"" + key + "\" is not allowed as it conflicts with the OCI \"hostname\" field");
  }
  return fail(Code::kInvalidArgument,
              "sysctl \"" + key + "\" is not in a separate kernel namespace");
}

}  // namespace

Status check_sysctls(const grpc::Spec& spec) {
  for (const auto& [key, value] : spec.linux().sysctl()) TRY_STATUS(check_key(spec, key));
  return {};
}

Status write_sysctls(const grpc::Linux& spec) {
  for (const auto& [key, value] : spec.sysctl()) {
    TRY_STATUS(in_step("sysctl " + key, write_existing(sysctl_path(key), value)));
  }
  return {};
}

}  // namespace kata::agent
