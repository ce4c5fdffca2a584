#include "cli/memory_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace kata::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kMib = 1 << 20;

constexpr char kSmaps[] =
    "7f00-7f10 rw-s 00000000 00:01 77    /memfd:memory-backend-memfd (deleted)\n"
    "Size:             262144 kB\nRss: 61440 kB\nPss:  30720 kB\nPss_Dirty: 5 kB\n"
    "VmFlags: rd wr sh\n"
    "7f20-7f30 rwxp 00000000 00:00 0 \nSize: 999 kB\nPss: 2048 kB\n"
    "5500-5600 r-xp 00000000 08:01 12 /usr/bin/qemu-system-x86_64\nPss: 1024 kB\n"
    "7f40-7f50 rw-s 00000000 00:0f 9  /dev/hugepages/x\nSize: 2048 kB\nPss: 0 kB\n"
    "Private_Hugetlb: 2048 kB\n"
    "5600-5700 rw-p 00000000 00:00 0  [heap]\nPss: 3072 kB\n";

TEST(HostMemory, GuestMemoryAndTranslatedCodeAreApart) {
  const HostMemory memory = read_smaps(kSmaps);
  EXPECT_EQ(memory.guest_size, 258 * kMib);
  EXPECT_EQ(memory.guest, 32 * kMib);
  EXPECT_EQ(memory.code, 2 * kMib);
  EXPECT_EQ(memory.rest, 4 * kMib);
}

TEST(HostMemory, OfThisProcess) {
  auto memory = host_memory(getpid());
  ASSERT_TRUE(memory) << memory.error().message();
  EXPECT_GT(memory->rest, 0U);
  EXPECT_EQ(host_memory(0x7fffff).error().code(), Code::kNotFound);
}

TEST(MemoryReport, HalfLinesAndStrangersAreNothing) {
  EXPECT_EQ(read_smaps("Pss:\nPss: x\n-\n\n7f00-7f10 rw\n").rest, 0U);
  for (const char* bad : {"", "{", "[]", "{}", "{\"containers\":3}"}) {
    EXPECT_FALSE(parse_sandbox_memory(bad)) << bad;
  }
  auto odd = parse_sandbox_memory(
      "{\"shim\":-5,\"vmm\":1e30,\"containers\":[1,{\"id\":7,\"anonymous\":-1},"
      "{\"id\":\"c\",\"anonymous\":18446744073709551615}]}");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->shim, 0);
  EXPECT_EQ(odd->vmm, 0);
  ASSERT_EQ(odd->containers.size(), 2U);
  EXPECT_EQ(odd->containers[1].anonymous, uint64_t{1} << 50);
  EXPECT_EQ(parse_guest_memory("kata_guest_meminfo{item=\"mem_total\"} NaN\nrubbish{\n").total, 0U);
}

MemoryReport example() {
  MemoryReport report;
  report.sandbox = "s1";
  report.shim_view = *parse_sandbox_memory(
      R"({"shim":1,"vmm":2,"fs":3,"containers":[
         {"id":"0123456789abcdef","name":"web","anonymous":10485760,"shared":2097152,"page_cache":4194304},
         {"id":"c2","name":"","error":"gone"}]})");
  report.guest = parse_guest_memory(
      "# TYPE kata_guest_meminfo gauge\n"
      "kata_guest_meminfo{item=\"mem_total\"} 2.5165824e+08\n"  // 240 MiB
      "kata_guest_meminfo{item=\"mem_free\"} 178257920\n"       // 170
      "kata_guest_meminfo{item=\"cached\"} 31457280\n"          // 30
      "kata_guest_meminfo{item=\"buffers\"} 1048576\n"          // 1
      "kata_guest_meminfo{item=\"shmem\"} 8388608\n"            // 8
      "kata_guest_meminfo{item=\"anon_pages\"} 13631488\n"      // 13
      "kata_agent_proc_status{item=\"rssanon\"} 1024\n");
  report.vmm.guest_size = 256 * kMib;
  report.vmm.guest = 60 * kMib;
  report.vmm.code = 5 * kMib;
  report.vmm.rest = 50 * kMib;
  report.fs = {.guest_size = 256 * kMib, .guest = 20 * kMib, .code = 0, .rest = 4 * kMib};
  report.shim.rest = 3 * kMib;
  return report;
}

TEST(MemoryReport, EveryByteOfTheGuestIsInOneRow) {
  const MemoryReport report = example();
  EXPECT_EQ(report.kernel(), (256 - 170 - 30 - 1 - 13) * kMib);
  EXPECT_EQ(report.page_cache(), 23 * kMib);
  EXPECT_EQ(report.tmpfs(), 6 * kMib);
  EXPECT_EQ(report.other_processes(), 2 * kMib);
  const uint64_t containers = 12 * kMib;
  EXPECT_EQ(report.kernel() + report.page_cache() + report.tmpfs() + report.guest.agent +
                report.other_processes() + containers + report.guest.free,
            256 * kMib);
}

TEST(MemoryReport, OverheadIsWhatThePodCostsBesideItsContainers) {
  const MemoryReport report = example();
  EXPECT_EQ(report.host_processes(), 62 * kMib);
  EXPECT_EQ(report.guest_resident(), 80 * kMib);
  EXPECT_EQ(report.needed(), (62 + 42 + 1 + 6 + 2) * kMib);
  EXPECT_EQ(report.suggested(), 128 * kMib);  // 127.1
}

TEST(MemoryReport, TextAndJson) {
  const std::string text = memory_text(example());
  EXPECT_THAT(text, HasSubstr("container 0123456789ab (web)"));
  EXPECT_THAT(text, HasSubstr("container c2: gone"));
  EXPECT_THAT(text, HasSubstr("podFixed.memory of the RuntimeClass: 128Mi\n"));
  EXPECT_THAT(text, HasSubstr("translated code may still grow by: 251.0 MiB"));
  const auto json = nlohmann::json::parse(memory_json(example()));
  EXPECT_EQ(json["guest"]["vm"], 256 * kMib);
  EXPECT_EQ(json["containers"][0]["anonymous"], 10 * kMib);
  EXPECT_EQ(json["containers"][1]["error"], "gone");
  EXPECT_EQ(json["host"]["guest_memory"], 80 * kMib);
  EXPECT_EQ(json["overhead"]["suggested"], 128 * kMib);
}

TEST(MemoryReport, ASilentGuestCostsItsOwnFiguresOnly) {
  MemoryReport report = example();
  report.guest = {};
  const std::string text = memory_text(report);
  EXPECT_THAT(text, HasSubstr("the guest gave no figures"));
  EXPECT_THAT(text, HasSubstr("shim"));
  EXPECT_THAT(text, Not(HasSubstr("podFixed")));
  EXPECT_TRUE(nlohmann::json::parse(memory_json(report))["overhead"].is_null());
}

}  // namespace
}  // namespace kata::cli
