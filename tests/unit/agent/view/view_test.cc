// What limited containers see: texts, choice of CPUs, the file system's answers.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "agent/view/choose_cpus.h"
#include "agent/view/contents.h"
#include "agent/view/view_fs.h"
#include "base/file.h"

namespace kata::agent {
namespace {

using testing::HasSubstr;

TEST(ViewContents, CpuInfoKeepsTheBlocks) {
  const char* machine =
      "processor\t: 0\nflags\t\t: a\n\nprocessor\t: 1\nflags\t\t: b\n\n"
      "processor\t: 10\nflags\t\t: c\n\n";
  EXPECT_EQ(cpuinfo_of(machine, {1}), "processor\t: 1\nflags\t\t: b\n\n");
  EXPECT_EQ(cpuinfo_of(machine, {}), machine);
  EXPECT_EQ(cpuinfo_of("", {1}), "");
}

TEST(ViewContents, StatSumsItsOwnCpus) {
  const char* machine =
      "cpu  6 60 600\ncpu0 1 10 100\ncpu1 2 20 200\ncpu2 3 30 300\n"
      "intr 1 2 3\nctxt 5\n";
  EXPECT_EQ(stat_of(machine, {0, 2}),
            "cpu  4 40 400\ncpu0 1 10 100\ncpu2 3 30 300\nintr 1 2 3\nctxt 5\n");
  EXPECT_EQ(stat_of(machine, {}), machine);
}

TEST(ViewContents, MemInfoIsTheContainers) {
  const char* machine =
      "MemTotal:        8000000 kB\nMemFree:         7000000 kB\n"
      "MemAvailable:    7500000 kB\nBuffers:           20000 kB\n"
      "Cached:           300000 kB\nSwapTotal:             0 kB\n"
      "Slab:            9000000 kB\nHugePages_Total:       0\n"
      "VmallocTotal:   34359738367 kB\n";
  MemoryView memory{64 << 20, 16 << 20, 4 << 20, 2 << 20};
  const std::string text = meminfo_of(machine, memory);
  EXPECT_THAT(text, HasSubstr("MemTotal:          65536 kB\n"));
  EXPECT_THAT(text, HasSubstr("MemFree:           49152 kB\n"));
  EXPECT_THAT(text, HasSubstr("MemAvailable:      51200 kB\n"));
  EXPECT_THAT(text, HasSubstr("Cached:             4096 kB\n"));
  EXPECT_THAT(text, HasSubstr("Slab:              65536 kB\n"));
  EXPECT_THAT(text, HasSubstr("HugePages_Total:       0\n"));
  EXPECT_THAT(text, HasSubstr("VmallocTotal:   34359738367 kB\n"));
  EXPECT_EQ(meminfo_of(machine, {}), machine);
  memory.limit = uint64_t{1} << 60;
  EXPECT_EQ(meminfo_of(machine, memory), machine);
  // More used than allowed, as after a limit was lowered.
  EXPECT_THAT(meminfo_of(machine, {1 << 20, 2 << 20, 0, 0}),
              HasSubstr("MemFree:               0 kB"));
}

grpc::LinuxCPU cpu(int64_t quota, uint64_t period) {
  grpc::LinuxCPU limit;
  limit.set_quota(quota);
  limit.set_period(period);
  return limit;
}

TEST(ChooseCpus, LimitsAreRoundedUp) {
  EXPECT_EQ(cpus_of_limit(cpu(50000, 100000)), 1u);
  EXPECT_EQ(cpus_of_limit(cpu(100000, 100000)), 1u);
  EXPECT_EQ(cpus_of_limit(cpu(100001, 100000)), 2u);
  EXPECT_EQ(cpus_of_limit(cpu(250000, 0)), 3u);
  EXPECT_EQ(cpus_of_limit(cpu(-1, 100000)), 0u);
  EXPECT_EQ(cpus_of_limit(cpu(0, 100000)), 0u);
  EXPECT_EQ(cpus_of_limit(cpu(INT64_MAX, 1)), UINT32_MAX);
}

TEST(ChooseCpus, SpreadsAndKeeps) {
  EXPECT_EQ(choose_cpus(1, {0, 1, 2}, {}, {}), CpuSet{0});
  EXPECT_EQ(choose_cpus(1, {0, 1, 2}, {}, {{0, 1}, {1, 2}}), CpuSet{2});
  EXPECT_EQ(choose_cpus(2, {0, 1, 2}, {1}, {{1, 5}, {2, 1}}), (CpuSet{0, 1}));
  EXPECT_EQ(choose_cpus(9, {0, 1, 2}, {}, {}), (CpuSet{0, 1, 2}));
}

std::string request(uint32_t opcode, uint64_t node, std::string_view body = {}) {
  fuse_in_header header{};
  header.opcode = opcode;
  header.nodeid = node;
  header.unique = 7;
  header.len = static_cast<uint32_t>(sizeof header + body.size());
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  return out + std::string(body);
}

int error_of(const std::string& answer) {
  fuse_out_header header{};
  memcpy(&header, answer.data(), sizeof header);
  EXPECT_EQ(header.len, answer.size());
  return -header.error;
}

TEST(ViewFsTest, AnswersOnlyWhatIsThere) {
  ViewFs fs;
  fs.add("c1", [](ViewFile) { return std::string("text"); });
  auto name = [](std::string_view text) { return std::string(text) + '\0'; };
  EXPECT_EQ(error_of(fs.answer(request(FUSE_LOOKUP, 1, name("c2")))), ENOENT);
  const std::string found = fs.answer(request(FUSE_LOOKUP, 1, name("c1")));
  ASSERT_EQ(error_of(found), 0);
  fuse_entry_out entry{};
  memcpy(&entry, found.data() + sizeof(fuse_out_header), sizeof entry);
  EXPECT_EQ(error_of(fs.answer(request(FUSE_LOOKUP, entry.nodeid, name("stat")))), 0);
  EXPECT_EQ(error_of(fs.answer(request(FUSE_LOOKUP, entry.nodeid, name("..")))), ENOENT);
  EXPECT_EQ(error_of(fs.answer(request(FUSE_OPEN, entry.nodeid))), EISDIR);
  EXPECT_EQ(error_of(fs.answer(request(FUSE_READ, entry.nodeid | 1))), EINVAL);  // cut short
  EXPECT_EQ(error_of(fs.answer(request(FUSE_GETATTR, entry.nodeid | 9))), ENOENT);
  EXPECT_EQ(error_of(fs.answer(request(FUSE_WRITE, entry.nodeid | 1))), ENOSYS);
  EXPECT_EQ(fs.answer(request(FUSE_FORGET, entry.nodeid)), "");
  EXPECT_EQ(fs.answer("short"), "");
  fs.remove("c1");
  EXPECT_EQ(error_of(fs.answer(request(FUSE_GETATTR, entry.nodeid))), ENOENT);
}

std::string read_at(ViewFs& fs, uint64_t node, uint64_t offset, uint32_t size) {
  fuse_read_in in{};
  in.offset = offset;
  in.size = size;
  const std::string answer =
      fs.answer(request(FUSE_READ, node, {reinterpret_cast<const char*>(&in), sizeof in}));
  EXPECT_EQ(error_of(answer), 0);
  return answer.substr(sizeof(fuse_out_header));
}

TEST(ViewFsTest, ReadersBeginAnywhereAndDoNotCutEachOtherShort) {
  ViewFs::Time now{};
  ViewFs fs([&now] { return now; });
  int made = 0;
  fs.add("c1", [&](ViewFile) { return ++made, std::string("0123456789"); });
  constexpr uint64_t kStat = 1 << 8 | static_cast<uint64_t>(ViewFile::kStat);
  EXPECT_EQ(read_at(fs, kStat, 4, 3), "456");
  EXPECT_EQ(read_at(fs, kStat, 0, 5), "01234");
  EXPECT_EQ(read_at(fs, kStat, 10, 5), "");
  EXPECT_EQ(read_at(fs, kStat, 5, 5), "56789");
  EXPECT_EQ(made, 1);
  now += 2 * ViewFs::kFresh;
  EXPECT_EQ(read_at(fs, kStat, 5, 5), "56789");
  EXPECT_EQ(made, 1);
  EXPECT_EQ(read_at(fs, kStat, 0, 5), "01234");
  EXPECT_EQ(made, 2);
}

// The real kernel as the client; a child reads, as the loop of this process serves.
TEST(ViewFsTest, IsReadThroughTheKernel) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  if (!path_exists("/dev/fuse")) GTEST_SKIP() << "no FUSE";
  const std::string point =
      std::filesystem::temp_directory_path() / ("kata-view-" + std::to_string(getpid()));
  asio::io_context loop(1);
  ViewFs fs;
  auto started = fs.start(loop.get_executor(), point);
  if (!started) GTEST_SKIP() << started.error().message();
  const std::string text = std::string(10000, 'x') + "end\n";
  fs.add("c1",
         [&](ViewFile file) { return file == ViewFile::kStat ? text : std::string("one\n"); });
  const pid_t child = fork();
  if (child == 0) {
    auto stat = read_file(point + "/c1/stat");
    auto online = read_file(point + "/c1/online");
    auto absent = read_file(point + "/c1/passwd");
    const bool refused = open((point + "/c1/stat").c_str(), O_WRONLY) < 0;
    _exit(stat && *stat == text && online && *online == "one\n" && !absent && refused ? 0 : 1);
  }
  int status = -1;
  for (int i = 0; i < 2000 && waitpid(child, &status, WNOHANG) == 0; ++i) loop.run_for(10ms);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(umount2(point.c_str(), MNT_DETACH), 0);
  loop.run_for(100ms);
  std::filesystem::remove(point);
}

}  // namespace
}  // namespace kata::agent
