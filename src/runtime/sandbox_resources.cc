// What the containers' limits mean for the VM: its size, and the host CPUs that it may use.
#include "resources/host_cpus.h"
#include "runtime/sandbox.h"
#include "runtime/sizing.h"

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

Result<VmSize> Sandbox::needed_size() const {
  std::vector<const grpc::LinuxResources*> limits;
  for (const auto& [id, container] : containers_) {
    if (container->state() == Container::State::kStopped) continue;
    limits.push_back(&container->spec().linux().resources());
  }
  return size_with(limits, request_.spec, config_.config.hypervisor);
}

Task<Status> Sandbox::grow_vm() {
  auto self = shared_from_this();
  if (!resizer_) co_return Status{};
  CO_TRY_STATUS(still_there());
  CO_TRY(VmSize needed, needed_size());
  const uint32_t before = resizer_->memory_mib();
  auto grown = co_await resizer_->grow(needed, *agent_);
  if (resizer_->memory_mib() > before) co_await resize_volumes();
  co_return in_step("size of the VM", std::move(grown));
}

void Sandbox::shrink_vm() {
  if (resizer_) spawn(executor_, shrink_vm_later(shared_from_this()));
}

Task<> Sandbox::shrink_vm_later(std::shared_ptr<Sandbox> self) {
  const auto needed = [self]() -> Result<VmSize> {
    TRY_STATUS(self->still_there());
    return self->needed_size();
  };
  co_await self->resizer_->shrink(needed);
}

}  // namespace kata::runtime
