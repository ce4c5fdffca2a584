#pragma once

#include <string>
#include <string_view>

// Host paths of a sandbox (facts/runtime-behaviour.md section 1). Tools watch /run/vc/sbs.
namespace kata::runtime {

inline constexpr std::string_view kStateRoot = "/run/vc/sbs";
inline constexpr std::string_view kVmRoot = "/run/vc/vm";
// Files that containers may write to, and so not in the memory that /run is.
inline constexpr std::string_view kPodFilesRoot = "/var/lib/kata-containers/pods";
// Finished phase records of the node, newest last.
inline constexpr std::string_view kPhaseLog = "/run/kata-containers/phases.jsonl";

struct SandboxPaths {
  explicit SandboxPaths(std::string_view sandbox_id)
      : state(std::string(kStateRoot) + "/" + std::string(sandbox_id)),
        vm(std::string(kVmRoot) + "/" + std::string(sandbox_id)),
        journal(state + "/journal"),
        phases(state + "/phases.json"),
        pod(state + "/pod.json"),
        pod_files(std::string(kPodFilesRoot) + "/" + std::string(sandbox_id)),
        management(state + "/shim-monitor.sock") {}

  std::string state;      // 0700: journal, phase record
  std::string vm;         // 0700: sockets of the VMM and its helpers
  std::string journal;    // resource journal (docs/design/journal.md)
  std::string phases;     // phase record of this sandbox, JSON
  std::string pod;        // {"uid","name","namespace"} of a Kubernetes pod, for the monitor
  std::string pod_files;  // folder: what every container of a pod finds at certain paths
  // Socket of the door's management service; in the journal from the start.
  std::string management;
};

}  // namespace kata::runtime
