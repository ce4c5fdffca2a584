#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/file.h"
#include "journal/journal.h"
#include "network/netns.h"

namespace kata::network {

// A network namespace of the test's own, which iproute2 fills, and a journal.
class NetworkBed : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    char folder[] = "/tmp/kata-network-XXXXXX";
    ASSERT_TRUE(mkdtemp(folder));
    folder_ = folder;
  }
  void TearDown() override {
    if (folder_.empty()) return;
    EXPECT_TRUE(remove_tree(folder_).has_value());
  }

  // Output of a shell command in the namespace.
  static std::string shell(const std::string& command) {
    std::string out;
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    char buffer[4096];
    while (size_t n = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
    const int status = pclose(pipe);
    if (status != 0) ADD_FAILURE() << command << ": " << out;
    return out;
  }
  // A pair of Ethernet links; the peer is called "p-<name>".
  static void add_veth(const std::string& name, const std::string& more = "") {
    shell("ip link add " + name + " " + more + " type veth peer name p-" + name);
    shell("ip link set " + name + " up; ip link set p-" + name + " up");
    // Else the peers would count too.
    shell("ip addr flush dev p-" + name);
  }
  static Netns here() {
    auto netns = open_netns("/proc/thread-self/ns/net");
    EXPECT_TRUE(netns);
    return std::move(*netns);
  }
  std::string journal_path() const { return folder_ + "/journal"; }

  std::string folder_;
};

}  // namespace kata::network
