#include "shim/sandbox/pod_request.h"

#include "cri/pod.pb.h"
#include "oci/annotations.h"
#include "runtime/sizing.h"
#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

namespace cri = ::runtime::v1;

class PodRequestTest : public ::testing::Test {
 protected:
  PodRequestTest() {
    create_.set_sandbox_id("pod1");
    create_.set_bundle_path(bundle_.path());
    create_.set_netns_path("/run/netns/cni-1");
    pod_.set_hostname("web-0");
    pod_.mutable_metadata()->set_name("web");
    pod_.mutable_metadata()->set_uid("u-1");
    pod_.mutable_metadata()->set_namespace_("prod");
    pod_.mutable_linux()->set_cgroup_parent("/kubepods/podu-1");
  }

  Result<runtime::SandboxRequest> request() {
    create_.mutable_options()->set_type_url(type_);
    create_.mutable_options()->set_value(pod_.SerializeAsString());
    return pod_request(create_);
  }
  cri::NamespaceOption* namespaces() {
    return pod_.mutable_linux()->mutable_security_context()->mutable_namespace_options();
  }

  void set_user_namespace(cri::NamespaceMode mode, uint32_t first_id) {
    cri::UserNamespace* options = namespaces()->mutable_userns_options();
    options->Clear();
    options->set_mode(mode);
    for (auto* maps : {options->mutable_uids(), options->mutable_gids()}) {
      cri::IDMapping* map = maps->Add();
      map->set_container_id(first_id);
      map->set_host_id(100000);
      map->set_length(65536);
    }
  }

  TempDir bundle_;
  std::string type_ = "runtime.v1.PodSandboxConfig";
  containerd::runtime::sandbox::v1::CreateSandboxRequest create_;
  cri::PodSandboxConfig pod_;
};

TEST_F(PodRequestTest, HasWhatAPauseContainerWouldHaveHad) {
  pod_.mutable_linux()->mutable_resources()->set_cpu_quota(150000);
  pod_.mutable_linux()->mutable_resources()->set_cpu_period(100000);
  pod_.mutable_linux()->mutable_resources()->set_memory_limit_in_bytes(128 << 20);
  auto wanted = request();
  ASSERT_TRUE(wanted) << wanted.error().message();
  EXPECT_EQ(wanted->id, "pod1");
  EXPECT_EQ(wanted->bundle, bundle_.path());
  EXPECT_EQ(*oci::container_type(wanted->spec), oci::ContainerType::kPodSandbox);
  EXPECT_EQ(wanted->spec.hostname(), "web-0");
  EXPECT_EQ(wanted->spec.linux().cgroupspath(), "/kubepods/podu-1/pod1");
  ASSERT_EQ(wanted->spec.linux().namespaces_size(), 1);
  EXPECT_EQ(wanted->spec.linux().namespaces(0).path(), "/run/netns/cni-1");
  auto note = [&](const char* key) { return oci::annotation(wanted->spec, key); };
  EXPECT_EQ(note("io.kubernetes.cri.sandbox-name"), "web");
  EXPECT_EQ(note("io.kubernetes.cri.sandbox-uid"), "u-1");
  EXPECT_EQ(note("io.kubernetes.cri.sandbox-cpu-quota"), "150000");
  EXPECT_EQ(note("io.kubernetes.cri.sandbox-memory"), "134217728");
  config::HypervisorConfig config;
  config.default_memory = 256;
  auto size = runtime::boot_size(wanted->spec, config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->memory_mib, 384U) << "sized before it boots";
}

TEST_F(PodRequestTest, FilesOfThePod) {
  pod_.mutable_dns_config()->add_servers("10.0.0.10");
  pod_.mutable_dns_config()->add_servers("10.0.0.11");
  pod_.mutable_dns_config()->add_searches("svc.local");
  pod_.mutable_dns_config()->add_searches("local");
  pod_.mutable_dns_config()->add_options("ndots:5");
  auto wanted = request();
  ASSERT_TRUE(wanted && wanted->pod);
  EXPECT_EQ(
      wanted->pod->files["/etc/resolv.conf"],
      "search svc.local local\nnameserver 10.0.0.10\nnameserver 10.0.0.11\noptions ndots:5\n");
  EXPECT_EQ(wanted->pod->files["/etc/hostname"], "web-0\n");
  EXPECT_EQ(wanted->pod->files["/etc/hosts"], *read_file("/etc/hosts"));
  pod_.mutable_dns_config()->Clear();
  EXPECT_EQ(request()->pod->files["/etc/resolv.conf"], "") << "a pod that wants no DNS";
  pod_.clear_dns_config();
  auto host = read_file("/etc/resolv.conf");
  EXPECT_EQ(request()->pod->files["/etc/resolv.conf"], host ? *host : "");
}

TEST_F(PodRequestTest, SettingsOfThePod) {
  (*pod_.mutable_linux()->mutable_sysctls())["net.ipv4.ip_unprivileged_port_start"] = "80";
  namespaces()->set_pid(cri::CONTAINER);
  auto wanted = request();
  ASSERT_TRUE(wanted && wanted->pod);
  EXPECT_FALSE(wanted->pod->shares_pids);
  EXPECT_EQ(wanted->pod->sysctls["net.ipv4.ip_unprivileged_port_start"], "80");
  EXPECT_EQ(wanted->pod->sysctls["net.ipv4.ping_group_range"], "0 2147483647");
  namespaces()->set_pid(cri::POD);
  set_user_namespace(cri::POD, 0);
  wanted = request();
  EXPECT_TRUE(wanted->pod->shares_pids);
  EXPECT_FALSE(wanted->pod->sysctls.contains("net.ipv4.ping_group_range"));
}

TEST_F(PodRequestTest, AUserNamespaceIsThePodsAndHasARoot) {
  set_user_namespace(cri::POD, 0);
  EXPECT_TRUE(request());
  namespaces()->mutable_userns_options()->clear_gids();
  EXPECT_EQ(request().error().code(), Code::kInvalidArgument);
  set_user_namespace(cri::POD, 1);
  ASSERT_FALSE(request());
  EXPECT_NE(request().error().message().find("id 0 is not mapped"), std::string::npos);
  for (cri::NamespaceMode mode : {cri::CONTAINER, cri::TARGET}) {
    set_user_namespace(mode, 0);
    ASSERT_FALSE(request());
    EXPECT_NE(request().error().message().find(cri::NamespaceMode_Name(mode)), std::string::npos);
  }
  set_user_namespace(cri::NODE, 1);  // the maps of nobody
  EXPECT_TRUE(request());
}

TEST_F(PodRequestTest, OnlyKatasAnnotationsAreTakenFromThePod) {
  auto& notes = *pod_.mutable_annotations();
  notes["io.katacontainers.config.hypervisor.default_vcpus"] = "2";
  notes["io.katacontainers.config.runtime.disable_new_netns"] = "true";  // no gate of ours
  notes["io.kubernetes.cri.container-type"] = "container";
  notes["io.kubernetes.cri.sandbox-memory"] = "1";
  notes["example.com/note"] = "x";
  (*create_.mutable_annotations())["io.katacontainers.config.agent.resource_view"] = "false";
  auto wanted = request();
  ASSERT_TRUE(wanted);
  auto note = [&](const char* key) { return oci::annotation(wanted->spec, key); };
  EXPECT_EQ(note("io.katacontainers.config.hypervisor.default_vcpus"), "2");
  EXPECT_EQ(note("io.katacontainers.config.runtime.disable_new_netns"), "");
  EXPECT_EQ(note("io.katacontainers.config.agent.resource_view"), "false");
  EXPECT_EQ(note("io.kubernetes.cri.container-type"), "sandbox");
  EXPECT_EQ(note("io.kubernetes.cri.sandbox-memory"), "");
  EXPECT_EQ(note("example.com/note"), "");
}

TEST_F(PodRequestTest, CgroupOfASystemdKubelet) {
  pod_.mutable_linux()->set_cgroup_parent("/kubepods.slice/kubepods-podu1.slice");
  EXPECT_EQ(request()->spec.linux().cgroupspath(), "kubepods-podu1.slice:cri-containerd:pod1");
  pod_.mutable_linux()->clear_cgroup_parent();
  EXPECT_EQ(request()->spec.linux().cgroupspath(), "");
}

TEST_F(PodRequestTest, NetworksByWhoAsks) {
  create_.clear_netns_path();
  namespaces()->set_network(cri::NODE);
  EXPECT_EQ(request()->spec.linux().namespaces_size(), 0) << "the host's: refused at the start";
  namespaces()->set_network(cri::POD);
  auto wanted = request();
  ASSERT_EQ(wanted->spec.linux().namespaces_size(), 1);
  EXPECT_EQ(wanted->spec.linux().namespaces(0).path(), "") << "a new one";
}

TEST_F(PodRequestTest, AClientWithoutPodsMayBringASpec) {
  ASSERT_TRUE(write_file(bundle_ / "config.json",
                         R"({"hostname":"box","mounts":[{"destination":"/x","source":"/y"}],)"
                         R"("annotations":{"io.katacontainers.config.runtime.x":"1"},)"
                         R"("linux":{"namespaces":[{"type":"network","path":"/run/netns/a"}]}})"));
  create_.clear_netns_path();
  auto wanted = pod_request(create_);
  ASSERT_TRUE(wanted) << wanted.error().message();
  EXPECT_FALSE(wanted->pod);
  EXPECT_EQ(wanted->spec.hostname(), "box");
  EXPECT_EQ(wanted->spec.mounts_size(), 0);
  EXPECT_EQ(wanted->spec.linux().namespaces(0).path(), "/run/netns/a");
  EXPECT_EQ(oci::annotation(wanted->spec, "io.katacontainers.config.runtime.x"), "1");
}

TEST_F(PodRequestTest, WhatCannotBeUnderstoodIsNamed) {
  type_ = "containerd.runc.v1.Options";
  auto wanted = request();
  ASSERT_FALSE(wanted);
  EXPECT_EQ(wanted.error().code(), Code::kInvalidArgument);
  EXPECT_NE(wanted.error().message().find("containerd.runc.v1.Options"), std::string::npos);
  create_.mutable_options()->set_type_url("runtime.v1.PodSandboxConfig");
  create_.mutable_options()->set_value("\x0a\xff");
  EXPECT_EQ(pod_request(create_).error().code(), Code::kInvalidArgument);
  create_.clear_options();
  ASSERT_TRUE(write_file(bundle_ / "config.json", "{"));
  EXPECT_EQ(pod_request(create_).error().code(), Code::kInvalidArgument);
  create_.set_bundle_path("relative");
  EXPECT_EQ(pod_request(create_).error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace kata::shim
