// Calls that go to the cgroup of a container: statistics, pause, update, OOM events.
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/rpc/harness.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

class Resources : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  static bool has_cgroups(Harness& harness) { return harness.agent().sandbox.cgroups() != nullptr; }
};

TEST_F(Resources, StatsCountTheProcesses) {
  Harness harness;
  if (!has_cgroups(harness)) GTEST_SKIP() << "no cgroups here";
  ASSERT_TRUE(harness.run_shell("c1", "sleep 100 & sleep 100"));
  harness.run_for(100ms);
  grpc::StatsContainerRequest request;
  request.set_container_id("c1");
  auto stats = harness.call<grpc::StatsContainerResponse>("StatsContainer", request);
  ASSERT_TRUE(stats) << stats.error().message();
  EXPECT_GE(stats->cgroup_stats().pids_stats().current(), 2u);
  EXPECT_GT(stats->cgroup_stats().memory_stats().usage().usage(), 0u);
}

TEST_F(Resources, PausedContainersDoNotRunUntilResumed) {
  Harness harness;
  if (!has_cgroups(harness)) GTEST_SKIP() << "no cgroups here";
  ASSERT_TRUE(harness.run_shell("c1", "read x; echo ran"));
  grpc::PauseContainerRequest pause;
  pause.set_container_id("c1");
  auto paused = harness.call_empty("PauseContainer", pause);
  ASSERT_TRUE(paused) << paused.error().message();
  grpc::WriteStreamRequest write;
  write.set_container_id("c1");
  write.set_data("\n");
  ASSERT_TRUE(harness.call<grpc::WriteStreamResponse>("WriteStdin", write));
  harness.run_for(200ms);
  auto process = harness.agent().sandbox.find("c1").value()->process("").value();
  EXPECT_FALSE(process->has_exited());
  grpc::ResumeContainerRequest resume;
  resume.set_container_id("c1");
  ASSERT_TRUE(harness.call_empty("ResumeContainer", resume));
  EXPECT_EQ(harness.read_all("c1", ""), "ran\n");
  EXPECT_EQ(harness.wait_exit("c1"), 0);
}

TEST_F(Resources, APausedContainerCanBeRemoved) {
  Harness harness;
  if (!has_cgroups(harness)) GTEST_SKIP() << "no cgroups here";
  ASSERT_TRUE(harness.run_shell("c1", "sleep 100"));
  grpc::PauseContainerRequest pause;
  pause.set_container_id("c1");
  ASSERT_TRUE(harness.call_empty("PauseContainer", pause));
  EXPECT_TRUE(harness.remove("c1"));
}

TEST_F(Resources, OomKillIsReportedAndTheCodeIs137) {
  Harness harness;
  if (!has_cgroups(harness)) GTEST_SKIP() << "no cgroups here";
  auto request = harness.shell("c1", "dd if=/dev/zero of=/dev/null bs=400M count=1; sleep 1");
  auto* memory = request.mutable_oci()->mutable_linux()->mutable_resources()->mutable_memory();
  constexpr int64_t kEnoughToStart = 256 << 20;  // for a sanitized agent's child too
  memory->set_limit(kEnoughToStart);
  memory->set_swap(kEnoughToStart);
  ASSERT_TRUE(harness.call_empty("CreateContainer", request));
  grpc::StartContainerRequest start;
  start.set_container_id("c1");
  ASSERT_TRUE(harness.call_empty("StartContainer", start));
  auto event = harness.call<grpc::OOMEvent>("GetOOMEvent", grpc::GetOOMEventRequest());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->container_id(), "c1");
}

TEST_F(Resources, UpdateChangesTheLimit) {
  Harness harness;
  if (!has_cgroups(harness)) GTEST_SKIP() << "no cgroups here";
  ASSERT_TRUE(harness.run_shell("c1", "sleep 100"));
  grpc::UpdateContainerRequest update;
  update.set_container_id("c1");
  update.mutable_resources()->mutable_memory()->set_limit(64 << 20);
  auto updated = harness.call_empty("UpdateContainer", update);
  ASSERT_TRUE(updated) << updated.error().message();
  grpc::StatsContainerRequest request;
  request.set_container_id("c1");
  auto stats = harness.call<grpc::StatsContainerResponse>("StatsContainer", request);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->cgroup_stats().memory_stats().usage().limit(), 64u << 20);
}

TEST_F(Resources, TerminationMessageOfTheRootIsReadInsideIt) {
  Harness harness;
  auto request = harness.shell("c1", "echo why > /tmp/log; ln -s /etc/shadow /tmp/evil; sleep 100");
  (*request.mutable_oci()
        ->mutable_annotations())["io.kubernetes.container.terminationMessagePath"] = "/tmp/log";
  ASSERT_TRUE(harness.call_empty("CreateContainer", request));
  grpc::StartContainerRequest start;
  start.set_container_id("c1");
  ASSERT_TRUE(harness.call_empty("StartContainer", start));
  harness.run_for(200ms);
  grpc::GetDiagnosticDataRequest ask;
  ask.set_container_id("c1");
  ask.set_log_type("termination_log");
  auto data = harness.call<grpc::GetDiagnosticDataResponse>("GetDiagnosticData", ask);
  ASSERT_TRUE(data) << data.error().message();
  EXPECT_EQ(data->data(), "why\n");
  ask.set_log_type("other");
  EXPECT_FALSE(harness.call<grpc::GetDiagnosticDataResponse>("GetDiagnosticData", ask));
}

}  // namespace
}  // namespace kata::agent::test
