#include "agent/guest/metrics.h"

#include <unistd.h>

#include "metrics/proc_files.h"
#include "metrics/process.h"

namespace kata::agent {
namespace {

using metrics::label;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

char lower(char c) {
  return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Position in metrics::stat_fields().
double number_at(const std::vector<std::string>& fields, size_t index) {
  return index < fields.size() ? static_cast<double>(metrics::whole_number(fields[index])) : 0;
}

}  // namespace

std::string meminfo_item(std::string_view name) {
  // Words that upstream does not divide where their capitals are.
  struct Word {
    std::string_view kernel, item;
  };
  static constexpr Word kWords[] = {
      {"HugePages", "_hugepages"}, {"DirectMap", "direct_map_"}, {"Percpu", "per_cpu"}};
  std::string item;
  while (!name.empty()) {
    const Word* word = nullptr;
    for (const Word& known : kWords) {
      if (name.starts_with(known.kernel)) word = &known;
    }
    if (word) {
      item += item.empty() && word->item[0] == '_' ? word->item.substr(1) : word->item;
      name.remove_prefix(word->kernel.size());
      if (word->kernel == "DirectMap") return item.append(name);
      continue;
    }
    const char c = name[0];
    const char next = name.size() > 1 ? name[1] : '\0';
    name.remove_prefix(1);
    if (c == '(' || c == ')' || c == '_') {
      if (c != ')' && !item.ends_with('_')) item += '_';
      continue;
    }
    const char before = item.empty() ? '_' : item.back();
    // A capital begins a word, unless it goes on with an abbreviation: NFS, AS.
    if (is_upper(c) && before != '_' && is_lower(next)) item += '_';
    item += lower(c);
  }
  return item;
}

void add_agent_process(const std::string& proc, metrics::Text* out) {
  // Fields of proc(5)'s stat, counted from the third.
  constexpr size_t kUserTime = 11, kSystemTime = 12, kThreads = 17, kVirtual = 20, kResident = 21;
  const std::string self = proc + "/self";
  const auto fields = metrics::stat_fields(self);
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  out->single("kata_agent_total_time", "gauge", "CPU time of the agent in seconds.",
              (number_at(fields, kUserTime) + number_at(fields, kSystemTime)) / ticks);
  out->single("kata_agent_threads", "gauge", "Threads of the agent.", number_at(fields, kThreads));
  out->single("kata_agent_total_vm", "gauge", "Virtual memory of the agent in bytes.",
              number_at(fields, kVirtual));
  out->single("kata_agent_total_rss", "gauge", "Resident memory of the agent in bytes.",
              number_at(fields, kResident) * page);
  metrics::add_ticks("kata_agent", {self}, out);
  metrics::add_status("kata_agent", {self}, metrics::Unit::kKilobytes, out);
  metrics::add_io("kata_agent", {self}, metrics::IoNames::kKernel, out);
  metrics::add_process_collector("kata_agent_", proc, out);
}

void add_memory(const std::string& proc, metrics::Text* out) {
  out->family("kata_guest_meminfo", "gauge", "Memory of the guest in bytes, pages as numbers.");
  metrics::for_each_line(proc + "/meminfo", [&](std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const auto words = metrics::words_in(line.substr(colon + 1));
    if (words.empty()) return;
    const double scale = words.size() > 1 && words[1] == "kB" ? 1024 : 1;
    out->sample("kata_guest_meminfo", label("item", meminfo_item(line.substr(0, colon))),
                static_cast<double>(metrics::whole_number(words[0])) * scale);
  });
  out->family("kata_guest_vm_stat", "gauge", "Virtual memory counters of the guest.");
  metrics::for_each_line(proc + "/vmstat", [&](std::string_view line) {
    const auto words = metrics::words_in(line);
    if (words.size() == 2) {
      out->sample("kata_guest_vm_stat", label("item", words[0]), words[1]);
    }
  });
}

std::string agent_metrics() {
  static uint64_t scrapes = 0;
  metrics::Text out;
  out.single("kata_agent_scrape_count", "counter", "Times these figures were asked for.",
             static_cast<double>(++scrapes));
  const std::string proc = "/proc";
  add_agent_process(proc, &out);
  add_load_and_cpu(proc, &out);
  add_memory(proc, &out);
  metrics::add_interfaces("kata_guest_netdev_stat", proc + "/net/dev", &out);
  add_disks(proc, &out);
  add_filesystems(proc, &out);
  return out.take();
}

}  // namespace kata::agent
