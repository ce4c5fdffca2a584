// User, cgroup, time and pod-shared namespaces.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "agent/container/box.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

void map(grpc::Linux* spec, uint32_t host, uint32_t size) {
  for (auto* entry : {spec->add_uidmappings(), spec->add_gidmappings()}) {
    entry->set_containerid(0);
    entry->set_hostid(host);
    entry->set_size(size);
  }
}

TEST(Namespaces, UserNamespace) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_linux()->add_namespaces()->set_type("user");
  map(box.spec.mutable_linux(), 100000, 65536);
  Outcome outcome = box.run(
      "id -u; cat /proc/self/uid_map | (read a b c; echo $a $b $c);"
      "stat -c '%t:%T' /dev/null; echo x > /dev/null && echo writable");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "0\n0 100000 65536\n1:3\nwritable\n");
}

TEST(Namespaces, UserNamespaceNeedsMaps) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_linux()->add_namespaces()->set_type("user");
  EXPECT_FALSE(box.run("true").created);
}

TEST(Namespaces, ExecIntoUserNamespace) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_linux()->add_namespaces()->set_type("user");
  map(box.spec.mutable_linux(), 100000, 65536);
  box.start_sleeper();
  Outcome outcome = box.exec("id -u; cat /proc/self/uid_map | (read a b c; echo $b)");
  ASSERT_TRUE(outcome.started) << outcome.started.error().message();
  EXPECT_EQ(outcome.out, "0\n100000\n");
}

// What a pod has: all namespaces of its first container belong to one user namespace.
TEST(Namespaces, UserNamespaceOfThePod) {
  REQUIRE_ROOT();
  Box first;
  first.spec.mutable_linux()->add_namespaces()->set_type("user");
  map(first.spec.mutable_linux(), 100000, 65536);
  auto made = make_user_namespace(mappings_of(first.spec.linux()),
                                  {CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET});
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_TRUE(set_hostname((*made)[2].get(), "podname"));
  auto join = [&](Box* box) {
    int at = 0;
    for (int type : {CLONE_NEWUSER, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET}) {
      box->join.push_back({type, UniqueFd(dup((*made)[at++].get()))});
    }
  };
  join(&first);
  first.start_sleeper();
  Box second;
  *second.spec.mutable_linux() = first.spec.linux();
  join(&second);
  // Rights over what belongs to the pod, not over what does not.
  second.spec.mutable_process()->mutable_capabilities()->add_bounding("CAP_SYS_ADMIN");
  second.spec.mutable_process()->mutable_capabilities()->add_permitted("CAP_SYS_ADMIN");
  second.spec.mutable_process()->mutable_capabilities()->add_effective("CAP_SYS_ADMIN");
  Outcome outcome = second.run(
      "hostname; readlink /proc/self/ns/user; readlink /proc/self/ns/ipc; hostname renamed; "
      "hostname;"
      "grep -c sysfs /proc/mounts; stat -c '%t:%T' /dev/null; ls /proc | grep -c '^[0-9]' "
      ">/dev/null");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  Outcome other = first.exec("readlink /proc/self/ns/user; readlink /proc/self/ns/ipc; hostname");
  ASSERT_TRUE(other.started) << other.started.error().message();
  std::string shared = other.out.substr(0, other.out.rfind("renamed"));
  EXPECT_EQ(outcome.out, "podname\n" + shared + "renamed\n1\n1:3\n") << outcome.err;
}

TEST(Namespaces, PidNamespaceOfAnotherInAUserNamespace) {
  REQUIRE_ROOT();
  Box first;
  first.spec.mutable_linux()->add_namespaces()->set_type("user");
  map(first.spec.mutable_linux(), 100000, 65536);
  first.start_sleeper();
  Box second;
  *second.spec.mutable_linux() = first.spec.linux();
  for (const NamespaceFd& entry : first.init().namespaces()) {
    if (entry.type != CLONE_NEWUSER && entry.type != CLONE_NEWPID) continue;
    second.join.push_back({entry.type, UniqueFd(dup(entry.fd.get()))});
  }
  Outcome outcome = second.run("cat /proc/1/comm");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "sleep\n");
}

TEST(Namespaces, TimeOffsets) {
  REQUIRE_ROOT();
  Box box;
  box.spec.mutable_linux()->add_namespaces()->set_type("time");
  auto& offset = (*box.spec.mutable_linux()->mutable_timeoffsets())["boottime"];
  offset.set_secs(10'000'000);
  auto before = read_file("/proc/self/timens_offsets");
  Outcome outcome = box.run("read up rest < /proc/uptime; echo ${up%.*}");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_GT(atol(outcome.out.c_str()), 10'000'000);
  EXPECT_EQ(*read_file("/proc/self/timens_offsets"), *before);
}

TEST(Namespaces, SharedUtsAndIpc) {
  REQUIRE_ROOT();
  auto host_before = read_file("/proc/sys/kernel/hostname");
  auto uts = make_shared_namespace(CLONE_NEWUTS, "podname");
  auto ipc = make_shared_namespace(CLONE_NEWIPC);
  ASSERT_TRUE(uts);
  ASSERT_TRUE(ipc);
  EXPECT_EQ(*read_file("/proc/sys/kernel/hostname"), *host_before);
  Box box;
  box.join.push_back({CLONE_NEWUTS, std::move(*uts)});
  box.join.push_back({CLONE_NEWIPC, std::move(*ipc)});
  EXPECT_EQ(box.run("hostname").out, "podname\n");
}

TEST(Namespaces, PidNamespaceOfAnother) {
  REQUIRE_ROOT();
  Box first;
  first.start_sleeper();
  auto pid = open_file("/proc/" + std::to_string(first.init().pid()) + "/ns/pid", O_RDONLY);
  ASSERT_TRUE(pid);
  Box second;
  second.join.push_back({CLONE_NEWPID, std::move(*pid)});
  EXPECT_EQ(second.run("cat /proc/1/comm").out, "sleep\n");
}

TEST(Namespaces, ByPath) {
  REQUIRE_ROOT();
  Box first;
  first.start_sleeper();
  Box second;
  for (auto& ns : *second.spec.mutable_linux()->mutable_namespaces()) {
    if (ns.type() == "network") {
      ns.set_path("/proc/" + std::to_string(first.init().pid()) + "/ns/net");
    }
  }
  Outcome outcome = second.run("readlink /proc/self/ns/net");
  EXPECT_EQ(outcome.out, first.exec("readlink /proc/self/ns/net").out);
}

TEST(Namespaces, LoopbackIsUp) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_EQ(box.run("cat /sys/class/net/lo/flags").out, "0x9\n");
}

}  // namespace
}  // namespace kata::agent::test
