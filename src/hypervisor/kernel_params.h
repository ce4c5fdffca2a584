#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/vm_config.h"

namespace kata::hypervisor {

// A kernel command line in order. A later value of a key takes the place of the earlier one, as the
// kernel itself would have it, except for keys that may repeat (console, dm-mod.create ...).
class KernelParams {
 public:
  void add(std::initializer_list<std::string> words) { words_.insert(words_.end(), words); }
  void set(std::string_view key, std::string_view value);
  // A word of the administrator: drops earlier words of the same key and goes to the end.
  void add_override(std::string_view word);
  std::string text() const;

 private:
  std::vector<std::string> words_;
};

// The parts that do not depend on the VMM (facts/runtime-behaviour.md section 8.2).
void add_root_params(const GuestImage& image, bool pmem, KernelParams* params);
void add_verbosity_params(const VmConfig& config, KernelParams* params);
// Systemd units and SELinux.
void add_service_params(const VmConfig& config, KernelParams* params);

// Value of one key in "a=1,b=2"; empty when absent.
std::string verity_value(std::string_view verity, std::string_view key);

}  // namespace kata::hypervisor
