#include "runtime/vm_resizer.h"

#include <algorithm>

#include "base/log.h"

namespace kata::runtime {

namespace {

// The guest keeps books about new memory in the memory that it has: 64 bytes for each 4 KiB. With
// this much in one step they take a quarter of it.
constexpr uint64_t kMostGrowth = 16;

}  // namespace

bool VmResizer::has_to_grow_to(const VmSize& wanted) const {
  const auto can = vm_.capabilities();
  return vcpus_to_place_ || (wanted.vcpus > vm_.vcpus() && can.hotplug_cpu) ||
         (wanted.memory_mib > memory_mib_ && can.hotplug_memory && !memory_full_);
}

Task<Status> VmResizer::grow(VmSize wanted, AgentClient& agent) {
  // A VM that is large enough keeps nobody waiting for somebody else's growth.
  if (!shrinking_ && !has_to_grow_to(wanted)) co_return Status{};
  const auto turn = co_await turn_.lock();
  if (!has_to_grow_to(wanted)) co_return Status{};
  CO_TRY_STATUS(in_step("memory", co_await grow_memory(wanted.memory_mib, agent)));
  co_return in_step("vCPUs", co_await grow_vcpus(wanted.vcpus, agent));
}

Task<Status> VmResizer::grow_vcpus(uint32_t wanted, AgentClient& agent) {
  const uint32_t before = vm_.vcpus();
  uint32_t now = before;
  if (wanted > before && vm_.capabilities().hotplug_cpu) {
    CO_TRY(now, co_await vm_.resize_vcpus(wanted));
  }
  if (now > before) {
    vcpus_to_place_ = true;
    log::info("the VM has more vCPUs", {{"vcpus", std::to_string(now)}});
  }
  if (!vcpus_to_place_) co_return Status{};
  CO_TRY_STATUS(in_step("control groups", co_await on_vcpus_()));
  vcpus_to_place_ = false;
  // A guest that is late brings them online when they show up.
  auto online = co_await agent.online(now);
  if (!online) log::failure("the guest does not use all its vCPUs yet", online.error());
  co_return Status{};
}

Task<Status> VmResizer::grow_memory(uint32_t wanted, AgentClient& agent) {
  if (!vm_.capabilities().hotplug_memory) co_return Status{};
  while (memory_mib_ < wanted && !memory_full_) {
    const uint64_t before = memory_mib_;
    auto size = co_await vm_.resize_memory(std::min<uint64_t>(wanted, before * kMostGrowth));
    // Every slot is taken, or the ceiling is near.
    memory_full_ = size ? *size <= before : size.error().code() == Code::kResourceExhausted;
    if (memory_full_) {
      log::warn("the VM cannot get more memory",
                {{"mib", std::to_string(before)}, {"wanted", std::to_string(wanted)}});
      co_return Status{};
    }
    if (!size) co_return std::unexpected(std::move(size.error()));
    memory_mib_ = static_cast<uint32_t>(*size);
    log::info("the VM has more memory", {{"mib", std::to_string(*size)}});
    auto online = co_await agent.online(0);
    if (!online) log::failure("the guest does not use all its memory yet", online.error());
  }
  co_return Status{};
}

Task<> VmResizer::shrink(std::function<Result<VmSize>()> needed) {
  const auto turn = co_await turn_.lock();
  // Asked now: while this waited for its turn a container may have come.
  const auto size = needed();
  if (!size || !vm_.capabilities().unplug_cpu) co_return;
  const uint32_t least = std::max(size->vcpus, boot_.vcpus);
  if (vm_.vcpus() <= least) co_return;
  shrinking_ = true;
  auto left = co_await vm_.resize_vcpus(least);
  shrinking_ = false;
  if (!left) log::failure("vCPUs cannot be taken away", left.error());
}

}  // namespace kata::runtime
