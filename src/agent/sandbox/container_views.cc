#include "agent/sandbox/container_views.h"

#include "agent/guest/cpu_memory.h"
#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

CpuSet online_cpus_now() {
  auto text = online_cpu_list("/sys");
  if (!text) return {};
  return parse_cpu_list(*text).value_or(CpuSet());
}

std::string machine_text(const char* path) {
  return read_file(path).value_or(std::string());
}

std::string text_of(ViewFile file, const Cgroup& cgroup) {
  switch (file) {
    case ViewFile::kCpuInfo:
      return cpuinfo_of(machine_text("/proc/cpuinfo"), cgroup.effective_cpus());
    case ViewFile::kStat:
      return stat_of(machine_text("/proc/stat"), cgroup.effective_cpus());
    case ViewFile::kMemInfo:
      return meminfo_of(machine_text("/proc/meminfo"), cgroup.memory_view());
    case ViewFile::kOnline:
      break;
  }
  CpuSet cpus = cgroup.effective_cpus();
  if (cpus.empty()) cpus = online_cpus_now();
  return cpu_list(cpus) + "\n";
}

}  // namespace

CpuSet ContainerViews::choose(const std::string& id, uint32_t count, const CpuSet& had) const {
  // Without a limit a container that never had one is not touched.
  if (count == 0 && had.empty()) return had;
  const CpuSet online = online_cpus_now();
  if (online.empty()) return had;
  std::map<uint32_t, uint32_t> others;
  for (const auto& [other, cpus] : taken_) {
    if (other == id) continue;
    for (uint32_t cpu : cpus) ++others[cpu];
  }
  return choose_cpus(count == 0 ? UINT32_MAX : count, online, had, others);
}

std::string ContainerViews::show(asio::any_io_executor executor, const std::string& id,
                                 const grpc::LinuxResources& resources, const Cgroup* cgroup) {
  if (cpus_of_limit(resources.cpu()) == 0 && resources.cpu().cpus().empty() &&
      resources.memory().limit() <= 0) {
    return {};
  }
  if (auto started = files_.start(executor, mount_point_); !started) {
    if (!std::exchange(complained_, true)) {
      log::failure("containers see the whole machine in /proc", started.error());
    }
    return {};
  }
  files_.add(id, [cgroup](ViewFile file) { return text_of(file, *cgroup); });
  return mount_point_ + "/" + id;
}

void ContainerViews::forget(const std::string& id) {
  files_.remove(id);
  taken_.erase(id);
}

}  // namespace kata::agent
