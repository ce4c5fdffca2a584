#include "shim/task/metrics.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <initializer_list>

#include "containerd/cgroups_v1.pb.h"
#include "containerd/cgroups_v2.pb.h"

namespace kata::shim {

namespace {

namespace v1 = io::containerd::cgroups::v1;
namespace v2 = io::containerd::cgroups::v2;

constexpr uint64_t kNanosPerMicro = 1000;

using MemoryStat = google::protobuf::Map<std::string, uint64_t>;

// First of the keys that memory.stat has: the two cgroup versions use different words.
uint64_t pick(const MemoryStat& stat, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (auto found = stat.find(key); found != stat.end()) return found->second;
  }
  return 0;
}

template <class Message>
kata::wkt::Any pack(const Message& message) {
  kata::wkt::Any any;
  any.set_type_url(message.GetTypeName());
  any.set_value(message.SerializeAsString());
  return any;
}

void copy_entry(const grpc::MemoryData& from, v1::MemoryEntry* to) {
  to->set_limit(from.limit());
  to->set_usage(from.usage());
  to->set_max(from.max_usage());
  to->set_failcnt(from.failcnt());
}

void fill_memory_v1(const grpc::MemoryStats& from, v1::MemoryStat* to) {
  const auto& stat = from.stats();
  to->set_cache(from.cache() ? from.cache() : pick(stat, {"cache", "file"}));
  to->set_rss(pick(stat, {"rss", "anon"}));
  to->set_rss_huge(pick(stat, {"rss_huge", "anon_thp"}));
  to->set_mapped_file(pick(stat, {"mapped_file", "file_mapped"}));
  to->set_dirty(pick(stat, {"dirty", "file_dirty"}));
  to->set_writeback(pick(stat, {"writeback", "file_writeback"}));
  to->set_pg_fault(pick(stat, {"pgfault"}));
  to->set_pg_maj_fault(pick(stat, {"pgmajfault"}));
  to->set_inactive_anon(pick(stat, {"inactive_anon"}));
  to->set_active_anon(pick(stat, {"active_anon"}));
  to->set_inactive_file(pick(stat, {"inactive_file"}));
  to->set_active_file(pick(stat, {"active_file"}));
  to->set_unevictable(pick(stat, {"unevictable"}));
  to->set_hierarchical_memory_limit(pick(stat, {"hierarchical_memory_limit"})
                                        ? pick(stat, {"hierarchical_memory_limit"})
                                        : from.usage().limit());
  // Version 2 counts hierarchically throughout: its own numbers are the totals.
  to->set_total_cache(pick(stat, {"total_cache", "file"}));
  to->set_total_rss(pick(stat, {"total_rss", "anon"}));
  to->set_total_rss_huge(pick(stat, {"total_rss_huge", "anon_thp"}));
  to->set_total_mapped_file(pick(stat, {"total_mapped_file", "file_mapped"}));
  to->set_total_dirty(pick(stat, {"total_dirty", "file_dirty"}));
  to->set_total_writeback(pick(stat, {"total_writeback", "file_writeback"}));
  to->set_total_pg_fault(pick(stat, {"total_pgfault", "pgfault"}));
  to->set_total_pg_maj_fault(pick(stat, {"total_pgmajfault", "pgmajfault"}));
  to->set_total_inactive_anon(pick(stat, {"total_inactive_anon", "inactive_anon"}));
  to->set_total_active_anon(pick(stat, {"total_active_anon", "active_anon"}));
  to->set_total_inactive_file(pick(stat, {"total_inactive_file", "inactive_file"}));
  to->set_total_active_file(pick(stat, {"total_active_file", "active_file"}));
  to->set_total_unevictable(pick(stat, {"total_unevictable", "unevictable"}));
  copy_entry(from.usage(), to->mutable_usage());
  copy_entry(from.swap_usage(), to->mutable_swap());
  copy_entry(from.kernel_usage(), to->mutable_kernel());
  // The guest does not tell; CRI-O ends with a panic where the message is missing.
  to->mutable_kernel_tcp();
}

void fill_memory_v2(const grpc::MemoryStats& from, v2::MemoryStat* to) {
  const auto& stat = from.stats();
  to->set_anon(pick(stat, {"anon", "total_rss", "rss"}));
  to->set_file(pick(stat, {"file", "total_cache", "cache"}));
  to->set_kernel_stack(pick(stat, {"kernel_stack"}));
  to->set_slab(pick(stat, {"slab"}));
  to->set_sock(pick(stat, {"sock"}));
  to->set_shmem(pick(stat, {"shmem", "total_shmem"}));
  to->set_file_mapped(pick(stat, {"file_mapped", "total_mapped_file", "mapped_file"}));
  to->set_file_dirty(pick(stat, {"file_dirty", "total_dirty", "dirty"}));
  to->set_file_writeback(pick(stat, {"file_writeback", "total_writeback", "writeback"}));
  to->set_anon_thp(pick(stat, {"anon_thp", "total_rss_huge", "rss_huge"}));
  to->set_inactive_anon(pick(stat, {"total_inactive_anon", "inactive_anon"}));
  to->set_active_anon(pick(stat, {"total_active_anon", "active_anon"}));
  to->set_inactive_file(pick(stat, {"total_inactive_file", "inactive_file"}));
  to->set_active_file(pick(stat, {"total_active_file", "active_file"}));
  to->set_unevictable(pick(stat, {"total_unevictable", "unevictable"}));
  to->set_slab_reclaimable(pick(stat, {"slab_reclaimable"}));
  to->set_slab_unreclaimable(pick(stat, {"slab_unreclaimable"}));
  to->set_pgfault(pick(stat, {"total_pgfault", "pgfault"}));
  to->set_pgmajfault(pick(stat, {"total_pgmajfault", "pgmajfault"}));
  to->set_workingset_refault(pick(stat, {"workingset_refault", "workingset_refault_file"}));
  to->set_workingset_activate(pick(stat, {"workingset_activate", "workingset_activate_file"}));
  to->set_workingset_nodereclaim(pick(stat, {"workingset_nodereclaim"}));
  to->set_pgrefill(pick(stat, {"pgrefill"}));
  to->set_pgscan(pick(stat, {"pgscan"}));
  to->set_pgsteal(pick(stat, {"pgsteal"}));
  to->set_pgactivate(pick(stat, {"pgactivate"}));
  to->set_pgdeactivate(pick(stat, {"pgdeactivate"}));
  to->set_pglazyfree(pick(stat, {"pglazyfree"}));
  to->set_pglazyfreed(pick(stat, {"pglazyfreed"}));
  to->set_thp_fault_alloc(pick(stat, {"thp_fault_alloc"}));
  to->set_thp_collapse_alloc(pick(stat, {"thp_collapse_alloc"}));
  to->set_usage(from.usage().usage());
  to->set_usage_limit(from.usage().limit());
  to->set_max_usage(from.usage().max_usage());
  to->set_swap_usage(from.swap_usage().usage());
  to->set_swap_limit(from.swap_usage().limit());
  to->set_swap_max_usage(from.swap_usage().max_usage());
}

void copy_blkio(const google::protobuf::RepeatedPtrField<grpc::BlkioStatsEntry>& from,
                google::protobuf::RepeatedPtrField<v1::BlkIOEntry>* to) {
  for (const auto& entry : from) {
    auto* added = to->Add();
    added->set_op(entry.op());
    added->set_major(entry.major());
    added->set_minor(entry.minor());
    added->set_value(entry.value());
  }
}

bool is_word(const std::string& text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

v2::IOEntry* io_entry(v2::IOStat* io, const grpc::BlkioStatsEntry& from) {
  for (auto& entry : *io->mutable_usage()) {
    if (entry.major() == from.major() && entry.minor() == from.minor()) return &entry;
  }
  auto* added = io->add_usage();
  added->set_major(from.major());
  added->set_minor(from.minor());
  return added;
}

// One line per device instead of one per device and direction.
void fill_io_v2(const grpc::BlkioStats& from, v2::IOStat* to) {
  for (const auto& entry : from.io_service_bytes_recursive()) {
    if (is_word(entry.op(), "read")) io_entry(to, entry)->set_rbytes(entry.value());
    if (is_word(entry.op(), "write")) io_entry(to, entry)->set_wbytes(entry.value());
  }
  for (const auto& entry : from.io_serviced_recursive()) {
    if (is_word(entry.op(), "read")) io_entry(to, entry)->set_rios(entry.value());
    if (is_word(entry.op(), "write")) io_entry(to, entry)->set_wios(entry.value());
  }
}

// A number of the guest's that no reader of JSON stumbles over.
double percent(double value) {
  return value >= 0 && value <= 100 ? value : 0;
}

void copy_line(const grpc::PressureLine& from, v2::PSIData* to) {
  to->set_avg10(percent(from.avg10()));
  to->set_avg60(percent(from.avg60()));
  to->set_avg300(percent(from.avg300()));
  to->set_total(from.total());
}

void copy_pressure(const grpc::PressureStats& from, v2::PSIStats* to) {
  copy_line(from.some(), to->mutable_some());
  if (from.has_full()) copy_line(from.full(), to->mutable_full());
}

// A guest without PSI sends none, and an absent field means that to containerd.
void fill_pressure(const grpc::CgroupStats& from, v2::Metrics* to) {
  if (from.has_cpu_pressure()) copy_pressure(from.cpu_pressure(), to->mutable_cpu()->mutable_psi());
  if (from.has_memory_pressure()) {
    copy_pressure(from.memory_pressure(), to->mutable_memory()->mutable_psi());
  }
  if (from.has_io_pressure()) copy_pressure(from.io_pressure(), to->mutable_io()->mutable_psi());
}

// Network counters are the same in both versions.
template <class Metrics>
void copy_network(const grpc::StatsContainerResponse& from, Metrics* to) {
  for (const auto& entry : from.network_stats()) {
    auto* added = to->add_network();
    added->set_name(entry.name());
    added->set_rx_bytes(entry.rx_bytes());
    added->set_rx_packets(entry.rx_packets());
    added->set_rx_errors(entry.rx_errors());
    added->set_rx_dropped(entry.rx_dropped());
    added->set_tx_bytes(entry.tx_bytes());
    added->set_tx_packets(entry.tx_packets());
    added->set_tx_errors(entry.tx_errors());
    added->set_tx_dropped(entry.tx_dropped());
  }
}

}  // namespace

bool host_has_unified_cgroups() {
  struct statfs info {};
  return statfs("/sys/fs/cgroup", &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

kata::wkt::Any metrics_v1(const grpc::StatsContainerResponse& counters) {
  const auto& from = counters.cgroup_stats();
  v1::Metrics metrics;
  for (const auto& [size, entry] : from.hugetlb_stats()) {
    auto* added = metrics.add_hugetlb();
    added->set_pagesize(size);
    added->set_usage(entry.usage());
    added->set_max(entry.max_usage());
    added->set_failcnt(entry.failcnt());
  }
  metrics.mutable_pids()->set_current(from.pids_stats().current());
  metrics.mutable_pids()->set_limit(from.pids_stats().limit());
  const auto& cpu = from.cpu_stats();
  auto* usage = metrics.mutable_cpu()->mutable_usage();
  usage->set_total(cpu.cpu_usage().total_usage());
  usage->set_kernel(cpu.cpu_usage().usage_in_kernelmode());
  usage->set_user(cpu.cpu_usage().usage_in_usermode());
  *usage->mutable_per_cpu() = cpu.cpu_usage().percpu_usage();
  auto* throttling = metrics.mutable_cpu()->mutable_throttling();
  throttling->set_periods(cpu.throttling_data().periods());
  throttling->set_throttled_periods(cpu.throttling_data().throttled_periods());
  throttling->set_throttled_time(cpu.throttling_data().throttled_time());
  fill_memory_v1(from.memory_stats(), metrics.mutable_memory());
  const auto& block = from.blkio_stats();
  auto* blkio = metrics.mutable_blkio();
  copy_blkio(block.io_service_bytes_recursive(), blkio->mutable_io_service_bytes_recursive());
  copy_blkio(block.io_serviced_recursive(), blkio->mutable_io_serviced_recursive());
  copy_blkio(block.io_queued_recursive(), blkio->mutable_io_queued_recursive());
  copy_blkio(block.io_service_time_recursive(), blkio->mutable_io_service_time_recursive());
  copy_blkio(block.io_wait_time_recursive(), blkio->mutable_io_wait_time_recursive());
  copy_blkio(block.io_merged_recursive(), blkio->mutable_io_merged_recursive());
  copy_blkio(block.io_time_recursive(), blkio->mutable_io_time_recursive());
  copy_blkio(block.sectors_recursive(), blkio->mutable_sectors_recursive());
  copy_network(counters, &metrics);
  return pack(metrics);
}

kata::wkt::Any metrics_v2(const grpc::StatsContainerResponse& counters) {
  const auto& from = counters.cgroup_stats();
  v2::Metrics metrics;
  metrics.mutable_pids()->set_current(from.pids_stats().current());
  metrics.mutable_pids()->set_limit(from.pids_stats().limit());
  const auto& cpu = from.cpu_stats();
  auto* to = metrics.mutable_cpu();
  to->set_usage_usec(cpu.cpu_usage().total_usage() / kNanosPerMicro);
  to->set_user_usec(cpu.cpu_usage().usage_in_usermode() / kNanosPerMicro);
  to->set_system_usec(cpu.cpu_usage().usage_in_kernelmode() / kNanosPerMicro);
  to->set_nr_periods(cpu.throttling_data().periods());
  to->set_nr_throttled(cpu.throttling_data().throttled_periods());
  to->set_throttled_usec(cpu.throttling_data().throttled_time() / kNanosPerMicro);
  fill_memory_v2(from.memory_stats(), metrics.mutable_memory());
  fill_io_v2(from.blkio_stats(), metrics.mutable_io());
  for (const auto& [size, entry] : from.hugetlb_stats()) {
    auto* added = metrics.add_hugetlb();
    added->set_pagesize(size);
    added->set_current(entry.usage());
    added->set_max(entry.max_usage());
    added->set_failcnt(entry.failcnt());
  }
  fill_pressure(from, &metrics);
  copy_network(counters, &metrics);
  return pack(metrics);
}

}  // namespace kata::shim
