#include "agent/device/pci_path.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/device/block.h"
#include "base/file.h"

namespace kata::agent {
namespace {

TEST(PciPath, ParsesSlotsAndFunctions) {
  auto path = PciPath::parse("02/01.3");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->root_bus, 0);
  EXPECT_EQ(path->slots, (std::vector<PciSlot>{{2, 0}, {1, 3}}));
}

TEST(PciPath, LongPathWithHighFirstPartNamesARootComplex) {
  auto path = PciPath::parse("20/02/01");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->root_bus, 0x20);
  EXPECT_EQ(path->slots.size(), 2u);
  EXPECT_FALSE(PciPath::parse("20/02"));  // two parts: a slot, and 0x20 is none
}

TEST(PciPath, RefusesWhatIsNoPath) {
  for (const char* text : {"", "/", "02/", "xx", "02/01.8", "1f2", "../etc", "02 "}) {
    EXPECT_FALSE(PciPath::parse(text)) << text;
  }
}

TEST(PciPath, WalksBridgesByTheBusTheKernelShows) {
  char name[] = "/tmp/kata-pci.XXXXXX";
  std::string sysfs = mkdtemp(name);
  std::string bridge = sysfs + "/devices/pci0000:00/0000:00:02.0";
  std::string device = bridge + "/0000:07:01.0";
  ASSERT_TRUE(make_dirs(bridge + "/pci_bus/0000:07"));
  auto path = PciPath::parse("02/01");
  EXPECT_FALSE(pci_sysfs_folder(sysfs, *path));
  ASSERT_TRUE(make_dirs(device + "/virtio3/block/vdb"));
  EXPECT_EQ(pci_sysfs_folder(sysfs, *path), device);
  EXPECT_EQ(block_below(device), "/dev/vdb");
  (void)remove_tree(sysfs);
}

}  // namespace
}  // namespace kata::agent
