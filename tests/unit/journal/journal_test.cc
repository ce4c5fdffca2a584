#include "journal/journal.h"

#include <filesystem>

#include "base/file.h"
#include "gmock/gmock.h"
#include "support/private_mounts.h"

namespace kata::journal {
namespace {

using test::temp_dir;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JournalTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(dir_); }
  Journal open() {
    auto journal = Journal::open(path_);
    EXPECT_TRUE(journal);
    return std::move(*journal);
  }
  void raw(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  std::string dir_ = temp_dir();
  std::string path_ = dir_ + "/journal";
};

TEST_F(JournalTest, KeepsEntriesAcrossOpens) {
  { ASSERT_TRUE(open().add(mount_entry("/run/vc/vm/a b\n%"))); }
  Journal journal = open();
  ASSERT_TRUE(journal.add(Entry{"tap", {"tap0", "", "\xff"}}));
  auto entries = read_journal(path_);
  ASSERT_TRUE(entries);
  EXPECT_THAT(*entries,
              ElementsAre(mount_entry("/run/vc/vm/a b\n%"), Entry{"tap", {"tap0", "", "\xff"}}));
}

TEST_F(JournalTest, IsPrivate) {
  open();
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(JournalTest, DoneStrikesTheNewestEqualEntry) {
  Journal journal = open();
  ASSERT_TRUE(journal.add(dir_entry("/run/vc/vm/x")));
  ASSERT_TRUE(journal.add(file_entry("/run/vc/vm/x/s")));
  ASSERT_TRUE(journal.done(file_entry("/run/vc/vm/x/s")));
  ASSERT_TRUE(journal.done(file_entry("/never/there")));
  EXPECT_THAT(*read_journal(path_), ElementsAre(dir_entry("/run/vc/vm/x")));
}

TEST_F(JournalTest, AFullDiskLosesNothingThatWasNoted) {
  test::in_private_mounts([this] {
    ASSERT_EQ(mount("none", dir_.c_str(), "tmpfs", 0, "size=8k"), 0);
    Journal journal = open();
    std::vector<Entry> noted;
    auto add = [&](int number) {
      Entry entry = dir_entry("/run/vc/vm/" + std::string(700, 'x') + std::to_string(number));
      auto added = journal.add(entry);
      if (added) noted.push_back(std::move(entry));
      return added;
    };
    int number = 0;
    while (number < 100 && add(number)) ++number;
    ASSERT_LT(number, 100);
    EXPECT_GT(number, 5);
    // Each page ends in the middle of an entry: there is no room for a line end either.
    EXPECT_FALSE(add(number));
    EXPECT_EQ(*read_journal(path_), noted);
    ASSERT_EQ(mount("none", dir_.c_str(), "tmpfs", MS_REMOUNT, "size=64k"), 0);
    EXPECT_TRUE(add(number));
    EXPECT_TRUE(journal.done(noted.front()));
    noted.erase(noted.begin());
    EXPECT_EQ(*read_journal(path_), noted);
  });
}

TEST_F(JournalTest, LongLifeDoesNotGrowTheFile) {
  Journal journal = open();
  ASSERT_TRUE(journal.add(dir_entry("/run/vc/vm/x")));
  for (int i = 0; i < 5000; ++i) {
    Entry entry = mount_entry("/run/vc/vm/x/" + std::to_string(i));
    ASSERT_TRUE(journal.add(entry));
    ASSERT_TRUE(journal.done(entry));
  }
  EXPECT_LT(std::filesystem::file_size(path_), 64u << 10);
  EXPECT_THAT(*read_journal(path_), ElementsAre(dir_entry("/run/vc/vm/x")));
}

TEST_F(JournalTest, EveryCutOfTheLastLineIsIgnored) {
  const std::string line = encode(tree_entry("/run/vc/sbs/0123"));
  for (size_t n = 0; n < line.size(); ++n) {
    std::filesystem::remove(path_);
    raw(line.substr(0, n));
    EXPECT_THAT(*read_journal(path_), IsEmpty()) << n;
    // Writing goes on after it.
    ASSERT_TRUE(open().add(dir_entry("/run/vc/vm/y")));
    EXPECT_THAT(*read_journal(path_), ElementsAre(dir_entry("/run/vc/vm/y"))) << n;
  }
}

TEST_F(JournalTest, GarbageIsSkipped) {
  raw("\n\n.\n%%% .\nmount  .\nMOUNT /x .\nmount /x%2 .\nmount /x%zz .\n-\n");
  raw(std::string("\0\xff\x01 .\n", 6));
  raw(encode(file_entry("/run/vc/vm/f")) + "\n");
  EXPECT_THAT(*read_journal(path_), ElementsAre(file_entry("/run/vc/vm/f")));
}

TEST_F(JournalTest, AbsentFileIsEmpty) {
  EXPECT_THAT(*read_journal(path_), IsEmpty());
}

TEST_F(JournalTest, SymlinkIsNotOpened) {
  ASSERT_EQ(symlink("/etc/passwd", path_.c_str()), 0);
  EXPECT_FALSE(Journal::open(path_));
}

}  // namespace
}  // namespace kata::journal
