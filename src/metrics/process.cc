#include "metrics/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <iterator>
#include <map>

#include "base/file.h"
#include "metrics/proc_files.h"

namespace kata::metrics {

namespace {

// Positions in stat_fields().
constexpr size_t kUserTime = 11, kSystemTime = 12, kThreads = 17, kStartTime = 19;
constexpr size_t kVirtualSize = 20, kResidentPages = 21;

constexpr const char* kStatusItems[] = {"vmpeak",
                                        "vmsize",
                                        "vmlck",
                                        "vmpin",
                                        "vmhwm",
                                        "vmrss",
                                        "rssanon",
                                        "rssfile",
                                        "rssshmem",
                                        "vmdata",
                                        "vmstk",
                                        "vmexe",
                                        "vmlib",
                                        "vmpte",
                                        "vmpmd",
                                        "vmswap",
                                        "hugetlbpages",
                                        "voluntary_ctxt_switches",
                                        "nonvoluntary_ctxt_switches"};

struct IoItem {
  const char* kernel;
  const char* joined;
};
constexpr IoItem kIoItems[] = {{"rchar", "rchar"},
                               {"wchar", "wchar"},
                               {"syscr", "syscr"},
                               {"syscw", "syscw"},
                               {"read_bytes", "readbytes"},
                               {"write_bytes", "writebytes"},
                               {"cancelled_write_bytes", "cancelledwritebytes"}};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

// Adds the "Name:  123 kB" lines of a file to `sums`, names in lower case.
void add_colon_lines(const std::string& path, Unit unit, std::map<std::string, uint64_t>* sums) {
  for_each_line(path, [&](std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const auto words = words_in(line.substr(colon + 1));
    if (words.empty()) return;
    const uint64_t scale = unit == Unit::kBytes && words.size() > 1 && words[1] == "kB" ? 1024 : 1;
    (*sums)[lower(line.substr(0, colon))] += whole_number(words[0]) * scale;
  });
}

uint64_t sum_of_field(const ProcFolders& folders, size_t index) {
  uint64_t sum = 0;
  for (const std::string& folder : folders) {
    const auto fields = stat_fields(folder);
    if (index < fields.size()) sum += whole_number(fields[index]);
  }
  return sum;
}

uint64_t open_descriptors(const ProcFolders& folders) {
  uint64_t sum = 0;
  for (const std::string& folder : folders) {
    if (auto names = list_dir(folder + "/fd")) sum += names->size();
  }
  return sum;
}

double ticks_per_second() {
  return static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Seconds since 1970.
double boot_time(const std::string& proc) {
  double seconds = 0;
  for_each_line(proc + "/stat", [&](std::string_view line) {
    const auto words = words_in(line);
    if (words.size() == 2 && words[0] == "btime") {
      seconds = static_cast<double>(whole_number(words[1]));
    }
  });
  return seconds;
}

double as_double(rlim_t limit) {
  return limit == RLIM_INFINITY ? 18446744073709551615.0 : static_cast<double>(limit);
}

}  // namespace

void add_status(const std::string& prefix, const ProcFolders& folders, Unit unit, Text* out) {
  std::map<std::string, uint64_t> sums;
  for (const std::string& folder : folders) add_colon_lines(folder + "/status", unit, &sums);
  const std::string name = prefix + "_proc_status";
  out->family(name, "gauge",
              unit == Unit::kBytes ? "Memory in bytes and context switches, from the status file."
                                   : "Memory in kB and context switches, from the status file.");
  for (const char* item : kStatusItems) {
    if (auto found = sums.find(item); found != sums.end()) {
      out->sample(name, label("item", item), static_cast<double>(found->second));
    }
  }
}

void add_ticks(const std::string& prefix, const ProcFolders& folders, Text* out) {
  static constexpr const char* kItems[] = {"utime", "stime", "cutime", "cstime"};
  const std::string name = prefix + "_proc_stat";
  out->family(name, "gauge", "CPU time in clock ticks.");
  for (size_t i = 0; i < std::size(kItems); ++i) {
    out->sample(name, label("item", kItems[i]),
                static_cast<double>(sum_of_field(folders, kUserTime + i)));
  }
}

void add_io(const std::string& prefix, const ProcFolders& folders, IoNames names, Text* out) {
  std::map<std::string, uint64_t> sums;
  for (const std::string& folder : folders) add_colon_lines(folder + "/io", Unit::kBytes, &sums);
  const std::string name = prefix + "_io_stat";
  out->family(name, "gauge", "Bytes and calls of input and output.");
  for (const IoItem& item : kIoItems) {
    auto found = sums.find(item.kernel);
    if (found == sums.end()) continue;
    out->sample(name, label("item", names == IoNames::kKernel ? item.kernel : item.joined),
                static_cast<double>(found->second));
  }
}

void add_process_group(const std::string& prefix, const ProcFolders& folders, Text* out) {
  out->single(prefix + "_threads", "gauge", "Threads.",
              static_cast<double>(sum_of_field(folders, kThreads)));
  out->single(prefix + "_fds", "gauge", "Open file descriptors.",
              static_cast<double>(open_descriptors(folders)));
  add_status(prefix, folders, Unit::kBytes, out);
  add_ticks(prefix, folders, out);
  add_io(prefix, folders, IoNames::kJoined, out);
}

void add_process_collector(const std::string& prefix, const std::string& proc, Text* out) {
  const std::string self = proc + "/self", name = prefix + "process_";
  const auto fields = stat_fields(self);
  if (fields.size() <= kResidentPages) return;
  auto field = [&](size_t index) { return static_cast<double>(whole_number(fields[index])); };
  out->single(name + "cpu_seconds_total", "counter", "User and system CPU time in seconds.",
              (field(kUserTime) + field(kSystemTime)) / ticks_per_second());
  out->single(name + "open_fds", "gauge", "Open file descriptors.",
              static_cast<double>(open_descriptors({self})));
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out->single(name + "max_fds", "gauge", "Most file descriptors that may be open.",
                as_double(limit.rlim_cur));
  }
  out->single(name + "virtual_memory_bytes", "gauge", "Virtual memory in bytes.",
              field(kVirtualSize));
  if (getrlimit(RLIMIT_AS, &limit) == 0) {
    out->single(name + "virtual_memory_max_bytes", "gauge", "Most virtual memory in bytes.",
                as_double(limit.rlim_cur));
  }
  out->single(name + "resident_memory_bytes", "gauge", "Resident memory in bytes.",
              field(kResidentPages) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  out->single(name + "start_time_seconds", "gauge", "Start of the process, seconds since 1970.",
              boot_time(proc) + field(kStartTime) / ticks_per_second());
  out->single(name + "threads", "gauge", "Threads.", field(kThreads));
}

void add_interfaces(const std::string& name, const std::string& path, Text* out) {
  static constexpr const char* kItems[] = {
      "recv_bytes", "recv_packets", "recv_errs",       "recv_drop",
      "recv_fifo",  "recv_frame",   "recv_compressed", "recv_multicast",
      "sent_bytes", "sent_packets", "sent_errs",       "sent_drop",
      "sent_fifo",  "sent_colls",   "sent_carrier",    "sent_compressed"};
  out->family(name, "gauge", "Counters of network interfaces.");
  for_each_line(path, [&](std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const auto names = words_in(line.substr(0, colon));
    const auto values = words_in(line.substr(colon + 1));
    if (names.empty()) return;
    for (size_t i = 0; i < values.size() && i < std::size(kItems); ++i) {
      out->sample(name, label("interface", names[0]) + "," + label("item", kItems[i]), values[i]);
    }
  });
}

double cpu_nanoseconds(const ProcFolders& folders) {
  const auto ticks =
      static_cast<double>(sum_of_field(folders, kUserTime) + sum_of_field(folders, kSystemTime));
  return ticks * 1e9 / ticks_per_second();
}

}  // namespace kata::metrics
