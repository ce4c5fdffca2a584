#include "oci/transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>

#include <nlohmann/json.hpp>

#include "oci/features.h"
#include "oci/spec.h"

namespace kata::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

grpc::Spec parsed(const std::string& rest) {
  auto spec = parse_spec(R"({"root":{"path":"rootfs","readonly":true},
                             "process":{"args":["a"],"cwd":"/"},"linux":{})" +
                         rest + "}");
  EXPECT_TRUE(spec) << spec.error().message();
  return std::move(*spec);
}

GuestContext context() {
  GuestContext c;
  c.rootfs = "/run/kata-containers/shared/containers/c1/rootfs";
  c.bundle = "/run/bundle";
  return c;
}

TEST(ToGuest, SetsRootAndIdentity) {
  auto guest = to_guest(parsed(R"(,"annotations":{"cdi.k8s.io/x":"1","keep":"2"})"), context());
  ASSERT_TRUE(guest) << guest.error().message();
  EXPECT_EQ(guest->spec.root().path(), context().rootfs);
  EXPECT_TRUE(guest->spec.root().readonly());
  const auto& annotations = guest->spec.annotations();
  EXPECT_EQ(annotations.at("io.katacontainers.pkg.oci.container_type"), "single_container");
  EXPECT_EQ(annotations.at("io.katacontainers.pkg.oci.bundle_path"), "/run/bundle");
  EXPECT_EQ(annotations.at("keep"), "2");
  EXPECT_FALSE(annotations.contains("cdi.k8s.io/x"));
}

TEST(ToGuest, RewritesDropsAndKeepsMounts) {
  auto host = parsed(R"(,"mounts":[
      {"destination":"/proc","type":"proc","source":"proc"},
      {"destination":"data","type":"bind","source":"/host/data","options":["rbind"]},
      {"destination":"/drop","type":"bind","source":"/dev/kvm"},
      {"destination":"/dev/shm","type":"bind","source":"/host/shm","options":["rbind","ro"]},
      {"destination":"/sysx","type":"none","source":"/sys/fs","options":["bind"]}])");
  auto c = context();
  EXPECT_THAT(host_binds(host, c), ElementsAre(1, 2));
  grpc::Mount data = host.mounts(1);
  data.set_source("/run/kata-containers/shared/containers/data");
  c.mounts[1] = data;
  c.mounts[2] = std::nullopt;
  auto guest = to_guest(host, c);
  ASSERT_TRUE(guest) << guest.error().message();
  const auto& mounts = guest->spec.mounts();
  ASSERT_EQ(mounts.size(), 4);
  EXPECT_EQ(mounts[0].type(), "proc");
  EXPECT_EQ(mounts[1].source(), "/run/kata-containers/shared/containers/data");
  EXPECT_EQ(mounts[1].destination(), "/data");
  EXPECT_EQ(mounts[2].source(), "/run/kata-containers/sandbox/shm");
  EXPECT_THAT(mounts[2].options(), ElementsAre("rbind"));
  EXPECT_EQ(mounts[3].source(), "/sys/fs");
  EXPECT_THAT(guest->dropped, ElementsAre(HasSubstr("/drop")));
}

TEST(ToGuest, RefusesAForgottenBind) {
  auto host = parsed(R"(,"mounts":[{"destination":"/d","type":"bind","source":"/etc/shadow"}])");
  auto guest = to_guest(host, context());
  ASSERT_FALSE(guest);
  EXPECT_THAT(guest.error().message(), HasSubstr("/etc/shadow was not brought into the guest"));
}

TEST(ToGuest, PrefixOfAKernelFolderIsNotThatFolder) {
  auto host = parsed(R"(,"mounts":[{"destination":"/d","type":"bind","source":"/process"}])");
  EXPECT_THAT(host_binds(host, context()), ElementsAre(0));
}

TEST(ToGuest, KeepsOnlyHooksThatLiveInTheContainer) {
  auto host = parsed(R"(,"hooks":{"prestart":[{"path":"/a"}],"createContainer":[{"path":"/b"}],
                         "startContainer":[{"path":"/c"}],"poststop":[{"path":"/d"}]})");
  auto guest = to_guest(host, context());
  ASSERT_TRUE(guest);
  EXPECT_THAT(guest->spec.hooks().startcontainer(), SizeIs(1));
  EXPECT_THAT(guest->spec.hooks().createcontainer(), SizeIs(1));
  EXPECT_EQ(guest->spec.hooks().prestart_size(), 0);
  EXPECT_EQ(guest->spec.hooks().poststop_size(), 0);
  EXPECT_THAT(guest->dropped, SizeIs(0));

  auto c = context();
  c.own_agent = false;
  guest = to_guest(host, c);
  ASSERT_TRUE(guest);
  EXPECT_FALSE(guest->spec.has_hooks());
  EXPECT_THAT(guest->dropped, ElementsAre(HasSubstr("createContainer and startContainer hooks")));
}

TEST(ToGuest, NamespacesLoseHostPaths) {
  auto host = parsed("");
  for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup", "time", "user"}) {
    auto* entry = host.mutable_linux()->add_namespaces();
    entry->set_type(type);
    entry->set_path("/proc/7/ns/x");
  }
  auto types = [](const grpc::Spec& spec) {
    std::vector<std::string> found;
    for (const auto& entry : spec.linux().namespaces()) {
      EXPECT_EQ(entry.path(), "");
      found.push_back(entry.type());
    }
    return found;
  };
  auto guest = to_guest(host, context());
  ASSERT_TRUE(guest);
  EXPECT_TRUE(guest->sandbox_pidns);
  EXPECT_THAT(types(guest->spec), ElementsAre("ipc", "uts", "mount", "cgroup", "time", "user"));
  auto c = context();
  c.own_agent = false;
  EXPECT_THAT(types(to_guest(host, c)->spec), ElementsAre("ipc", "uts", "mount", "user"));
}

TEST(ToGuest, ResourcesKeepLimitsAndLoseHostNumbers) {
  auto host = parse_resources(R"({
      "devices":[{"allow":false,"access":"rwm"}], "pids":{"limit":7}, "memory":{"limit":1},
      "cpu":{"quota":5,"cpus":"0-63","mems":"1"},
      "blockIO":{"weight":9,"weightDevice":[{"major":8}],"throttleReadBpsDevice":[{"major":8}]},
      "network":{"classID":1},
      "unified":{"cpuset.cpus":"9","io.max":"8:0 rbps=1","io.weight":"5","memory.high":"3"}})");
  ASSERT_TRUE(host);
  grpc::LinuxResources guest = to_guest(*host);
  EXPECT_EQ(guest.devices_size(), 1);
  EXPECT_EQ(guest.pids().limit(), 7);
  EXPECT_EQ(guest.cpu().quota(), 5);
  EXPECT_EQ(guest.cpu().cpus(), "");
  EXPECT_EQ(guest.cpu().mems(), "");
  EXPECT_EQ(guest.blockio().weight(), 9u);
  EXPECT_EQ(guest.blockio().weightdevice_size(), 0);
  EXPECT_EQ(guest.blockio().throttlereadbpsdevice_size(), 0);
  EXPECT_FALSE(guest.has_network());
  EXPECT_EQ(guest.unified().size(), 2u);
  EXPECT_TRUE(guest.unified().contains("io.weight"));
}

TEST(ToGuest, OnlyPluggedDisksAndTheirRulesReachTheGuest) {
  auto host = parse_spec(R"({"ociVersion":"1.1.0","root":{"path":"rootfs"},"linux":{
      "devices":[{"path":"/dev/sda","type":"b","major":8,"minor":0},
                 {"path":"/dev/null2","type":"c","major":1,"minor":3},
                 {"path":"/dev/xvda","type":"b","major":7,"minor":3}],
      "resources":{"devices":[
        {"allow":false,"access":"rwm"},
        {"allow":true,"type":"b","access":"m"},
        {"allow":true,"type":"b","major":8,"minor":0,"access":"rwm"},
        {"allow":true,"type":"b","major":7,"access":"rwm"},
        {"allow":true,"type":"c","major":8,"minor":0,"access":"rwm"},
        {"allow":true,"type":"b","major":7,"minor":3,"access":"rw"}]}}})");
  ASSERT_TRUE(host);
  auto c = context();
  c.block_devices = {2};
  auto guest = to_guest(*host, c);
  ASSERT_TRUE(guest);
  const grpc::Linux& part = guest->spec.linux();
  ASSERT_EQ(part.devices_size(), 2);
  EXPECT_EQ(part.devices(0).path(), "/dev/null2");
  EXPECT_EQ(part.devices(1).path(), "/dev/xvda");
  const auto& rules = part.resources().devices();
  ASSERT_EQ(rules.size(), 4);
  EXPECT_EQ(rules[1].access(), "m");
  EXPECT_EQ(rules[2].type(), "c");
  EXPECT_EQ(rules[3].access(), "rw");
  ASSERT_EQ(guest->dropped.size(), 1u);
  EXPECT_EQ(guest->dropped[0], "1 block device(s) of the host stay there");
}

TEST(ToGuest, SeccompSelinuxAndVfioFollowTheContext) {
  auto host = parsed("");
  auto* part = host.mutable_linux();
  part->mutable_seccomp()->set_defaultaction("SCMP_ACT_ALLOW");
  part->set_mountlabel("u:r:svirt_t:s0:c1,c2");
  host.mutable_process()->set_selinuxlabel("u:r:svirt_t:s0:c1,c2");
  host.mutable_process()->set_apparmorprofile("p");
  for (const char* path : {"/dev/vfio/5", "/dev/vfio", "/dev/vfiox", "/dev/fuse"}) {
    part->add_devices()->set_path(path);
  }
  auto guest = to_guest(host, context());
  ASSERT_TRUE(guest);
  EXPECT_TRUE(guest->spec.linux().has_seccomp());
  EXPECT_EQ(guest->spec.linux().mountlabel(), "");
  EXPECT_EQ(guest->spec.process().selinuxlabel(), "");
  EXPECT_EQ(guest->spec.process().apparmorprofile(), "");
  ASSERT_EQ(guest->spec.linux().devices_size(), 2);
  EXPECT_EQ(guest->spec.linux().devices(0).path(), "/dev/vfiox");

  auto c = context();
  c.seccomp = false;
  c.selinux = true;
  c.vfio_in_guest_kernel = false;
  guest = to_guest(host, c);
  ASSERT_TRUE(guest);
  EXPECT_FALSE(guest->spec.linux().has_seccomp());
  EXPECT_EQ(guest->spec.process().selinuxlabel(), "u:r:container_t:s0:c1,c2");
  EXPECT_EQ(guest->spec.linux().devices_size(), 4);
  c.selinux_label = "a:b:c";
  EXPECT_EQ(to_guest(host, c)->spec.linux().mountlabel(), "a:b:c");
}

TEST(Features, IsTheDocumentOfTheSpec) {
  auto json = nlohmann::json::parse(features_json(), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["ociVersionMin"], "1.0.0");
  EXPECT_TRUE(json["hooks"].is_array());
  // Managers offer recursive read-only mounts to a handler that names this word.
  const auto& options = json["mountOptions"];
  EXPECT_NE(std::find(options.begin(), options.end(), "rro"), options.end());
  EXPECT_TRUE(json["linux"]["namespaces"].is_array());
  EXPECT_TRUE(json["linux"]["seccomp"]["enabled"].get<bool>());
  EXPECT_TRUE(json["annotations"].is_object());
}

}  // namespace
}  // namespace kata::oci
