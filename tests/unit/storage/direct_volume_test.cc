#include "storage/direct_volume.h"

#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "gmock/gmock.h"
#include "support/private_mounts.h"

namespace kata::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kWhole[] =
    R"({"volume-type":"block","device":"/dev/sdb","fstype":"ext4","options":["ro,noatime"],)"
    R"("metadata":{"fsGroup":"3000","fsGroupChangePolicy":"OnRootMismatch","other":"x"},"more":1})";

std::string refusal(const std::string& json) {
  auto parsed = parse_direct_volume(json);
  return parsed ? "accepted" : parsed.error().message();
}

std::string note(const std::string& member, const std::string& value) {
  const std::pair<const char*, const char*> members[] = {
      {"volume-type", "\"block\""}, {"device", "\"/dev/sdb\""}, {"fstype", "\"ext4\""}};
  std::string text = "{";
  for (const auto& [name, usual] : members) {
    if (member != name) text += "\"" + std::string(name) + "\":" + usual + ",";
  }
  return text + "\"" + member + "\":" + value + "}";
}

TEST(DirectVolumeNote, EveryMember) {
  auto volume = parse_direct_volume(kWhole);
  ASSERT_TRUE(volume) << volume.error().message();
  EXPECT_EQ(volume->device, "/dev/sdb");
  EXPECT_EQ(volume->fs_type, "ext4");
  EXPECT_THAT(volume->options, ElementsAre("ro,noatime"));
  EXPECT_TRUE(volume->read_only());
  ASSERT_TRUE(volume->group);
  EXPECT_EQ(volume->group->group_id(), 3000u);
  EXPECT_EQ(volume->group->group_change_policy(), types::OnRootMismatch);
  auto plain = parse_direct_volume(note("volume-type", "\"directvol\""));
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->read_only() || plain->group);
}

// Of a file that is being written, or was cut short, every beginning is refused.
TEST(DirectVolumeNote, EveryTruncationIsRefused) {
  const std::string whole = kWhole;
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(refusal(whole.substr(0, size)), HasSubstr("no JSON")) << size;
  }
}

TEST(DirectVolumeNote, TheWrongMemberIsNamed) {
  EXPECT_THAT(refusal("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal(note("volume-type", "\"vfiovol\"")), HasSubstr("volume-type"));
  EXPECT_THAT(refusal(note("volume-type", "\"\\u001b[2J\"")), HasSubstr("\\x1b"));
  EXPECT_THAT(refusal(note("device", "\"sdb\"")), HasSubstr("device"));
  EXPECT_THAT(refusal(note("device", "7")), HasSubstr("device"));
  EXPECT_THAT(refusal(note("device", "\"/dev/sdb\\u0000x\"")), HasSubstr("device"));
  EXPECT_THAT(refusal(note("fstype", "\"\"")), HasSubstr("fstype"));
  EXPECT_THAT(refusal(note("fstype", "\"../x\"")), HasSubstr("fstype"));
  EXPECT_THAT(refusal(note("options", "\"ro\"")), HasSubstr("options"));
  EXPECT_THAT(refusal(note("options", "[1]")), HasSubstr("options"));
  EXPECT_THAT(refusal(note("metadata", "{\"fsGroup\":\"-1\"}")), HasSubstr("fsGroup"));
  EXPECT_THAT(refusal(note("metadata", "{\"fsGroup\":\"99999999999\"}")), HasSubstr("fsGroup"));
  EXPECT_THAT(refusal(note("metadata", "{\"fsGroupChangePolicy\":\"x\"}")),
              HasSubstr("fsGroupChangePolicy"));
  EXPECT_THAT(refusal(note("x", std::string(30000, '[') + std::string(30000, ']'))),
              HasSubstr("no JSON"));
}

TEST(DirectVolumeNote, TheLastAccessWordWins) {
  DirectVolume volume;
  EXPECT_FALSE(volume.read_only());
  volume.options = {"noatime,ro"};
  EXPECT_TRUE(volume.read_only());
  volume.options.push_back("rw");
  EXPECT_FALSE(volume.read_only());
  volume.options.push_back("rosy");
  EXPECT_FALSE(volume.read_only());
}

TEST(VolumeName, IsBase64Url) {
  EXPECT_EQ(volume_name(""), "");
  EXPECT_EQ(volume_name("f"), "Zg==");
  EXPECT_EQ(volume_name("fo"), "Zm8=");
  EXPECT_EQ(volume_name("foo"), "Zm9v");
  EXPECT_EQ(volume_name("\xfb\xff\xbf"), "-_-_");
}

class DirectVolumesTest : public ::testing::Test {
 protected:
  ~DirectVolumesTest() override { std::filesystem::remove_all(folder_); }
  std::string folder_ = test::temp_dir();
  DirectVolumes volumes_{folder_ + "/direct-volumes"};
};

TEST_F(DirectVolumesTest, ComeAndGo) {
  EXPECT_FALSE(*volumes_.find("/data"));
  ASSERT_TRUE(volumes_.add("/data", kWhole));
  const std::string file = folder_ + "/direct-volumes/L2RhdGE=/mountInfo.json";
  EXPECT_EQ(*read_file(file), kWhole);
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  ASSERT_EQ(stat((folder_ + "/direct-volumes/L2RhdGE=").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  auto found = volumes_.find("/data");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->device, "/dev/sdb");
  EXPECT_FALSE(*volumes_.find("/data/"));
  ASSERT_TRUE(volumes_.remove("/data"));
  EXPECT_EQ(volumes_.remove("/data").error().code(), Code::kNotFound);
}

TEST_F(DirectVolumesTest, BadNotesAreNeitherWrittenNorUsed) {
  EXPECT_FALSE(volumes_.add("/data", "{"));
  EXPECT_FALSE(*volumes_.find("/data"));
  EXPECT_EQ(volumes_.add("data", kWhole).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(volumes_.add("/" + std::string(300, 'x'), kWhole).error().code(),
            Code::kInvalidArgument);
  ASSERT_TRUE(volumes_.add("/data", kWhole));
  ASSERT_TRUE(write_file(*volumes_.folder("/data") + "/mountInfo.json", "{\"device\":"));
  auto found = volumes_.find("/data");
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message(), HasSubstr("direct volume /data: "));
  EXPECT_THAT(found.error().message(), HasSubstr("mountInfo.json"));
}

TEST_F(DirectVolumesTest, OneWritesOrManyRead) {
  ASSERT_TRUE(volumes_.add("/data", kWhole));
  {
    auto writer = volumes_.lock("/data", false);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(write_file(*volumes_.folder("/data") + "/sandbox1", ""));
    auto other = volumes_.lock("/data", true);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), Code::kFailedPrecondition);
    EXPECT_THAT(other.error().message(), HasSubstr("sandbox1"));
  }
  auto reader = volumes_.lock("/data", true);
  auto second = volumes_.lock("/data", true);
  EXPECT_TRUE(reader && second);
  EXPECT_FALSE(volumes_.lock("/data", false));
  EXPECT_THAT(*volumes_.users("/data"), ElementsAre("sandbox1"));
}

}  // namespace
}  // namespace kata::storage
