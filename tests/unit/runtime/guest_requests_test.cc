#include "runtime/guest_requests.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "runtime/phase_record.h"
#include "runtime/vm_config_builder.h"

namespace kata::runtime {
namespace {

TEST(GuestRequestsTest, SharedFolderAndShmGoToTheAgent) {
  config::Config config;
  grpc::Spec spec;
  spec.set_hostname(std::string(100, 'h'));
  auto* shm = spec.add_mounts();
  shm->set_destination("/dev/shm");
  shm->set_type("tmpfs");
  shm->add_options("size=128m");
  auto request = make_create_sandbox("sb1", spec, config);
  EXPECT_EQ(request.sandbox_id(), "sb1");
  EXPECT_EQ(request.hostname().size(), 64u);
  ASSERT_EQ(request.storages_size(), 2);
  EXPECT_EQ(request.storages(0).driver(), "virtio-fs");
  EXPECT_EQ(request.storages(0).source(), "kataShared");
  EXPECT_EQ(request.storages(0).fstype(), "virtiofs");
  EXPECT_EQ(request.storages(0).mount_point(), "/run/kata-containers/shared/containers/");
  EXPECT_EQ(request.storages(1).driver(), "ephemeral");
  EXPECT_EQ(request.storages(1).options(4), "size=134217728");
}

TEST(GuestRequestsTest, NinePHasItsOptions) {
  config::Config config;
  config.hypervisor.shared_fs = config::SharedFs::kVirtio9p;
  auto request = make_create_sandbox("sb1", {}, config);
  EXPECT_EQ(request.storages(0).driver(), "9p");
  EXPECT_EQ(request.storages(0).options(0), "trans=virtio,version=9p2000.L,cache=mmap");
  EXPECT_EQ(request.storages(0).options(2), "msize=8192");
}

TEST(GuestRequestsTest, ShmDefaultsTo64MiB) {
  EXPECT_EQ(shm_size({}), 64u << 20);
}

TEST(GuestRequestsTest, ResolvConfBecomesLines) {
  ASSERT_TRUE(write_file("/tmp/kata-resolv-test", "nameserver 10.0.0.1\n\nsearch a b\n"));
  grpc::Spec spec;
  auto* mount = spec.add_mounts();
  mount->set_destination("/etc/resolv.conf");
  mount->set_source("/tmp/kata-resolv-test");
  mount->set_type("bind");
  EXPECT_EQ(dns_lines(spec), (std::vector<std::string>{"nameserver 10.0.0.1", "search a b"}));
  ASSERT_TRUE(remove_file("/tmp/kata-resolv-test"));
}

TEST(GuestParametersTest, AgentOptionsBeforeTheAdministratorsWords) {
  config::Config config;
  config.agent.enable_debug = true;
  config.agent.debug_console_enabled = true;
  config.hypervisor.kernel_params = "  systemd.unified_cgroup_hierarchy=1  foo=bar";
  EXPECT_EQ(guest_parameters(config),
            (std::vector<std::string>{"agent.log=debug", "agent.hotplug_timeout=30",
                                      "agent.debug_console", "agent.debug_console_vport=1026",
                                      "systemd.unified_cgroup_hierarchy=1", "foo=bar"}));
}

TEST(PhaseRecordTest, NamesPhasesInOrder) {
  PhaseRecord record("sb1");
  record.begin("config");
  record.begin("kernel");
  record.note("accelerator", "tcg: \"no\" KVM\n");
  record.end();
  const std::string json = record.to_json();
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), 1) << "one line";
  EXPECT_LT(json.find("\"config\""), json.find("\"kernel\""));
  EXPECT_NE(json.find("\\\"no\\\" KVM\\n"), std::string::npos);
  EXPECT_TRUE(record.summary().starts_with("config "));
}

TEST(PhaseRecordTest, KeepsTheFirstAndTheLatestOfVeryMany) {
  PhaseRecord record("sb1");
  record.begin("kernel");
  for (int i = 0; i < 1000; ++i) record.begin("container-" + std::to_string(i));
  const std::string json = record.to_json();
  EXPECT_LT(json.size(), 10000u);
  for (const char* word :
       {"\"kernel\"", "\"container-0\"", "\"container-999\"", "\"left_out\":921"}) {
    EXPECT_NE(json.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(json.find("\"container-500\""), std::string::npos);
}

}  // namespace
}  // namespace kata::runtime
