// ttrpc and containerd messages against hand-encoded bytes. The AsObserved tests repeat recorded
// traffic (the bundle path is a stand-in of the recorded length).
#include "proto/wire_text.h"

#include "containerd/bootstrap.pb.h"
#include "containerd/cgroups_v1.pb.h"
#include "containerd/cgroups_v2.pb.h"
#include "containerd/events.pb.h"
#include "containerd/events_ttrpc.pb.h"
#include "containerd/runtime_info.pb.h"
#include "containerd/runtimeoptions.pb.h"
#include "containerd/sandbox.pb.h"
#include "containerd/task.pb.h"
#include "ttrpc/ttrpc.pb.h"

namespace {

namespace task = containerd::task::v2;
using kata::test::expect_golden;

TEST(TtrpcGolden, TaskCreateRequestAsObserved) {
  task::CreateTaskRequest create;
  create.set_id("tcon1");
  create.set_bundle("/run/containerd.tst/io.containerd.runtime.v2.task/default/tcon1");
  create.set_stdin("/run/containerd/fifo/1473967410/tcon1-stdin");
  create.set_stdout("/run/containerd/fifo/1473967410/tcon1-stdout");
  create.set_stderr("/run/containerd/fifo/1473967410/tcon1-stderr");
  create.mutable_options()->set_type_url("containerd.runc.v1.Options");
  ttrpc::Request request;
  request.set_service("containerd.task.v2.Task");
  request.set_method("Create");
  request.set_payload(create.SerializeAsString());
  EXPECT_EQ(request.ByteSizeLong(), 275U);
  expect_golden(request,
                "0a 17 'containerd.task.v2.Task' 12 06 'Create' 1a ef 01"
                "  0a 05 'tcon1'"
                "  12 3f '/run/containerd.tst/io.containerd.runtime.v2.task/default/tcon1'"
                "  2a 2b '/run/containerd/fifo/1473967410/tcon1-stdin'"
                "  32 2c '/run/containerd/fifo/1473967410/tcon1-stdout'"
                "  3a 2c '/run/containerd/fifo/1473967410/tcon1-stderr'"
                "  52 1c 0a 1a 'containerd.runc.v1.Options'");
}

TEST(TtrpcGolden, RepliesAsObserved) {
  task::CreateTaskResponse created;
  created.set_pid(13219);
  ttrpc::Response ok;
  ok.set_payload(created.SerializeAsString());
  expect_golden(ok, "12 03 08 a3 67");
  ttrpc::Response error;
  error.mutable_status()->set_code(5);
  error.mutable_status()->set_message("process already finished");
  expect_golden(error, "0a 1c 08 05 12 18 'process already finished'");
}

TEST(TtrpcGolden, TimeoutAndMetadata) {
  ttrpc::Request request;
  request.set_timeout_nano(2'000'000'000);
  auto& pair = *request.add_metadata();
  pair.set_key("k");
  pair.set_value("v");
  expect_golden(request, "20 80 a8 d6 b9 07 2a 06 0a 01 'k' 12 01 'v'");
}

TEST(TaskGolden, CreateWithRootfsAndConfigPath) {
  runtimeoptions::v1::Options options;
  options.set_config_path("/opt/kata/share/defaults/kata-containers/configuration-qemu.toml");
  task::CreateTaskRequest create;
  create.set_id("c1");
  create.set_bundle("/b");
  auto& mount = *create.add_rootfs();
  mount.set_type("overlay");
  mount.set_source("overlay");
  mount.add_options("index=off");
  create.set_terminal(true);
  create.mutable_options()->set_type_url("runtimeoptions.v1.Options");
  create.mutable_options()->set_value(options.SerializeAsString());
  expect_golden(create,
                "0a 02 'c1' 12 02 '/b' 1a 1d 0a 07 'overlay' 12 07 'overlay' 22 09 'index=off'"
                "20 01 52 5f 0a 19 'runtimeoptions.v1.Options' 12 42 12 40"
                "'/opt/kata/share/defaults/kata-containers/configuration-qemu.toml'");
}

TEST(TaskGolden, StateKillAndDelete) {
  task::StateResponse state;
  state.set_id("c1");
  state.set_pid(7);
  state.set_status(containerd::v1::types::RUNNING);
  state.mutable_exited_at()->set_seconds(-62135596800);
  state.set_exec_id("e");
  expect_golden(state, "0a 02 'c1' 18 07 20 02 52 0b 08 80 92 b8 c3 98 fe ff ff ff 01 5a 01 'e'");
  task::KillRequest kill;
  kill.set_id("c1");
  kill.set_signal(9);
  kill.set_all(true);
  expect_golden(kill, "0a 02 'c1' 18 09 20 01");
  task::DeleteResponse deleted;
  deleted.set_pid(13219);
  deleted.set_exit_status(137);
  deleted.mutable_exited_at()->set_seconds(1700000000);
  expect_golden(deleted, "08 a3 67 10 89 01 1a 06 08 80 e2 cf aa 06");
}

TEST(EventGolden, TaskExitInEnvelope) {
  containerd::events::TaskExit exit;
  exit.set_container_id("c1");
  exit.set_id("c1");
  exit.set_pid(13219);
  exit.set_exit_status(137);
  exit.mutable_exited_at()->set_seconds(1700000000);
  exit.mutable_exited_at()->set_nanos(5);
  containerd::services::events::ttrpc::v1::ForwardRequest forward;
  auto& envelope = *forward.mutable_envelope();
  *envelope.mutable_timestamp() = exit.exited_at();
  envelope.set_namespace_("k8s.io");
  envelope.set_topic("/tasks/exit");
  envelope.mutable_event()->set_type_url("containerd.events.TaskExit");
  envelope.mutable_event()->set_value(exit.SerializeAsString());
  expect_golden(forward,
                "0a 57 0a 08 08 80 e2 cf aa 06 10 05 12 06 'k8s.io' 1a 0b '/tasks/exit'"
                "  22 36 0a 1a 'containerd.events.TaskExit'"
                "        12 18 0a 02 'c1' 12 02 'c1' 18 a3 67 20 89 01"
                "              2a 08 08 80 e2 cf aa 06 10 05");
}

TEST(BootstrapGolden, Params) {
  containerd::runtime::bootstrap::v1::BootstrapParams params;
  params.set_instance_id("id");
  params.set_namespace_("ns");
  params.set_log_level(containerd::runtime::bootstrap::v1::TRACE);
  auto& any = *params.add_extensions()->mutable_value();
  any.set_type_url("T");
  any.set_value("V");
  params.set_socket_dir("/s");
  expect_golden(params,
                "0a 02 'id' 12 02 'ns' 18 f8 ff ff ff ff ff ff ff ff 01"
                "42 08 0a 06 0a 01 'T' 12 01 'V' 4a 02 '/s'");
}

TEST(BootstrapGolden, RuntimeInfo) {
  containerd::types::RuntimeInfo info;
  info.set_name("kata");
  info.mutable_version()->set_version("1");
  info.mutable_version()->set_revision("r");
  info.mutable_features()->set_type_url("F");
  (*info.mutable_annotations())["k"] = "v";
  expect_golden(info,
                "0a 04 'kata' 12 06 0a 01 '1' 12 01 'r' 22 03 0a 01 'F'"
                "2a 06 0a 01 'k' 12 01 'v'");
}

TEST(MetricsGolden, CgroupV1) {
  io::containerd::cgroups::v1::Metrics metrics;
  auto& cpu = *metrics.mutable_cpu()->mutable_usage();
  cpu.set_total(5);
  cpu.set_kernel(2);
  cpu.set_user(3);
  metrics.mutable_memory()->set_total_inactive_file(7);
  metrics.mutable_memory()->mutable_usage()->set_limit(100);
  metrics.mutable_memory()->mutable_usage()->set_usage(50);
  metrics.add_network()->set_name("eth0");
  expect_golden(metrics,
                "1a 08 0a 06 08 05 10 02 18 03 22 0a f0 01 07 8a 02 04 08 64 10 32"
                "3a 06 0a 04 'eth0'");
}

TEST(MetricsGolden, CgroupV2) {
  io::containerd::cgroups::v2::Metrics metrics;
  metrics.mutable_pids()->set_current(1);
  metrics.mutable_cpu()->set_usage_usec(7);
  metrics.mutable_cpu()->set_burst_usec(1);
  metrics.mutable_memory()->set_pgmajfault(3);
  metrics.mutable_memory()->set_usage(9);
  metrics.mutable_io()->add_usage()->set_wios(4);
  metrics.add_hugetlb()->set_pagesize("2MB");
  metrics.mutable_memory_events()->set_oom_kill(1);
  metrics.add_network()->set_name("eth0");
  expect_golden(metrics,
                "0a 02 08 01 12 04 08 07 48 01 22 06 98 01 03 80 02 09 32 04 0a 02 30 04"
                "3a 05 1a 03 '2MB' 42 02 28 01 4a 06 0a 04 'eth0'");
}

TEST(SandboxGolden, CreateAndStatus) {
  containerd::runtime::sandbox::v1::CreateSandboxRequest create;
  create.set_sandbox_id("s");
  create.set_bundle_path("/b");
  create.set_netns_path("/n");
  expect_golden(create, "0a 01 's' 12 02 '/b' 2a 02 '/n'");
  containerd::runtime::sandbox::v1::SandboxStatusResponse status;
  status.set_sandbox_id("s");
  status.set_pid(1);
  status.set_state("SANDBOX_READY");
  expect_golden(status, "0a 01 's' 10 01 1a 0d 'SANDBOX_READY'");
}

}  // namespace
