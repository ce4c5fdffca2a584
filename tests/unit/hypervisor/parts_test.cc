// The small parts: kernel parameters, accelerator choice, console tail, PCI slots.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "hypervisor/accel.h"
#include "hypervisor/agent_endpoint.h"
#include "hypervisor/kernel_params.h"
#include "hypervisor/kvm_probe.h"
#include "hypervisor/line_tail.h"
#include "hypervisor/qemu/pci_slots.h"

namespace kata::hypervisor {
namespace {

TEST(KernelParamsTest, LaterValuesReplaceEarlierOnes) {
  KernelParams params;
  params.add({"panic=1", "console=hvc0", "quiet"});
  params.add_override("panic=0");
  params.add_override("console=ttyS0");
  params.add_override("console=hvc0");
  EXPECT_EQ(params.text(), "console=hvc0 quiet panic=0 console=ttyS0");
}

TEST(KernelParamsTest, VerityBecomesADeviceMapperTable) {
  GuestImage image;
  image.path = "/i";
  image.verity =
      "root_hash=aabb,salt=ccdd,data_blocks=1000,data_block_size=4096,hash_block_size=4096";
  KernelParams params;
  add_root_params(image, false, &params);
  EXPECT_EQ(params.text(),
            "dm-mod.create=\"dm-verity,,,ro,0 8000 verity 1 /dev/vda1 /dev/vda2 4096 4096 1000 0 "
            "sha256 aabb ccdd\" root=/dev/dm-0 rootflags=data=ordered,errors=remount-ro ro "
            "rootfstype=ext4");
}

TEST(AccelTest, TcgNeedsNoProof) {
  auto decision = choose_accelerator(AccelChoice::kTcg, "");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->accel, Accelerator::kTcg);
}

TEST(AccelTest, AutoAndForcedAgreeWithTheProof) {
  Status proof = prove_kvm();
  auto chosen = choose_accelerator(AccelChoice::kAuto, "");
  auto forced = choose_accelerator(AccelChoice::kKvm, "");
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->accel, proof ? Accelerator::kKvm : Accelerator::kTcg);
  EXPECT_FALSE(chosen->reason.empty());
  EXPECT_EQ(forced.has_value(), proof.has_value());
  if (!forced) {
    EXPECT_EQ(forced.error().code(), Code::kFailedPrecondition);
    EXPECT_NE(forced.error().message().find("not usable"), std::string::npos);
  }
}

TEST(AccelTest, ProofIsKeptForOneBootInAFileOfOurOwn) {
  if (!check_cpu_flags()) GTEST_SKIP() << "no vmx or svm: the proof ends before the file";
  std::string path = "/tmp/accel-test.json";
  unlink(path.c_str());
  ASSERT_TRUE(choose_accelerator(AccelChoice::kAuto, path));
  EXPECT_TRUE(path_exists(path) || !prove_kvm());
  unlink(path.c_str());
}

TEST(AccelTest, ProbeEndsInTime) {
  // Whatever /dev/kvm is here, the probe comes back with an answer.
  Status probed = run_kvm_probe();
  if (!probed) {
    EXPECT_FALSE(probed.error().message().empty());
  }
}

TEST(AccelTest, TimeStampCounterIsPlausible) {
  uint64_t khz = host_tsc_khz();
  if (khz == 0) GTEST_SKIP() << "no constant time stamp counter";
  EXPECT_GT(khz, 500'000u);
  EXPECT_LT(khz, 10'000'000u);
}

TEST(LineTailTest, KeepsTheLastLinesPrintable) {
  std::vector<std::string> seen;
  LineTail tail([&](const std::string& line) { seen.push_back(line); });
  tail.feed("one\r\ntw");
  tail.feed("o\x1b[31mred\n\n");
  tail.feed("unfinished");
  EXPECT_EQ(tail.text(), "one\ntwo?[31mred\nunfinished");
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "two?[31mred"}));
  for (int i = 0; i < 1000; ++i) tail.feed(std::string(100'000, 'x') + "\n");
  EXPECT_LE(tail.text().size(), (LineTail::kMaxShown + 1) * (LineTail::kMaxLines + 1));
  EXPECT_EQ(tail.text(2).size(), 2 * LineTail::kMaxShown + 1);
  EXPECT_EQ(seen.back().size(), LineTail::kMaxLine);
}

TEST(PciSlotsTest, FillsBridgesAndReusesSlots) {
  qemu::PciSlots slots(2);
  auto first = slots.take("a");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bus, "pci-bridge-0");
  EXPECT_EQ(first->addr, "01");
  EXPECT_EQ(first->guest_path, "02/01");
  EXPECT_EQ(slots.take("a").error().code(), Code::kAlreadyExists);
  for (int i = 1; i < 60; ++i) EXPECT_TRUE(slots.take("d" + std::to_string(i)));
  EXPECT_EQ(slots.take("more").error().code(), Code::kResourceExhausted);
  slots.release("d40");
  EXPECT_EQ(slots.take("again")->guest_path, "03/0b");
}

TEST(AgentEndpointTest, Urls) {
  AgentEndpoint endpoint;
  EXPECT_EQ(endpoint.url(1024), "");
  endpoint.kind = AgentEndpoint::Kind::kHybrid;
  endpoint.uds_path = "/run/vc/vm/x/clh.sock";
  EXPECT_EQ(endpoint.url(1024), "hvsock:///run/vc/vm/x/clh.sock:1024");
  endpoint.kind = AgentEndpoint::Kind::kVsock;
  endpoint.cid = 77;
  EXPECT_EQ(endpoint.url(1024), "vsock://77:1024");
}

}  // namespace
}  // namespace kata::hypervisor
