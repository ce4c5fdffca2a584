// Hot plug against a QEMU that refuses, dawdles or dies.
#include "hypervisor/qemu/device_plug.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace kata::hypervisor::qemu {
namespace {

VmConfig one_bridge() {
  VmConfig config;
  config.pci_bridges = 1;
  config.disk_driver = DiskDriver::kVirtioBlk;
  return config;
}

class DevicePlugTest : public ::testing::Test {
 protected:
  DevicePlugTest() {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    server_.reset(pair[0]);
    qmp_ = *QmpClient::adopt(context_.get_executor(), UniqueFd(pair[1]));
    plug_.emplace(context_.get_executor(), qmp_, one_bridge());
  }
  ~DevicePlugTest() override {
    qmp_->close();
    serve();
  }
  // Answers what was asked: with an error for `refused_`.
  void serve() {
    context_.restart();
    for (;;) {
      while (context_.poll() > 0) {
      }
      char buffer[4096];
      ssize_t got = recv(server_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return;
      pending_.append(buffer, static_cast<size_t>(got));
      size_t end;
      while ((end = pending_.find('\n')) != std::string::npos) {
        answer(Json::parse(pending_.substr(0, end)));
        pending_.erase(0, end + 1);
      }
    }
  }
  void answer(const Json& command) {
    heard_.push_back(command["execute"]);
    if (command.contains("arguments") && command["arguments"].contains("fdname")) {
      heard_.back() += " " + command["arguments"]["fdname"].get<std::string>();
    }
    Json reply = {{"id", command["id"]}};
    if (heard_.back() == refused_) {
      reply["error"] = {{"class", "GenericError"}, {"desc", "no such luck"}};
    } else {
      reply["return"] = Json::object();
    }
    const std::string text = reply.dump() + "\r\n";
    EXPECT_EQ(send(server_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  static Task<> keep(Task<Status> task, std::optional<Status>* result) {
    *result = co_await std::move(task);
  }
  static Task<> keep_path(Task<Result<std::string>> task, std::optional<Status>* result) {
    auto path = co_await std::move(task);
    if (path) {
      *result = Status();
    } else {
      *result = std::unexpected(std::move(path.error()));
    }
  }
  std::optional<Status> add() {
    NetDevice net;
    net.id = "network-1";
    net.tap_fds.push_back(*open_file("/dev/null", O_RDWR));
    net.vhost_fds.push_back(*open_file("/dev/null", O_RDWR));
    std::optional<Status> result;
    kata::spawn(context_.get_executor(), keep_path(plug_->add_net(std::move(net)), &result));
    serve();
    return result;
  }
  Result<std::string> add_disk(const std::string& id, const std::string& aio = "threads") {
    DiskDevice disk;
    disk.id = id;
    disk.path = "/dev/loop3";
    disk.aio = aio;
    std::optional<Status> result;
    std::string path;
    kata::spawn(context_.get_executor(),
                keep_disk(plug_->add_disk(std::move(disk)), &result, &path));
    serve();
    if (!result) return fail(Code::kInternal, "no answer");
    if (!*result) return std::unexpected(std::move(result->error()));
    return path;
  }
  static Task<> keep_disk(Task<Result<std::string>> task, std::optional<Status>* result,
                          std::string* path) {
    auto plugged = co_await std::move(task);
    if (plugged) {
      *path = *plugged;
      *result = Status();
    } else {
      *result = std::unexpected(std::move(plugged.error()));
    }
  }
  void start_removal(std::optional<Status>* result) {
    heard_.clear();
    kata::spawn(context_.get_executor(), keep(plug_->remove_net("network-1"), result));
    serve();
  }
  std::optional<Status> disconnect() {
    heard_.clear();
    std::optional<Status> result;
    kata::spawn(context_.get_executor(), keep(plug_->disconnect_net("network-0"), &result));
    serve();
    return result;
  }
  void tell_deleted() { plug_->on_event("DEVICE_DELETED", {{"device", "virtio-network-1"}}); }

  asio::io_context context_;
  UniqueFd server_;
  std::shared_ptr<QmpClient> qmp_;
  std::optional<DevicePlug> plug_;
  std::string pending_;
  std::string refused_;
  std::vector<std::string> heard_;
};

using Commands = std::vector<std::string>;

TEST_F(DevicePlugTest, OnlyTheHostsEndOfADeviceOfTheBootGoes) {
  auto cut = disconnect();
  ASSERT_TRUE(cut && *cut);
  EXPECT_EQ(heard_, Commands{"netdev_del"});
  refused_ = "netdev_del";
  cut = disconnect();
  ASSERT_TRUE(cut.has_value());
  EXPECT_FALSE(*cut);
}

TEST_F(DevicePlugTest, ARefusedBackEndKeepsNoDescriptors) {
  refused_ = "netdev_add";
  auto added = add();
  ASSERT_TRUE(added.has_value());
  EXPECT_FALSE(*added);
  const Commands wanted = {"getfd network-1-tap0", "getfd network-1-vhost0", "netdev_add",
                           "closefd network-1-tap0", "closefd network-1-vhost0"};
  EXPECT_EQ(heard_, wanted);
  // Its slot is free again.
  refused_.clear();
  added = add();
  ASSERT_TRUE(added.has_value());
  EXPECT_TRUE(*added);
}

TEST_F(DevicePlugTest, ALateGoodbyeStillFreesTheBackEnd) {
  ASSERT_TRUE(add());
  std::optional<Status> removed;
  start_removal(&removed);
  EXPECT_FALSE(removed.has_value());
  context_.restart();
  context_.run_for(DevicePlug::kRemoveNetLimit + 2s);
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(removed->error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(heard_, Commands{"device_del"});
  tell_deleted();
  serve();
  EXPECT_EQ(heard_.back(), "netdev_del");
  auto again = add();
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(*again);
}

TEST_F(DevicePlugTest, TheEndOfTheVmWakesWhoeverWaits) {
  ASSERT_TRUE(add());
  std::optional<Status> removed;
  start_removal(&removed);
  EXPECT_FALSE(removed.has_value());
  plug_->vm_ended();
  serve();
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(removed->error().code(), Code::kUnavailable);
}

TEST_F(DevicePlugTest, DisksFillTheSlotsAndNoMore) {
  for (uint32_t i = 1; i <= PciSlots::kSlotsPerBridge; ++i) {
    auto path = add_disk("disk-" + std::to_string(i));
    ASSERT_TRUE(path) << path.error().message();
    char place[8];
    snprintf(place, sizeof place, "02/%02x", i);
    EXPECT_EQ(*path, place);
  }
  heard_.clear();
  auto refused = add_disk("disk-more");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_NE(refused.error().message().find("default_bridges"), std::string::npos);
  EXPECT_TRUE(heard_.empty());
}

TEST_F(DevicePlugTest, ARefusedDiskLeavesNothing) {
  refused_ = "device_add";
  EXPECT_FALSE(add_disk("disk-0"));
  EXPECT_EQ(heard_, (Commands{"blockdev-add", "device_add", "blockdev-del"}));
  refused_.clear();
  auto path = add_disk("disk-0");
  ASSERT_TRUE(path);
  EXPECT_EQ(*path, "02/01");
}

TEST_F(DevicePlugTest, WithoutIoUringThreadsDo) {
  refused_ = "blockdev-add";
  EXPECT_FALSE(add_disk("disk-0", "io_uring"));
  EXPECT_EQ(heard_, (Commands{"blockdev-add", "blockdev-add"}));
  heard_.clear();
  EXPECT_FALSE(add_disk("disk-0", "threads"));
  EXPECT_EQ(heard_, Commands{"blockdev-add"});
}

TEST_F(DevicePlugTest, ADiskThatTheGuestKeepsIsFreedWhenItLetsGo) {
  ASSERT_TRUE(add_disk("disk-0"));
  heard_.clear();
  std::optional<Status> removed;
  kata::spawn(context_.get_executor(), keep(plug_->remove_disk("disk-0"), &removed));
  serve();
  context_.restart();
  context_.run_for(DevicePlug::kRemoveLimit + 2s);
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(removed->error().code(), Code::kDeadlineExceeded);
  // Its place is still taken.
  EXPECT_EQ(*add_disk("disk-1"), "02/02");
  plug_->on_event("DEVICE_DELETED", {{"device", "virtio-disk-0"}});
  serve();
  EXPECT_EQ(heard_.back(), "blockdev-del");
  EXPECT_EQ(*add_disk("disk-2"), "02/01");
}

}  // namespace
}  // namespace kata::hypervisor::qemu
