#include "oci/features.h"

#include <nlohmann/json.hpp>

#include "version.h"

namespace kata::oci {
namespace {

using nlohmann::ordered_json;

// Options of mounts[].options that the agent turns into flags; all others go to the file system.
const char* const kMountOptions[] = {
    "acl",      "async",   "bind",       "defaults",   "dirsync",   "iversion",
    "lazytime", "mand",    "noiversion", "nolazytime", "nomand",    "private",
    "rbind",    "remount", "rprivate",   "rshared",    "rslave",    "runbindable",
    "shared",   "silent",  "slave",      "sync",       "unbindable"};

// The same; each also exists with a leading "r", which is for everything mounted below, too.
const char* const kMountAttributes[] = {
    "ro",      "rw",    "nosuid",      "suid",          "nodev",       "dev",
    "noexec",  "exec",  "nodiratime",  "diratime",      "nosymfollow", "symfollow",
    "noatime", "atime", "strictatime", "nostrictatime", "relatime",    "norelatime"};

ordered_json mount_options() {
  ordered_json words = kMountOptions;
  for (const std::string word : kMountAttributes) {
    words.push_back(word);
    words.push_back("r" + word);
  }
  return words;
}

ordered_json seccomp_features() {
  return {
      {"enabled", true},
      {"actions",
       {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
        "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"}},
      {"operators",
       {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
        "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"}},
      {"archs", {"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32"}},
      {"knownFlags",
       {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"}}};
}

}  // namespace

std::string features_json(bool id_mapped_mounts) {
  const ordered_json linux_features = {
      {"namespaces", {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}},
      {"cgroup", {{"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}}},
      {"seccomp", seccomp_features()},
      {"apparmor", {{"enabled", false}}},
      {"selinux", {{"enabled", false}}},
      {"intelRdt", {{"enabled", false}}},
      {"mountExtensions", {{"idmap", {{"enabled", id_mapped_mounts}}}}}};
  const ordered_json features = {
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", "1.2.0"},
      {"hooks", {"prestart", "createRuntime", "startContainer", "poststart", "poststop"}},
      {"mountOptions", mount_options()},
      {"linux", linux_features},
      {"annotations", {{"io.katacontainers.version", kVersion}}},
      {"potentiallyUnsafeConfigAnnotations",
       {"io.katacontainers.config.hypervisor.", "io.katacontainers.config.runtime.",
        "io.katacontainers.config.agent."}}};
  return features.dump();
}

}  // namespace kata::oci
