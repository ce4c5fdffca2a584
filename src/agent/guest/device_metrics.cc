#include <sys/statvfs.h>

#include <algorithm>
#include <set>

#include "agent/guest/metrics.h"
#include "metrics/proc_files.h"

namespace kata::agent {

using metrics::for_each_line;
using metrics::label;
using metrics::words_in;

void add_load_and_cpu(const std::string& proc, metrics::Text* out) {
  static constexpr const char* kLoads[] = {"load1", "load5", "load15"};
  static constexpr const char* kTimes[] = {"user", "nice",    "system", "idle",  "iowait",
                                           "irq",  "softirq", "steal",  "guest", "guest_nice"};
  for_each_line(proc + "/loadavg", [&](std::string_view line) {
    auto words = words_in(line);
    if (words.size() < 4) return;
    out->family("kata_guest_load", "gauge", "Load average of the guest.");
    for (size_t i = 0; i < 3; ++i) {
      out->sample("kata_guest_load", label("item", kLoads[i]), words[i]);
    }
    size_t slash = words[3].find('/');
    if (slash == std::string_view::npos) return;
    out->family("kata_guest_tasks", "gauge", "Tasks of the guest.");
    out->sample("kata_guest_tasks", label("item", "cur"), words[3].substr(0, slash));
    out->sample("kata_guest_tasks", label("item", "max"), words[3].substr(slash + 1));
  });
  out->family("kata_guest_cpu_time", "gauge", "Clock ticks per CPU.");
  for_each_line(proc + "/stat", [&](std::string_view line) {
    auto words = words_in(line);
    if (words.empty() || !words[0].starts_with("cpu")) return;
    std::string_view index = words[0].substr(3);
    std::string cpu = label("cpu", index.empty() ? "total" : index);
    for (size_t i = 1; i < words.size() && i <= std::size(kTimes); ++i) {
      out->sample("kata_guest_cpu_time", cpu + "," + label("item", kTimes[i - 1]), words[i]);
    }
  });
}

void add_disks(const std::string& proc, metrics::Text* out) {
  static constexpr const char* kItems[] = {"reads",
                                           "merged",
                                           "sectors_read",
                                           "time_reading",
                                           "writes",
                                           "writes_merged",
                                           "sectors_written",
                                           "time_writing",
                                           "in_progress",
                                           "time_in_progress",
                                           "weighted_time_in_progress",
                                           "discards",
                                           "discards_merged",
                                           "sectors_discarded",
                                           "time_discarding",
                                           "flushes",
                                           "time_flushing"};
  out->family("kata_guest_diskstat", "gauge", "Counters of the guest's disks.");
  for_each_line(proc + "/diskstats", [&](std::string_view line) {
    auto words = words_in(line);
    for (size_t i = 3; i < words.size() && i - 3 < std::size(kItems); ++i) {
      out->sample("kata_guest_diskstat",
                  label("disk", words[2]) + "," + label("item", kItems[i - 3]), words[i]);
    }
  });
}

void add_filesystems(const std::string& proc, metrics::Text* out) {
  static constexpr std::string_view kTypes[] = {"btrfs", "ext4", "overlay", "vfat", "xfs"};
  metrics::Text byte_lines, inode_lines;
  std::set<std::string, std::less<>> seen;
  for_each_line(proc + "/mounts", [&](std::string_view line) {
    auto words = words_in(line);
    if (words.size() < 4 || std::ranges::find(kTypes, words[2]) == std::end(kTypes)) return;
    if (!(words[3] == "rw" || words[3].starts_with("rw,"))) return;
    if (!seen.emplace(words[0]).second) return;
    struct statvfs info {};
    if (statvfs(std::string(words[1]).c_str(), &info) < 0) return;
    std::string where = label("mount", words[1]) + "," + label("device", words[0]) + ",";
    auto add = [&where](metrics::Text* to, const char* name, uint64_t total, uint64_t free,
                        uint64_t available) {
      to->sample(name, where + label("item", "total"), std::to_string(total));
      to->sample(name, where + label("item", "used"), std::to_string(total - free));
      to->sample(name, where + label("item", "available"), std::to_string(available));
    };
    add(&byte_lines, "kata_guest_filesystem_bytes", info.f_blocks * info.f_frsize,
        info.f_bfree * info.f_frsize, info.f_bavail * info.f_frsize);
    add(&inode_lines, "kata_guest_filesystem_inodes", info.f_files, info.f_ffree, info.f_favail);
  });
  out->family("kata_guest_filesystem_bytes", "gauge", "Space of writable file systems.");
  out->append(byte_lines.take());
  out->family("kata_guest_filesystem_inodes", "gauge", "Inodes of writable file systems.");
  out->append(inode_lines.take());
}

}  // namespace kata::agent
