// Agent messages against bytes encoded by hand from the wire tables.
#include "proto/wire_text.h"

#include "agent/agent.pb.h"
#include "agent/health.pb.h"

namespace {

using kata::test::expect_golden;

void fill_storage(grpc::Storage& storage) {
  storage.set_driver("virtio-fs");
  storage.add_driver_options("k=v");
  storage.set_source("kataShared");
  storage.set_fstype("virtiofs");
  storage.add_options("dax");
  storage.set_mount_point("/mnt");
  storage.mutable_fs_group()->set_group_id(1000);
  storage.mutable_fs_group()->set_group_change_policy(types::OnRootMismatch);
  storage.set_shared(true);
}

void fill_process(grpc::Process& process) {
  process.set_terminal(true);
  process.mutable_user()->set_uid(1);
  process.mutable_user()->set_gid(2);
  process.add_args("sh");
  process.set_cwd("/");
  process.set_oomscoreadj(-998);
}

void fill_resources(grpc::LinuxResources& resources) {
  auto& device = *resources.add_devices();
  device.set_allow(true);
  device.set_type("c");
  device.set_major(1);
  device.set_access("r");
  resources.mutable_memory()->set_limit(65536);
  resources.mutable_cpu()->set_shares(1024);
  resources.mutable_cpu()->set_quota(-1);
}

void fill_seccomp(grpc::LinuxSeccomp& seccomp) {
  seccomp.set_defaultaction("SCMP_ACT_LOG");
  auto& call = *seccomp.add_syscalls();
  call.add_names("read");
  call.set_action("SCMP_ACT_ERRNO");
  call.set_errnoret(0);
  auto& arg = *call.add_args();
  arg.set_index(1);
  arg.set_value(2);
  arg.set_valuetwo(3);
  arg.set_op("SCMP_CMP_EQ");
}

void fill_linux(grpc::Linux& linux_section) {
  (*linux_section.mutable_sysctl())["a"] = "b";
  fill_resources(*linux_section.mutable_resources());
  linux_section.set_cgroupspath("/x");
  linux_section.add_namespaces()->set_type("pid");
  auto& device = *linux_section.add_devices();
  device.set_path("/dev/t");
  device.set_type("c");
  device.set_major(5);
  device.set_minor(1);
  device.set_filemode(0666);
  fill_seccomp(*linux_section.mutable_seccomp());
}

void fill_spec(grpc::Spec& spec) {
  spec.set_version("1.0.2");
  fill_process(*spec.mutable_process());
  spec.mutable_root()->set_path("/");
  spec.mutable_root()->set_readonly(true);
  spec.set_hostname("h");
  auto& mount = *spec.add_mounts();
  mount.set_destination("/proc");
  mount.set_source("proc");
  mount.set_type("proc");
  mount.add_options("ro");
  (*spec.mutable_annotations())["k"] = "v";
  fill_linux(*spec.mutable_linux());
}

TEST(AgentGolden, CreateContainer) {
  grpc::CreateContainerRequest request;
  request.set_container_id("c1");
  request.set_exec_id("c1");
  auto& device = *request.add_devices();
  device.set_id("02/01");
  device.set_type("blk");
  device.set_container_path("/dev/sda");
  device.add_options("a=b");
  fill_storage(*request.add_storages());
  fill_spec(*request.mutable_oci());
  request.set_sandbox_pidns(true);
  auto& shared = *request.add_shared_mounts();
  shared.set_name("n");
  shared.set_src_ctr("s");
  shared.set_src_path("/s");
  shared.set_dst_ctr("d");
  shared.set_dst_path("/d");
  request.set_stdin_port(1);
  request.set_stdout_port(2);
  request.set_stderr_port(3);
  expect_golden(request,
                "0a 02 'c1' 12 02 'c1'"
                "22 1b 0a 05 '02/01' 12 03 'blk' 22 08 '/dev/sda' 2a 03 'a=b'"
                "2a 3a 0a 09 'virtio-fs' 12 03 'k=v' 1a 0a 'kataShared' 22 08 'virtiofs'"
                "      2a 03 'dax' 32 04 '/mnt' 3a 05 10 e8 07 18 01 40 01"
                "32 db 01"
                "  0a 05 '1.0.2'"
                "  12 1a 08 01 1a 04 08 01 10 02 22 02 'sh' 32 01 '/'"
                "        58 9a f8 ff ff ff ff ff ff ff 01"
                "  1a 05 0a 01 '/' 10 01"
                "  22 01 'h'"
                "  2a 17 0a 05 '/proc' 12 04 'proc' 1a 04 'proc' 22 02 'ro'"
                "  3a 06 0a 01 'k' 12 01 'v'"
                "  42 8a 01"
                "    1a 06 0a 01 'a' 12 01 'b'"
                "    22 22 0a 0a 08 01 12 01 'c' 18 01 2a 01 'r'"
                "          12 04 08 80 80 04"
                "          1a 0e 08 80 08 10 ff ff ff ff ff ff ff ff ff 01"
                "    2a 02 '/x'"
                "    32 05 0a 03 'pid'"
                "    3a 12 0a 06 '/dev/t' 12 01 'c' 18 05 20 01 28 b6 03"
                "    42 3d 0a 0c 'SCMP_ACT_LOG'"
                "          22 2d 0a 04 'read' 12 0e 'SCMP_ACT_ERRNO' 18 00"
                "                22 13 08 01 10 02 18 03 22 0b 'SCMP_CMP_EQ'"
                "38 01"
                "42 11 0a 01 'n' 12 01 's' 1a 02 '/s' 22 01 'd' 2a 02 '/d'"
                "48 01 50 02 58 03");
}

TEST(AgentGolden, CreateSandbox) {
  grpc::CreateSandboxRequest request;
  request.set_hostname("pod");
  request.add_dns("a");
  request.add_dns("b");
  request.add_storages()->set_driver("ephemeral");
  request.set_sandbox_pidns(true);
  request.set_sandbox_id("s1");
  request.set_guest_hook_path("/h");
  auto& module = *request.add_kernel_modules();
  module.set_name("m");
  module.add_parameters("x=1");
  expect_golden(request,
                "0a 03 'pod' 12 01 'a' 12 01 'b' 1a 0b 0a 09 'ephemeral' 20 01 2a 02 's1'"
                "32 02 '/h' 3a 08 0a 01 'm' 12 03 'x=1'");
}

TEST(AgentGolden, StreamsAndWait) {
  grpc::ReadStreamResponse read;
  expect_golden(read, "");
  read.set_data("abc");
  expect_golden(read, "0a 03 'abc'");
  grpc::ReadStreamRequest ask;
  ask.set_container_id("c1");
  ask.set_exec_id("e");
  ask.set_len(32768);
  expect_golden(ask, "0a 02 'c1' 12 01 'e' 18 80 80 02");
  grpc::TtyWinResizeRequest resize;
  resize.set_row(24);
  resize.set_column(80);
  expect_golden(resize, "18 18 20 50");
  grpc::WaitProcessResponse wait;
  wait.set_status(137);
  expect_golden(wait, "08 89 01");
  wait.set_status(-1);
  expect_golden(wait, "08 ff ff ff ff ff ff ff ff ff 01");
}

TEST(AgentGolden, CopyFile) {
  grpc::CopyFileRequest request;
  request.set_path("/f");
  request.set_file_size(1 << 20);
  request.set_file_mode(0100644);
  request.set_dir_mode(0755);
  request.set_uid(1000);
  request.set_gid(-1);
  request.set_offset(5);
  request.set_data("hi");
  expect_golden(request,
                "0a 02 '/f' 10 80 80 40 18 a4 83 02 20 ed 03 28 e8 07"
                "30 ff ff ff ff ff ff ff ff ff 01 38 05 42 02 'hi'");
}

TEST(AgentGolden, FirstFieldIsNumberTwo) {
  grpc::ReseedRandomDevRequest reseed;
  reseed.set_data("xy");
  expect_golden(reseed, "12 02 'xy'");
  grpc::FSGroup group;
  group.set_group_id(1000);
  group.set_group_change_policy(types::OnRootMismatch);
  expect_golden(group, "10 e8 07 18 01");
}

TEST(AgentGolden, GuestDetailsAndHealth) {
  grpc::GuestDetailsResponse details;
  details.set_mem_block_size_bytes(128);
  auto& agent = *details.mutable_agent_details();
  agent.set_version("1");
  agent.set_init_daemon(true);
  agent.add_storage_handlers("blk");
  agent.set_supports_seccomp(true);
  agent.add_extra_features("seccomp");
  details.set_support_mem_hotplug_probe(true);
  expect_golden(details, "08 80 01 12 15 0a 01 '1' 10 01 22 03 'blk' 28 01 32 07 'seccomp' 18 01");
  grpc::HealthCheckResponse health;
  health.set_status(grpc::HealthCheckResponse::SERVING);
  expect_golden(health, "08 01");
  grpc::VersionCheckResponse version;
  version.set_grpc_version("0.0.1");
  version.set_agent_version("4.1.0");
  expect_golden(version, "0a 05 '0.0.1' 12 05 '4.1.0'");
}

TEST(AgentGolden, OptionalKeepsAnExplicitZero) {
  grpc::LinuxMemory memory;
  expect_golden(memory, "");
  memory.set_swap(0);
  memory.set_swappiness(0);
  expect_golden(memory, "18 00 30 00");
  grpc::MemAgentMemcgConfig memcg;
  memcg.set_disabled(false);
  memcg.set_period_secs(0);
  expect_golden(memcg, "08 00 20 00");
}

TEST(AgentGolden, OurExtensionsStartAtThousand) {
  grpc::Spec spec;
  spec.set_domainname("d");
  expect_golden(spec, "c2 3e 01 'd'");
  grpc::LinuxSeccomp seccomp;
  seccomp.set_defaulterrnoret(0);
  expect_golden(seccomp, "c0 3e 00");
  grpc::Process process;
  process.set_oomscoreadjset(true);
  expect_golden(process, "d0 3e 01");
}

}  // namespace
