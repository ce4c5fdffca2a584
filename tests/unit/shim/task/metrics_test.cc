#include "shim/task/metrics.h"

#include <gtest/gtest.h>

#include <limits>

#include "containerd/cgroups_v1.pb.h"
#include "containerd/cgroups_v2.pb.h"

namespace kata::shim {
namespace {

namespace v1 = io::containerd::cgroups::v1;
namespace v2 = io::containerd::cgroups::v2;

// As a guest on cgroup v2 reports it.
grpc::StatsContainerResponse sample() {
  grpc::StatsContainerResponse counters;
  auto* cgroup = counters.mutable_cgroup_stats();
  auto* usage = cgroup->mutable_cpu_stats()->mutable_cpu_usage();
  usage->set_total_usage(9'000'000);
  usage->set_usage_in_usermode(7'000'000);
  usage->set_usage_in_kernelmode(2'000'000);
  cgroup->mutable_pids_stats()->set_current(3);
  auto* memory = cgroup->mutable_memory_stats();
  memory->mutable_usage()->set_usage(1000);
  memory->mutable_usage()->set_limit(5000);
  (*memory->mutable_stats())["anon"] = 11;
  (*memory->mutable_stats())["inactive_file"] = 22;
  auto* read = cgroup->mutable_blkio_stats()->add_io_service_bytes_recursive();
  read->set_major(8);
  read->set_op("Read");
  read->set_value(77);
  counters.add_network_stats()->set_rx_bytes(5);
  return counters;
}

TEST(Metrics, V1KeepsUserAndSystemTimeApart) {
  auto any = metrics_v1(sample());
  EXPECT_EQ(any.type_url(), "io.containerd.cgroups.v1.Metrics");
  v1::Metrics metrics;
  ASSERT_TRUE(metrics.ParseFromString(any.value()));
  EXPECT_EQ(metrics.cpu().usage().total(), 9'000'000u);
  EXPECT_EQ(metrics.cpu().usage().user(), 7'000'000u);
  EXPECT_EQ(metrics.cpu().usage().kernel(), 2'000'000u);
  EXPECT_EQ(metrics.memory().usage().usage(), 1000u);
  EXPECT_EQ(metrics.memory().total_rss(), 11u);
  EXPECT_EQ(metrics.memory().total_inactive_file(), 22u);
  EXPECT_EQ(metrics.pids().current(), 3u);
  EXPECT_EQ(metrics.blkio().io_service_bytes_recursive(0).value(), 77u);
  EXPECT_EQ(metrics.network(0).rx_bytes(), 5u);
}

// CRI-O reads these without asking whether they are there.
TEST(Metrics, EveryPartIsThereWhateverTheGuestTells) {
  v1::Metrics old;
  ASSERT_TRUE(old.ParseFromString(metrics_v1({}).value()));
  EXPECT_TRUE(old.has_pids() && old.cpu().has_usage() && old.cpu().has_throttling());
  EXPECT_TRUE(old.memory().has_usage() && old.memory().has_swap());
  EXPECT_TRUE(old.memory().has_kernel() && old.memory().has_kernel_tcp());
  v2::Metrics unified;
  ASSERT_TRUE(unified.ParseFromString(metrics_v2({}).value()));
  EXPECT_TRUE(unified.has_pids() && unified.has_cpu() && unified.has_memory());
}

TEST(Metrics, V2CountsMicroseconds) {
  auto any = metrics_v2(sample());
  EXPECT_EQ(any.type_url(), "io.containerd.cgroups.v2.Metrics");
  v2::Metrics metrics;
  ASSERT_TRUE(metrics.ParseFromString(any.value()));
  EXPECT_EQ(metrics.cpu().usage_usec(), 9000u);
  EXPECT_EQ(metrics.cpu().user_usec(), 7000u);
  EXPECT_EQ(metrics.cpu().system_usec(), 2000u);
  EXPECT_EQ(metrics.memory().usage(), 1000u);
  EXPECT_EQ(metrics.memory().usage_limit(), 5000u);
  EXPECT_EQ(metrics.memory().anon(), 11u);
  EXPECT_EQ(metrics.memory().inactive_file(), 22u);
  EXPECT_EQ(metrics.io().usage(0).rbytes(), 77u);
}

TEST(Metrics, PressureOfTheGuest) {
  auto counters = sample();
  auto* some = counters.mutable_cgroup_stats()->mutable_cpu_pressure()->mutable_some();
  some->set_avg10(12.5);
  some->set_avg60(std::numeric_limits<double>::quiet_NaN());
  some->set_avg300(1e300);
  some->set_total(77);
  v2::Metrics metrics;
  ASSERT_TRUE(metrics.ParseFromString(metrics_v2(counters).value()));
  EXPECT_EQ(metrics.cpu().psi().some().avg10(), 12.5);
  EXPECT_EQ(metrics.cpu().psi().some().avg60(), 0);
  EXPECT_EQ(metrics.cpu().psi().some().avg300(), 0);
  EXPECT_EQ(metrics.cpu().psi().some().total(), 77u);
  EXPECT_FALSE(metrics.cpu().psi().has_full());
  EXPECT_FALSE(metrics.memory().has_psi());
}

TEST(Metrics, AnEmptyReplyStillHasCpuAndMemoryUsage) {
  v1::Metrics one;
  ASSERT_TRUE(one.ParseFromString(metrics_v1({}).value()));
  EXPECT_TRUE(one.cpu().has_usage());
  EXPECT_TRUE(one.memory().has_usage());
  v2::Metrics two;
  ASSERT_TRUE(two.ParseFromString(metrics_v2({}).value()));
  EXPECT_TRUE(two.has_cpu());
  EXPECT_TRUE(two.has_memory());
}

}  // namespace
}  // namespace kata::shim
