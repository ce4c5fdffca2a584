// Which host CPUs the sandbox may use: those of its containers (linux.resources.cpu.cpus).
#include "resources/host_cpus.h"
#include "runtime/sandbox.h"

namespace kata::runtime {

Status Sandbox::check_host_cpus(const std::string& list) {
  if (list.empty()) return {};
  TRY(CpuSet online, resources::online_host_cpus());
  auto named = resources::host_cpus(list, online);
  if (!named) return std::unexpected(std::move(named.error()));
  return {};
}

Task<Status> Sandbox::bind_host_cpus() {
  CpuSet all;
  for (const auto& [id, container] : containers_) {
    if (container->state() == Container::State::kStopped) continue;
    // Checked when they came in.
    auto cpus = parse_cpu_list(container->spec().linux().resources().cpu().cpus());
    if (cpus) all.merge(*cpus);
  }
  if (!cgroups_ || all == bound_cpus_) co_return Status{};
  // Said before it is done: who comes meanwhile with other CPUs must not take them for the same.
  const CpuSet before = std::exchange(bound_cpus_, all);
  auto bound = co_await offload(pool_, [&] { return cgroups_->set_cpus(all); });
  if (!bound && bound_cpus_ == all) bound_cpus_ = before;
  co_return bound;
}

}  // namespace kata::runtime
