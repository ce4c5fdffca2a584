#include "runtime/vm_resizer.h"

#include <algorithm>

#include "base/log.h"

namespace kata::runtime {

namespace {

// The guest keeps books about new memory in the memory that it has: 64 bytes for each 4 KiB, so a
// step of more than this times what is there would not fit.
constexpr uint64_t kMostGrowth = 48;

}  // namespace

bool VmResizer::fits() const {
  const auto can = vm_.capabilities();
  const bool cpus = wanted_.vcpus > now_.vcpus ? !can.hotplug_cpu
                                               : wanted_.vcpus == now_.vcpus || !can.unplug_cpu;
  return cpus && (wanted_.memory_mib <= now_.memory_mib || !can.hotplug_memory);
}

Task<Status> VmResizer::fit(VmSize wanted, AgentClient& agent) {
  wanted_ = {std::max(wanted.vcpus, boot_.vcpus), std::max(wanted.memory_mib, boot_.memory_mib)};
  while (changing_) co_await changing_->wait();
  if (fits()) co_return Status{};
  changing_.emplace(executor_);
  auto done = co_await resize(agent);
  changing_->set();
  changing_.reset();
  co_return done;
}

Task<Status> VmResizer::resize(AgentClient& agent) {
  CO_TRY_STATUS(in_step("memory", co_await resize_memory(agent)));
  co_return in_step("vCPUs", co_await resize_vcpus(agent));
}

Task<Status> VmResizer::resize_vcpus(AgentClient& agent) {
  const uint32_t before = now_.vcpus, wanted = wanted_.vcpus;
  if (wanted == before) co_return Status{};
  if (wanted < before && !vm_.capabilities().unplug_cpu) co_return Status{};
  if (wanted > before && !vm_.capabilities().hotplug_cpu) co_return Status{};
  auto changed = co_await vm_.resize_vcpus(wanted);
  if (!changed) {
    // A guest that does not let go of a CPU is not worth a failure.
    if (wanted > before) co_return std::unexpected(std::move(changed.error()));
    log::failure("a vCPU stays", changed.error());
    co_return Status{};
  }
  now_.vcpus = *changed;
  if (now_.vcpus <= before) co_return Status{};
  log::info("the VM has more vCPUs", {{"vcpus", std::to_string(now_.vcpus)}});
  co_return co_await agent.online(now_.vcpus - boot_.vcpus);
}

Task<Status> VmResizer::resize_memory(AgentClient& agent) {
  if (!vm_.capabilities().hotplug_memory) co_return Status{};
  while (now_.memory_mib < wanted_.memory_mib) {
    const uint64_t before = now_.memory_mib;
    const uint64_t step = std::min<uint64_t>(wanted_.memory_mib, before * kMostGrowth);
    auto size = co_await vm_.resize_memory(step);
    // Every slot is taken, or the ceiling is near.
    const bool full = size ? *size <= before : size.error().code() == Code::kResourceExhausted;
    if (full) {
      log::warn("the VM cannot get more memory",
                {{"mib", std::to_string(before)}, {"wanted", std::to_string(wanted_.memory_mib)}});
      co_return Status{};
    }
    if (!size) co_return std::unexpected(std::move(size.error()));
    now_.memory_mib = static_cast<uint32_t>(*size);
    log::info("the VM has more memory", {{"mib", std::to_string(*size)}});
    CO_TRY_STATUS(co_await agent.online(0));
  }
  co_return Status{};
}

}  // namespace kata::runtime
