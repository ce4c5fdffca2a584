#include "agent/guest/metrics.h"

#include <unistd.h>

#include <charconv>

#include "base/file.h"

namespace kata::agent {
namespace {

uint64_t number(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string read_text(const std::string& path) {
  auto text = read_file(path);
  return text ? std::move(*text) : std::string();
}

// "Name:   123 kB" lines as samples with snake-case item labels.
void add_colon_lines(const char* family, const std::string& path, MetricsText* out) {
  for_each_line(path, [&](std::string_view line) {
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    auto words = words_in(line.substr(colon + 1));
    if (words.empty() || words[0].find_first_not_of("0123456789") != std::string_view::npos) return;
    std::string item;
    for (char c : line.substr(0, colon)) {
      item += c == '(' || c == ')' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    out->sample(family, label("item", item), std::string(words[0]));
  });
}

}  // namespace

void MetricsText::family(const char* name, const char* type, const char* help) {
  text_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

void MetricsText::sample(const char* name, const std::string& labels, const std::string& value) {
  text_ += name;
  if (!labels.empty()) text_ += "{" + labels + "}";
  text_ += " " + value + "\n";
}

std::string label(const char* name, std::string_view value) {
  std::string text = std::string(name) + "=\"";
  for (char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text + "\"";
}

std::vector<std::string_view> words_in(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\r";
  while (true) {
    size_t begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    std::string_view word = line.substr(0, line.find_first_of(kBlank));
    words.push_back(word);
    line.remove_prefix(word.size());
  }
}

void for_each_line(const std::string& path, const std::function<void(std::string_view)>& each) {
  std::string text = read_text(path);
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    each(line);
  }
}

void add_agent_process(const std::string& proc, MetricsText* out) {
  std::string stat = read_text(proc + "/self/stat");
  size_t paren = stat.rfind(')');  // the program name may hold blanks
  auto fields =
      words_in(paren == std::string::npos ? "" : std::string_view(stat).substr(paren + 2));
  if (fields.size() > 21) {
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    out->family("kata_agent_total_time", "gauge", "CPU time of the agent in seconds.");
    out->sample(
        "kata_agent_total_time", "",
        std::to_string(static_cast<double>(number(fields[11]) + number(fields[12])) / ticks));
    out->family("kata_agent_threads", "gauge", "Threads of the agent.");
    out->sample("kata_agent_threads", "", std::string(fields[17]));
    out->family("kata_agent_total_vm", "gauge", "Virtual memory of the agent in bytes.");
    out->sample("kata_agent_total_vm", "", std::string(fields[20]));
    out->family("kata_agent_total_rss", "gauge", "Resident memory of the agent in bytes.");
    auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    out->sample("kata_agent_total_rss", "", std::to_string(number(fields[21]) * page));
    out->family("kata_agent_proc_stat", "gauge", "Clock ticks of the agent.");
    static constexpr const char* kItems[] = {"utime", "stime", "cutime", "cstime"};
    for (size_t i = 0; i < 4; ++i) {
      out->sample("kata_agent_proc_stat", label("item", kItems[i]), std::string(fields[11 + i]));
    }
  }
  out->family("kata_agent_proc_status", "gauge", "Figures of the agent's status file.");
  add_colon_lines("kata_agent_proc_status", proc + "/self/status", out);
  out->family("kata_agent_io_stat", "gauge", "Bytes and calls of the agent.");
  add_colon_lines("kata_agent_io_stat", proc + "/self/io", out);
}

void add_memory(const std::string& proc, MetricsText* out) {
  out->family("kata_guest_meminfo", "gauge", "Memory of the guest in kB.");
  add_colon_lines("kata_guest_meminfo", proc + "/meminfo", out);
  out->family("kata_guest_vm_stat", "gauge", "Virtual memory counters of the guest.");
  for_each_line(proc + "/vmstat", [&](std::string_view line) {
    auto words = words_in(line);
    if (words.size() == 2) {
      out->sample("kata_guest_vm_stat", label("item", words[0]), std::string(words[1]));
    }
  });
}

std::string agent_metrics() {
  static uint64_t scrapes = 0;
  MetricsText out;
  out.family("kata_agent_scrape_count", "counter", "Times these figures were asked for.");
  out.sample("kata_agent_scrape_count", "", std::to_string(++scrapes));
  const std::string proc = "/proc";
  add_agent_process(proc, &out);
  add_load_and_cpu(proc, &out);
  add_memory(proc, &out);
  add_network_devices(proc, &out);
  add_disks(proc, &out);
  add_filesystems(proc, &out);
  return out.take();
}

}  // namespace kata::agent
