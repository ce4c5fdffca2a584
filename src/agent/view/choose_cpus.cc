#include "agent/view/choose_cpus.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace kata::agent {

uint32_t cpus_of_limit(const grpc::LinuxCPU& cpu) {
  constexpr uint64_t kUsualPeriod = 100'000;
  if (cpu.quota() <= 0) return 0;
  const uint64_t period = cpu.period() > 0 ? cpu.period() : kUsualPeriod;
  const uint64_t quota = static_cast<uint64_t>(cpu.quota());
  const uint64_t count = quota / period + (quota % period ? 1 : 0);
  return static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX));
}

CpuSet choose_cpus(uint32_t count, const CpuSet& online, const CpuSet& had,
                   const std::map<uint32_t, uint32_t>& taken) {
  if (count >= online.size()) return online;
  using Rank = std::tuple<bool, uint32_t, uint32_t>;  // the smallest comes first
  std::vector<Rank> ranks;
  for (uint32_t cpu : online) {
    auto others = taken.find(cpu);
    ranks.emplace_back(!had.contains(cpu), others == taken.end() ? 0 : others->second, cpu);
  }
  std::ranges::sort(ranks);
  CpuSet chosen;
  for (uint32_t i = 0; i < count; ++i) chosen.insert(std::get<2>(ranks[i]));
  return chosen;
}

}  // namespace kata::agent
