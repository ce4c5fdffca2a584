#include "runtime/plugged_disks.h"

#include <gtest/gtest.h>

namespace kata::runtime {
namespace {

using hypervisor::DiskAddress;
using hypervisor::DiskDevice;
using Words = std::vector<std::string>;

// A VM that plugs when it is told to.
class FakeVm : public hypervisor::Hypervisor {
 public:
  explicit FakeVm(asio::any_io_executor executor) : exited_(std::move(executor)) {}

  Task<Status> start() override { co_return Status(); }
  Task<Status> stop() override { co_return Status(); }
  Task<Status> pause() override { co_return Status(); }
  Task<Status> resume() override { co_return Status(); }
  pid_t pid() const override { return 0; }
  Promise<hypervisor::ExitReport>& exited() override { return exited_; }
  const hypervisor::AgentEndpoint& agent_endpoint() const override { panic("not asked for"); }
  std::string console_tail() const override { return ""; }
  uint64_t console_bytes() const override { return 0; }
  std::string accelerator() const override { return ""; }
  hypervisor::Capabilities capabilities() const override { return {}; }
  Task<Result<std::vector<pid_t>>> vcpu_threads() override { co_return std::vector<pid_t>(); }
  Task<Result<std::string>> add_net(hypervisor::NetDevice) override { co_return std::string(); }
  Task<Status> remove_net(const std::string&) override { co_return Status(); }
  Task<Status> disconnect_net(const std::string&) override { co_return Status(); }
  uint32_t vcpus() const override { return 1; }
  Task<Result<uint32_t>> resize_vcpus(uint32_t wanted) override { co_return wanted; }
  Task<Result<uint64_t>> resize_memory(uint64_t wanted) override { co_return wanted; }

  Task<Result<DiskAddress>> add_disk(DiskDevice disk) override {
    said.push_back("add " + disk.id + " " + disk.path + (disk.read_only ? " ro" : " rw") +
                   (disk.direct ? " direct" : ""));
    if (gate) co_await gate->wait();
    if (full) co_return fail(Code::kResourceExhausted, "no slot");
    co_return DiskAddress{"02/" + disk.id, ""};
  }
  Task<Status> remove_disk(const std::string& id) override {
    said.push_back("remove " + id);
    if (stuck) co_return fail(Code::kDeadlineExceeded, "the guest does not let go");
    co_return Status();
  }
  Task<Status> resize_disk(const std::string& id, uint64_t bytes) override {
    said.push_back("resize " + id + " " + std::to_string(bytes));
    co_return Status();
  }

  std::vector<std::string> said;
  std::optional<Event> gate;  // plugging waits for it
  bool full = false, stuck = false;

 private:
  Promise<hypervisor::ExitReport> exited_;
};

class PluggedDisksTest : public ::testing::Test {
 protected:
  static storage::HostDisk disk(const std::string& name) {
    return {"/dev/" + name, name, true, false, 512};
  }
  static Task<> keep(Task<Result<DiskAddress>> task, std::optional<Result<DiskAddress>>* result) {
    result->emplace(co_await std::move(task));
  }
  void start_claim(const char* owner, const char* name, bool read_only,
                   std::optional<Result<DiskAddress>>* result) {
    spawn(loop_.get_executor(), keep(disks_.claim(owner, disk(name), read_only), result));
    turn();
  }
  Result<DiskAddress> claim(const char* owner, const char* name, bool read_only = false) {
    std::optional<Result<DiskAddress>> result;
    start_claim(owner, name, read_only, &result);
    return result ? std::move(*result) : fail(Code::kInternal, "still waiting");
  }
  static Task<> keep_status(Task<Status> task, std::optional<Status>* result) {
    result->emplace(co_await std::move(task));
  }
  // False: a disk stays.
  bool release(const char* owner) {
    std::optional<Status> result;
    spawn(loop_.get_executor(), keep_status(disks_.release(owner), &result));
    turn();
    return result && *result;
  }
  void turn() {
    loop_.restart();
    loop_.poll();
  }

  asio::io_context loop_;
  FakeVm vm_{loop_.get_executor()};
  config::HypervisorConfig config_;
  PluggedDisks disks_{loop_.get_executor(), vm_, config_};
};

TEST_F(PluggedDisksTest, PluggedOnceForAllAndOutWithTheLast) {
  auto first = claim("a", "loop3");
  ASSERT_TRUE(first);
  auto second = claim("b", "loop3");
  ASSERT_TRUE(second);
  EXPECT_EQ(first->pci_path, second->pci_path);
  ASSERT_TRUE(claim("a", "loop3"));
  release("a");
  release("a");
  EXPECT_EQ(vm_.said, Words{"add disk-0 /dev/loop3 rw"});
  EXPECT_TRUE(release("b"));
  EXPECT_EQ(vm_.said.back(), "remove disk-0");
  ASSERT_TRUE(claim("c", "loop3"));
  EXPECT_EQ(vm_.said.back(), "add disk-1 /dev/loop3 rw");
}

TEST_F(PluggedDisksTest, ReadOnlyIsADiskOfItsOwn) {
  auto writable = claim("a", "loop3", false);
  auto sealed = claim("b", "loop3", true);
  ASSERT_TRUE(writable && sealed);
  EXPECT_NE(writable->pci_path, sealed->pci_path);
  EXPECT_EQ(vm_.said.back(), "add disk-1 /dev/loop3 ro");
}

TEST_F(PluggedDisksTest, AFailureLeavesNoClaim) {
  vm_.full = true;
  auto refused = claim("a", "loop3");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_NE(refused.error().message().find("/dev/loop3"), std::string::npos);
  release("a");
  EXPECT_EQ(vm_.said.size(), 1u);
  vm_.full = false;
  ASSERT_TRUE(claim("a", "loop3"));
}

TEST_F(PluggedDisksTest, TwoWhoComeAtOnce) {
  vm_.gate.emplace(loop_.get_executor());
  std::optional<Result<DiskAddress>> first, second;
  start_claim("a", "loop3", false, &first);
  start_claim("b", "loop3", false, &second);
  // The first one goes before it has anything, and its going has to wait as well.
  std::optional<Status> gone;
  spawn(loop_.get_executor(), keep_status(disks_.release("a"), &gone));
  turn();
  EXPECT_FALSE(first || second);
  vm_.gate->set();
  turn();
  ASSERT_TRUE(first && second && gone);
  ASSERT_TRUE(*first && *second);
  EXPECT_EQ(vm_.said, Words{"add disk-0 /dev/loop3 rw"});
  release("b");
  EXPECT_EQ(vm_.said.back(), "remove disk-0");
}

TEST_F(PluggedDisksTest, ADiskThatTheGuestKeepsIsNotUsedAgain) {
  ASSERT_TRUE(claim("a", "loop3"));
  vm_.stuck = true;
  EXPECT_FALSE(release("a"));
  vm_.stuck = false;
  auto again = claim("a", "loop3");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->pci_path, "02/disk-1");
}

TEST_F(PluggedDisksTest, SettingsOfTheConfiguration) {
  config_.block_device_cache_direct = true;
  EXPECT_TRUE(claim("a", "one"));
  config_.block_device_cache_set = true;
  EXPECT_TRUE(claim("a", "two"));
  EXPECT_EQ(vm_.said, (Words{"add disk-0 /dev/one rw", "add disk-1 /dev/two rw direct"}));
}

}  // namespace
}  // namespace kata::runtime
