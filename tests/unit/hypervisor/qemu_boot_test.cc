// Boots a real VM under emulation. Needs KATA_TEST_KERNEL and KATA_TEST_INITRD: a guest whose init
// echoes what it gets on vsock port KATA_TEST_PORT (optional; without it only the start is tested).
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <iostream>

#include "base/file.h"
#include "hypervisor/hypervisor.h"

namespace kata::hypervisor {
namespace {

const char* kQemu = "/usr/bin/qemu-system-x86_64";

std::string environment(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

class QemuBootTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!path_exists(kQemu)) GTEST_SKIP() << "no " << kQemu;
    if (environment("KATA_TEST_KERNEL").empty() || environment("KATA_TEST_INITRD").empty()) {
      GTEST_SKIP() << "KATA_TEST_KERNEL and KATA_TEST_INITRD are not set";
    }
    char folder[] = "/tmp/qemu-boot-XXXXXX";
    folder_ = mkdtemp(folder);
  }
  ~QemuBootTest() override {
    if (!folder_.empty()) {
      [[maybe_unused]] Status ignored = remove_tree(folder_);
    }
  }

  VmConfig config() {
    VmConfig vm;
    vm.id = "boot-test";
    vm.vm_dir = folder_;
    vm.vmm_path = kQemu;
    vm.accel_cache = "";
    vm.kernel = environment("KATA_TEST_KERNEL");
    vm.initrd = environment("KATA_TEST_INITRD");
    vm.memory.boot = 256;
    vm.legacy_serial = !environment("KATA_TEST_SERIAL").empty();
    std::string words = environment("KATA_TEST_PARAMS");
    if (!words.empty()) vm.kernel_params.push_back(words);
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
};

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

constexpr size_t kChunk = 64 * 1024;
constexpr size_t kTotal = 64 << 20;

Task<> write_all_chunks(ttrpc::Stream* stream) {
  std::string chunk(kChunk, 'x');
  for (size_t done = 0; done < kTotal; done += kChunk) {
    co_await asio::async_write(*stream, asio::buffer(chunk), use_tuple);
  }
}

// CPU time of this process in seconds: the vsock back end and the test's own reads and writes.
double own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Round trip of a small message, then a stream through the guest and back.
Task<> measure(ttrpc::Stream& stream) {
  auto begin = Clock::now();
  constexpr int kTrips = 200;
  std::string small(64, 'y');
  for (int i = 0; i < kTrips; ++i) {
    co_await asio::async_write(stream, asio::buffer(small), use_tuple);
    co_await asio::async_read(stream, asio::buffer(small), use_tuple);
  }
  std::cout << "round trip " << since(begin) / kTrips << " ms\n";
  begin = Clock::now();
  double cpu = own_cpu();
  kata::spawn(stream.get_executor(), write_all_chunks(&stream));
  std::string back(kChunk, 0);
  for (size_t done = 0; done < kTotal; done += kChunk) {
    co_await asio::async_read(stream, asio::buffer(back), use_tuple);
  }
  std::cout << "echo " << (kTotal >> 20) / (since(begin) / 1000) << " MiB/s each way, "
            << own_cpu() - cpu << " s CPU on our side\n";
}

Task<> boot_and_echo(Hypervisor* vm) {
  auto begin = Clock::now();
  Status started = co_await vm->start();
  EXPECT_TRUE(started) << started.error().message();
  if (!started) co_return;
  std::cout << "QMP answer after " << since(begin) << " ms, " << vm->accelerator() << "\n";
  EXPECT_GT(vm->pid(), 0);
  std::string port = environment("KATA_TEST_PORT");
  if (!port.empty()) {
    auto stream = co_await vm->agent_endpoint().connect(static_cast<uint32_t>(std::stoul(port)),
                                                        Clock::now() + 60s);
    EXPECT_TRUE(stream) << stream.error().message() << "\n" << vm->console_tail();
    if (stream) {
      std::cout << "guest port connected after " << since(begin) << " ms\n";
      std::string sent = "hello", got(5, 0);
      co_await asio::async_write(*stream, asio::buffer(sent), use_tuple);
      co_await asio::async_read(*stream, asio::buffer(got), use_tuple);
      EXPECT_EQ(got, sent);
      auto pause_at = Clock::now();
      EXPECT_TRUE(co_await vm->pause());
      EXPECT_TRUE(co_await vm->resume());
      std::cout << "pause and resume took " << since(pause_at) << " ms\n";
      co_await asio::async_write(*stream, asio::buffer(sent), use_tuple);
      co_await asio::async_read(*stream, asio::buffer(got), use_tuple);
      EXPECT_EQ(got, sent);
      co_await measure(*stream);
    }
  }
  auto kill_at = Clock::now();
  EXPECT_TRUE(co_await vm->stop());
  std::cout << "stop took " << since(kill_at) << " ms\n";
  EXPECT_TRUE(vm->exited().ready());
  EXPECT_TRUE(vm->exited().value().requested);
}

TEST_F(QemuBootTest, BootsAnswersAndStops) {
  auto vm = make_qemu(context_.get_executor(), config());
  ASSERT_TRUE(vm) << vm.error().message();
  run(boot_and_echo(vm->get()));
  std::cout << "console: " << (*vm)->console_tail() << "\n";
}

Task<> start_and_expect_text(Hypervisor* vm, std::string text) {
  auto begin = Clock::now();
  Status started = co_await vm->start();
  EXPECT_FALSE(started);
  if (started) co_return;
  const std::string& message = started.error().message();
  EXPECT_NE(message.find(text), std::string::npos) << message;
  EXPECT_LT(since(begin), 5000);
  EXPECT_TRUE(vm->exited().ready());
}

TEST_F(QemuBootTest, FailedStartTellsWhatQemuSaid) {
  VmConfig broken = config();
  broken.machine_options = "no-such-property=on";
  auto vm = make_qemu(context_.get_executor(), std::move(broken));
  ASSERT_TRUE(vm);
  run(start_and_expect_text(vm->get(), "no-such-property"));
}

Task<> kill_from_outside(Hypervisor* vm) {
  Status started = co_await vm->start();
  EXPECT_TRUE(started) << started.error().message();
  if (!started) co_return;
  auto begin = Clock::now();
  kill(vm->pid(), SIGKILL);
  ExitReport report = co_await vm->exited().wait();
  std::cout << "death seen after " << since(begin) << " ms: " << report.reason << "\n";
  EXPECT_EQ(report.signal, SIGKILL);
  EXPECT_FALSE(report.requested);
  EXPECT_FALSE(co_await vm->pause());
  auto stream = co_await vm->agent_endpoint().connect(1024, Clock::now() + 30s);
  EXPECT_FALSE(stream);
  EXPECT_LT(since(begin), 2000);
}

TEST_F(QemuBootTest, DeathIsSeenAtOnce) {
  auto vm = make_qemu(context_.get_executor(), config());
  ASSERT_TRUE(vm);
  run(kill_from_outside(vm->get()));
}

}  // namespace
}  // namespace kata::hypervisor
