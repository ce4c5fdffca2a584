#include <google/protobuf/repeated_field.h>

#include "agent/cgroup/cgroup_v1.h"
#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

using BlkioList = google::protobuf::RepeatedPtrField<grpc::BlkioStatsEntry>;

uint64_t value_of(const std::map<std::string, uint64_t>& table, const char* key) {
  auto entry = table.find(key);
  return entry == table.end() ? 0 : entry->second;
}

void read_cpuacct(const CgroupDir& dir, grpc::CpuUsage* out) {
  out->set_total_usage(dir.number("cpuacct.usage").value_or(0));
  out->set_usage_in_usermode(dir.number("cpuacct.usage_user").value_or(0));
  out->set_usage_in_kernelmode(dir.number("cpuacct.usage_sys").value_or(0));
  auto text = dir.read("cpuacct.usage_percpu");
  if (!text) return;
  for (std::string_view word : split(*text, ' ')) {
    uint64_t value = 0;
    if (parse_u64(word, &value)) out->add_percpu_usage(value);
  }
}

void read_throttling(const CgroupDir& dir, grpc::ThrottlingData* out) {
  auto table = dir.table("cpu.stat");
  out->set_periods(value_of(table, "nr_periods"));
  out->set_throttled_periods(value_of(table, "nr_throttled"));
  out->set_throttled_time(value_of(table, "throttled_time"));
}

void read_memory_data(const CgroupDir& dir, const std::string& prefix, grpc::MemoryData* out) {
  out->set_usage(dir.number(prefix + "usage_in_bytes").value_or(0));
  out->set_max_usage(dir.number(prefix + "max_usage_in_bytes").value_or(0));
  out->set_failcnt(dir.number(prefix + "failcnt").value_or(0));
  out->set_limit(dir.number(prefix + "limit_in_bytes").value_or(0));
}

void read_memory(const CgroupDir& dir, grpc::MemoryStats* out) {
  auto table = dir.table("memory.stat");
  out->set_cache(value_of(table, "cache"));
  out->set_use_hierarchy(dir.number("memory.use_hierarchy").value_or(0) != 0);
  read_memory_data(dir, "memory.", out->mutable_usage());
  read_memory_data(dir, "memory.memsw.", out->mutable_swap_usage());
  read_memory_data(dir, "memory.kmem.", out->mutable_kernel_usage());
  for (const auto& [key, value] : table) (*out->mutable_stats())[key] = value;
}

// Lines "8:0 Read 4096"; the last line is a total over all devices.
void read_blkio_file(const CgroupDir& dir, const char* file, BlkioList* out) {
  auto text = dir.read(file);
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) {
    auto words = split(line, ' ');
    size_t colon = words[0].find(':');
    uint64_t major = 0, minor = 0, value = 0;
    if (words.size() != 3 || colon == std::string_view::npos ||
        !parse_u64(words[0].substr(0, colon), &major) ||
        !parse_u64(words[0].substr(colon + 1), &minor) || !parse_u64(words[2], &value)) {
      continue;
    }
    grpc::BlkioStatsEntry* entry = out->Add();
    entry->set_major(major);
    entry->set_minor(minor);
    std::string op(words[1]);
    if (!op.empty() && op[0] >= 'A' && op[0] <= 'Z') op[0] = static_cast<char>(op[0] - 'A' + 'a');
    entry->set_op(op);
    entry->set_value(value);
  }
}

void read_blkio(const CgroupDir& dir, grpc::BlkioStats* out) {
  read_blkio_file(dir, "blkio.throttle.io_service_bytes_recursive",
                  out->mutable_io_service_bytes_recursive());
  read_blkio_file(dir, "blkio.throttle.io_serviced_recursive",
                  out->mutable_io_serviced_recursive());
}

void read_hugetlb(const CgroupDir& dir, grpc::CgroupStats* out) {
  auto names = list_dir(dir.path());
  if (!names) return;
  for (const std::string& name : *names) {
    auto parts = split(name, '.');
    if (parts.size() != 3 || parts[0] != "hugetlb" || parts[2] != "usage_in_bytes") continue;
    std::string prefix = "hugetlb." + std::string(parts[1]) + '.';
    grpc::HugetlbStats& stats = (*out->mutable_hugetlb_stats())[std::string(parts[1])];
    stats.set_usage(dir.number(name).value_or(0));
    stats.set_max_usage(dir.number(prefix + "max_usage_in_bytes").value_or(0));
    stats.set_failcnt(dir.number(prefix + "failcnt").value_or(0));
  }
}

}  // namespace

grpc::CgroupStats read_stats_v1(const ControllerDirs& dirs) {
  grpc::CgroupStats out;
  auto with = [&](const char* controller, auto&& read) {
    if (auto dir = dirs.find(controller); dir != dirs.end()) read(dir->second);
  };
  with("cpuacct", [&](const CgroupDir& dir) {
    read_cpuacct(dir, out.mutable_cpu_stats()->mutable_cpu_usage());
  });
  with("cpu", [&](const CgroupDir& dir) {
    read_throttling(dir, out.mutable_cpu_stats()->mutable_throttling_data());
  });
  with("memory", [&](const CgroupDir& dir) { read_memory(dir, out.mutable_memory_stats()); });
  with("pids", [&](const CgroupDir& dir) {
    out.mutable_pids_stats()->set_current(dir.number("pids.current").value_or(0));
    uint64_t limit = dir.number("pids.max").value_or(0);
    out.mutable_pids_stats()->set_limit(limit == ~uint64_t{0} ? 0 : limit);
  });
  with("blkio", [&](const CgroupDir& dir) { read_blkio(dir, out.mutable_blkio_stats()); });
  with("hugetlb", [&](const CgroupDir& dir) { read_hugetlb(dir, &out); });
  return out;
}

}  // namespace kata::agent
