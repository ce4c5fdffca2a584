// User, cgroup, time and pod-shared namespaces.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>

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
