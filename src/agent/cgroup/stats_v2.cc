#include <cstdlib>
#include <limits>

#include "agent/cgroup/cgroup_v2.h"
#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

constexpr uint64_t kNsPerUs = 1000;
constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

uint64_t value_of(const std::map<std::string, uint64_t>& table, const char* key) {
  auto entry = table.find(key);
  return entry == table.end() ? 0 : entry->second;
}

void read_cpu(const CgroupDir& dir, grpc::CpuStats* out) {
  auto table = dir.table("cpu.stat");
  out->mutable_cpu_usage()->set_total_usage(value_of(table, "usage_usec") * kNsPerUs);
  out->mutable_cpu_usage()->set_usage_in_usermode(value_of(table, "user_usec") * kNsPerUs);
  out->mutable_cpu_usage()->set_usage_in_kernelmode(value_of(table, "system_usec") * kNsPerUs);
  grpc::ThrottlingData* throttling = out->mutable_throttling_data();
  throttling->set_periods(value_of(table, "nr_periods"));
  throttling->set_throttled_periods(value_of(table, "nr_throttled"));
  throttling->set_throttled_time(value_of(table, "throttled_usec") * kNsPerUs);
}

void read_memory(const CgroupDir& dir, grpc::MemoryStats* out) {
  auto table = dir.table("memory.stat");
  out->set_cache(value_of(table, "file"));
  out->set_use_hierarchy(true);
  grpc::MemoryData* usage = out->mutable_usage();
  usage->set_usage(dir.number("memory.current").value_or(0));
  usage->set_max_usage(dir.number("memory.peak").value_or(0));
  usage->set_limit(dir.number("memory.max").value_or(kUnlimited));
  usage->set_failcnt(value_of(dir.table("memory.events"), "max"));
  grpc::MemoryData* swap = out->mutable_swap_usage();
  swap->set_usage(dir.number("memory.swap.current").value_or(0));
  swap->set_max_usage(dir.number("memory.swap.peak").value_or(0));
  swap->set_limit(dir.number("memory.swap.max").value_or(kUnlimited));
  swap->set_failcnt(value_of(dir.table("memory.swap.events"), "fail"));
  out->mutable_kernel_usage()->set_usage(value_of(table, "kernel"));
  for (const auto& [key, value] : table) (*out->mutable_stats())[key] = value;
}

void read_pids(const CgroupDir& dir, grpc::PidsStats* out) {
  out->set_current(dir.number("pids.current").value_or(0));
  uint64_t limit = dir.number("pids.max").value_or(kUnlimited);
  out->set_limit(limit == kUnlimited ? 0 : limit);
}

// Lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6".
void read_io(const CgroupDir& dir, grpc::BlkioStats* out) {
  auto text = dir.read("io.stat");
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) {
    auto words = split(line, ' ');
    uint64_t major = 0, minor = 0;
    size_t colon = words[0].find(':');
    if (colon == std::string_view::npos || !parse_u64(words[0].substr(0, colon), &major) ||
        !parse_u64(words[0].substr(colon + 1), &minor)) {
      continue;
    }
    for (std::string_view word : words) {
      size_t equals = word.find('=');
      uint64_t value = 0;
      if (equals == std::string_view::npos || !parse_u64(word.substr(equals + 1), &value)) continue;
      std::string_view key = word.substr(0, equals);
      grpc::BlkioStatsEntry* entry = out->add_io_service_bytes_recursive();
      entry->set_major(major);
      entry->set_minor(minor);
      entry->set_op(std::string(key == "rbytes" ? "read" : key == "wbytes" ? "write" : key));
      entry->set_value(value);
    }
  }
}

void read_hugetlb(const CgroupDir& dir, grpc::CgroupStats* out) {
  auto names = list_dir(dir.path());
  if (!names) return;
  for (const std::string& name : *names) {
    // hugetlb.<size>.current; the reservation counters have one more part.
    auto parts = split(name, '.');
    if (parts.size() != 3 || parts[0] != "hugetlb" || parts[2] != "current") continue;
    std::string size(parts[1]);
    grpc::HugetlbStats& stats = (*out->mutable_hugetlb_stats())[size];
    stats.set_usage(dir.number(name).value_or(0));
    stats.set_failcnt(value_of(dir.table("hugetlb." + size + ".events"), "max"));
  }
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
void read_pressure_line(std::string_view line, grpc::PressureStats* out) {
  grpc::PressureLine* values = nullptr;
  if (line.starts_with("some ")) values = out->mutable_some();
  if (line.starts_with("full ")) values = out->mutable_full();
  if (!values) return;
  for (std::string_view word : split(line, ' ')) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string value(word.substr(equals + 1));
    const std::string_view key = word.substr(0, equals);
    if (key == "avg10") values->set_avg10(strtod(value.c_str(), nullptr));
    if (key == "avg60") values->set_avg60(strtod(value.c_str(), nullptr));
    if (key == "avg300") values->set_avg300(strtod(value.c_str(), nullptr));
    if (key == "total") values->set_total(strtoull(value.c_str(), nullptr, 10));
  }
}

void read_pressure(const CgroupDir& dir, const char* resource, grpc::CgroupStats* out,
                   grpc::PressureStats* (grpc::CgroupStats::*field)()) {
  // A kernel without PSI, or with psi=0, has no such file or does not let it be read.
  auto text = dir.read(std::string(resource) + ".pressure");
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) read_pressure_line(line, (out->*field)());
}

}  // namespace

grpc::CgroupStats read_stats_v2(const CgroupDir& dir) {
  grpc::CgroupStats out;
  read_cpu(dir, out.mutable_cpu_stats());
  read_memory(dir, out.mutable_memory_stats());
  read_pids(dir, out.mutable_pids_stats());
  read_io(dir, out.mutable_blkio_stats());
  read_hugetlb(dir, &out);
  read_pressure(dir, "cpu", &out, &grpc::CgroupStats::mutable_cpu_pressure);
  read_pressure(dir, "memory", &out, &grpc::CgroupStats::mutable_memory_pressure);
  read_pressure(dir, "io", &out, &grpc::CgroupStats::mutable_io_pressure);
  return out;
}

}  // namespace kata::agent
