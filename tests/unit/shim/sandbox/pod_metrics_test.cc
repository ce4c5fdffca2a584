#include "shim/sandbox/pod_metrics.h"

#include <gtest/gtest.h>

namespace kata::shim {
namespace {

grpc::StatsContainerResponse container(uint64_t amount) {
  grpc::StatsContainerResponse counters;
  auto* cgroup = counters.mutable_cgroup_stats();
  cgroup->mutable_cpu_stats()->mutable_cpu_usage()->set_total_usage(amount);
  cgroup->mutable_cpu_stats()->mutable_throttling_data()->set_periods(amount + 1);
  auto* memory = cgroup->mutable_memory_stats();
  memory->mutable_usage()->set_usage(amount + 2);
  memory->mutable_usage()->set_limit(1 << 30);
  (*memory->mutable_stats())["inactive_file"] = amount + 3;
  (*memory->mutable_stats())["hierarchical_memory_limit"] = 1 << 30;
  cgroup->mutable_pids_stats()->set_current(amount + 4);
  counters.add_network_stats()->set_rx_bytes(77);
  return counters;
}

TEST(PodMetrics, AreTheSumOfTheContainers) {
  grpc::StatsContainerResponse pod;
  add_to_pod(container(10), &pod);
  add_to_pod(container(20), &pod);
  const auto& cgroup = pod.cgroup_stats();
  EXPECT_EQ(cgroup.cpu_stats().cpu_usage().total_usage(), 30U);
  EXPECT_EQ(cgroup.cpu_stats().throttling_data().periods(), 32U);
  EXPECT_EQ(cgroup.memory_stats().usage().usage(), 34U);
  EXPECT_EQ(cgroup.memory_stats().usage().limit(), 0U);
  EXPECT_EQ(cgroup.memory_stats().stats().at("inactive_file"), 36U);
  EXPECT_FALSE(cgroup.memory_stats().stats().contains("hierarchical_memory_limit"));
  EXPECT_EQ(cgroup.pids_stats().current(), 38U);
  ASSERT_EQ(pod.network_stats_size(), 1) << "the interfaces are the pod's";
  EXPECT_EQ(pod.network_stats(0).rx_bytes(), 77U);
}

}  // namespace
}  // namespace kata::shim
