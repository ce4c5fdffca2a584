// Plugs into a real VM under emulation. Needs the guest of guest/build.sh, see there.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <iostream>

#include "base/file.h"
#include "hypervisor/hypervisor.h"

namespace kata::hypervisor {
namespace {

std::string environment(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

class QemuHotplugTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (environment("KATA_TEST_KERNEL").empty() || environment("KATA_TEST_INITRD").empty() ||
        environment("KATA_TEST_PORT") != "1024") {
      GTEST_SKIP() << "KATA_TEST_KERNEL, KATA_TEST_INITRD and KATA_TEST_PORT=1024 are not set";
    }
    char folder[] = "/tmp/qemu-plug-XXXXXX";
    folder_ = mkdtemp(folder);
    disk_ = folder_ + "/disk.img";
    ASSERT_TRUE(write_file(disk_, ""));
    ASSERT_EQ(truncate(disk_.c_str(), 16 << 20), 0);
  }
  ~QemuHotplugTest() override {
    if (!folder_.empty()) {
      [[maybe_unused]] Status ignored = remove_tree(folder_);
    }
  }
  VmConfig config() {
    VmConfig vm;
    vm.id = "plug-test";
    vm.vm_dir = folder_;
    vm.vmm_path = "/usr/bin/qemu-system-x86_64";
    vm.accel = AccelChoice::kTcg;
    vm.kernel = environment("KATA_TEST_KERNEL");
    vm.initrd = environment("KATA_TEST_INITRD");
    vm.memory.boot = 256;
    vm.memory.max = 2048;
    return vm;
  }
  void run(Task<> task) {
    asio::co_spawn(context_, std::move(task), [this](std::exception_ptr failure) {
      EXPECT_FALSE(failure);
      context_.stop();
    });
    context_.run();
    context_.restart();
  }
  asio::io_context context_;
  std::string folder_;
  std::string disk_;
};

Task<std::string> report(Hypervisor* vm) {
  auto stream = co_await vm->agent_endpoint().connect(1024, Clock::now() + 60s);
  if (!stream) co_return stream.error().message() + "\n" + vm->console_tail();
  co_await asio::async_write(*stream, asio::buffer("report", 6), use_tuple);
  std::string text;
  for (;;) {
    char part[512];
    auto [failed, size] = co_await stream->async_read_some(asio::buffer(part), use_tuple);
    if (failed) co_return text;
    text.append(part, size);
  }
}

// Asks the guest until its report has the text, at most for some seconds.
Task<bool> sees(Hypervisor* vm, std::string text, bool wanted) {
  std::string last;
  for (int i = 0; i < 100; ++i) {
    last = co_await report(vm);
    if ((last.find(text) != std::string::npos) == wanted) co_return true;
    co_await sleep_for(50ms);
  }
  ADD_FAILURE() << (wanted ? "no \"" : "still \"") << text << "\" in: " << last;
  co_return false;
}

Task<> plug_disk(Hypervisor* vm, std::string path, std::string name) {
  EXPECT_TRUE(co_await vm->start());
  co_await sees(vm, "disks=", true);
  DiskDevice disk;
  disk.id = "d1";
  disk.path = path;
  auto place = co_await vm->add_disk(disk);
  EXPECT_TRUE(place) << place.error().message();
  if (place) std::cout << "disk at pci " << place->pci_path << " scsi " << place->scsi_addr << "\n";
  if (place && !place->pci_path.empty()) {
    co_await sees(vm, name, true);
    Status removed = co_await vm->remove_disk("d1");
    EXPECT_TRUE(removed) << removed.error().message();
    co_await sees(vm, name, false);
    auto again = co_await vm->add_disk(disk);
    EXPECT_TRUE(again) << again.error().message();
    co_await sees(vm, name, true);
  }
  DiskDevice missing;
  missing.id = "d2";
  missing.path = "/no/such/file";
  EXPECT_FALSE(co_await vm->add_disk(missing));
  missing.path = path + "2";
  EXPECT_TRUE(write_file(missing.path, std::string(1 << 20, 0)));
  EXPECT_TRUE(co_await vm->add_disk(missing));
  EXPECT_TRUE(co_await vm->stop());
}

TEST_F(QemuHotplugTest, BlockDiskOnTheBridge) {
  VmConfig vm = config();
  vm.disk_driver = DiskDriver::kVirtioBlk;
  auto driver = make_qemu(context_.get_executor(), std::move(vm));
  ASSERT_TRUE(driver);
  EXPECT_TRUE((*driver)->capabilities().hotplug_disk);
  run(plug_disk(driver->get(), disk_, "vda"));
}

TEST_F(QemuHotplugTest, ScsiDisk) {
  auto driver = make_qemu(context_.get_executor(), config());
  ASSERT_TRUE(driver);
  run(plug_disk(driver->get(), disk_, "sda"));
}

Task<> grow(Hypervisor* vm) {
  EXPECT_TRUE(co_await vm->start());
  std::cout << co_await report(vm);
  auto cpus = co_await vm->resize_vcpus(3);
  EXPECT_TRUE(cpus) << cpus.error().message();
  if (cpus) {
    EXPECT_EQ(*cpus, 3u);
  }
  co_await sees(vm, "cpus=0-2", true);
  auto fewer = co_await vm->resize_vcpus(1);
  // Taking vCPUs away crashes QEMU under TCG: the number stays.
  EXPECT_TRUE(fewer);
  if (fewer) {
    EXPECT_EQ(*fewer, 3u);
  }
  auto memory = co_await vm->resize_memory(600);
  EXPECT_TRUE(memory) << memory.error().message();
  if (memory) {
    EXPECT_EQ(*memory, 256u + 384u);
  }
  // The kernel brings it online by itself; that it still talks to us shows that our mapping of its
  // memory followed.
  co_await sees(vm, "MemTotal:         6", true);
  EXPECT_TRUE(co_await vm->stop());
}

TEST_F(QemuHotplugTest, VcpusAndMemory) {
  VmConfig vm = config();
  vm.max_vcpus = 4;
  auto driver = make_qemu(context_.get_executor(), std::move(vm));
  ASSERT_TRUE(driver);
  run(grow(driver->get()));
}

}  // namespace
}  // namespace kata::hypervisor
