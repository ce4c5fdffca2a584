// configuration.toml plus one annotation: the first line of the input is the annotation's value,
// the rest the file. Whatever the bytes, no duration is ever zero and no sandbox argument gets
// through.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/annotations.h"
#include "config/extra_args.h"
#include "config/loader.h"

namespace {

void check(const kata::config::LoadedConfig& loaded) {
  const auto& config = loaded.config;
  if (config.runtime.create_container_timeout.count() <= 0) std::abort();
  if (config.agent.dial_timeout.count() <= 0) std::abort();
  if (config.hypervisor.default_memory < 256 &&
      config.hypervisor.kind != kata::config::HypervisorKind::kRemote) {
    std::abort();
  }
  if (!kata::config::check_extra_args(config.hypervisor.virtio_fs_extra_args)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(text.find('\n'), text.size());
  const std::string value = text.substr(0, line);
  text.erase(0, std::min(line + 1, text.size()));
  auto loaded = kata::config::parse(text, "fuzz.toml");
  if (!loaded) {
    if (loaded.error().message().empty()) std::abort();
    return 0;
  }
  check(*loaded);
  const std::string prefix = std::string(kata::config::kAnnotationPrefix) + "hypervisor.";
  for (const char* name : {"virtio_fs_extra_args", "default_memory", "default_vcpus",
                           "kernel_params", "enable_iommu", "machine_accelerators", "path"}) {
    auto copy = *loaded;
    if (kata::config::apply_annotations({{prefix + name, value}}, &copy)) check(copy);
  }
  return 0;
}
