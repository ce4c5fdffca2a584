#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kata::cli {

// One thing that a host has or lacks.
struct HostItem {
  enum class State { kGood, kWarning, kBad };
  State state = State::kGood;
  std::string name;
  std::string text;
  std::string fix;  // what to do; empty when nothing is wrong
};

struct HostReport {
  VmMode mode;
  std::vector<HostItem> items;
  bool capable() const;
  bool has_warnings() const;
};

// `loaded` is null when there is no usable configuration: the usual places are looked at then.
// Looks at device files without opening them, /dev/kvm excepted; no network, no vsock.
HostReport check_host(const HostFacts& host, const config::LoadedConfig* loaded);
// The judgement alone, of facts that were found: for tests and for check_host().
struct HostFindings {
  std::string vmm, virtiofsd;
  bool wants_virtiofsd = true;
  bool vhost_net = false, vhost_vsock = false, tun = false;
};
HostReport judge_host(const HostFacts& host, VmMode mode, const HostFindings& found);

}  // namespace kata::cli
