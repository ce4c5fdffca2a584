#include "runtime/sandbox_metrics.h"

#include <algorithm>

#include "metrics/proc_files.h"
#include "metrics/process.h"
#include "runtime/guest_metrics.h"

namespace kata::runtime {

namespace {

constexpr Clock::duration kGuestLimit = 2500ms;
// Two looks closer than this say nothing about CPU time, which is counted in ticks.
constexpr Clock::duration kShortestSample = 1s;
// Starts take seconds where the guest is emulated: up to 65 s.
constexpr size_t kPhaseBuckets = 17;

std::string folder_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

// The file-system daemon and, as of the C version, the child that does its work.
metrics::ProcFolders fs_processes(const Sandbox& sandbox) {
  if (sandbox.fs_pid() <= 0) return {};
  const std::string daemon = folder_of(sandbox.fs_pid());
  metrics::ProcFolders folders = {daemon};
  const std::string children = daemon + "/task/" + std::to_string(sandbox.fs_pid()) + "/children";
  metrics::for_each_line(children, [&](std::string_view line) {
    for (std::string_view pid : metrics::words_in(line)) {
      folders.push_back("/proc/" + std::string(pid));
    }
  });
  return folders;
}

metrics::ProcFolders all_processes(const Sandbox& sandbox) {
  metrics::ProcFolders folders = fs_processes(sandbox);
  folders.insert(folders.end(), {"/proc/self", folder_of(sandbox.pid())});
  return folders;
}

double kilobytes_of(const std::string& folder, std::string_view key) {
  double value = 0;
  metrics::for_each_line(folder + "/status", [&](std::string_view line) {
    if (!line.starts_with(key)) return;
    const auto words = metrics::words_in(line.substr(key.size()));
    if (!words.empty()) value = static_cast<double>(metrics::whole_number(words[0]));
  });
  return value;
}

// Memory that would be free without the sandbox. Guest memory is mapped by the file-system daemon,
// too, but counts once; programs and libraries are every sandbox's.
double memory_of(const Sandbox& sandbox) {
  double kilobytes = kilobytes_of(folder_of(sandbox.pid()), "RssShmem:");
  for (const std::string& folder : all_processes(sandbox)) {
    kilobytes += kilobytes_of(folder, "RssAnon:");
  }
  return kilobytes * 1024;
}

void add_processes(const Sandbox& sandbox, metrics::Text* out) {
  metrics::add_process_group("kata_shim", {"/proc/self"}, out);
  metrics::add_process_collector("", "/proc", out);
  const std::string vmm = folder_of(sandbox.pid());
  metrics::add_process_group("kata_hypervisor", {vmm}, out);
  metrics::add_interfaces("kata_hypervisor_netdev", vmm + "/net/dev", out);
  const auto daemon = fs_processes(sandbox);
  if (!daemon.empty()) metrics::add_process_group("kata_virtiofsd", daemon, out);
}

void add_phases(const PhaseRecord& record, metrics::Text* out) {
  metrics::Histograms phases("kata_shim_start_phase_durations_histogram_milliseconds",
                             "Time of the phases of starts in milliseconds.", "phase",
                             kPhaseBuckets);
  record.for_each(
      [&](const std::string& name, Clock::duration duration) { phases.observe(name, duration); });
  phases.write(out);
}

}  // namespace

Task<std::string> SandboxMetrics::collect() {
  auto sandbox = sandbox_.lock();
  if (!sandbox) co_return std::string();
  if (running_) {
    auto shared = co_await running_->wait();
    co_return *shared;
  }
  running_.emplace(sandbox->executor());
  std::string made = co_await make(sandbox);
  auto text = std::make_shared<const std::string>(std::move(made));
  running_->set(text);
  running_.reset();
  co_return *text;
}

Task<std::string> SandboxMetrics::make(std::shared_ptr<Sandbox> sandbox) {
  metrics::Text out;
  add_processes(*sandbox, &out);
  add_phases(sandbox->phases(), &out);
  if (sandbox->lives()) co_await add_guest(sandbox, &out);
  sandbox->agent().durations().write(&out);
  co_return out.take();
}

Task<> SandboxMetrics::add_guest(std::shared_ptr<Sandbox> sandbox, metrics::Text* out) {
  const auto deadline = Clock::now() + kGuestLimit;
  auto text = co_await sandbox->agent().metrics(kGuestLimit);
  if (!text) {
    refusals_.write(log::Level::kWarn, "no figures of the guest",
                    {{"error", text.error().message()}});
    co_return;
  }
  auto usage = co_await measure(sandbox, deadline);
  if (usage) add_overhead(*sandbox, std::move(*usage), out);
  const GuestMetrics admitted = admit_guest_metrics(*text, series_);
  out->append(admitted.text);
  if (admitted.refused == 0) co_return;
  refusals_.write(log::Level::kWarn, "figures of the guest are not passed on",
                  {{"lines", std::to_string(admitted.refused)}});
}

Task<std::optional<SandboxMetrics::Usage>> SandboxMetrics::measure(std::shared_ptr<Sandbox> sandbox,
                                                                   Clock::time_point deadline) {
  Usage usage;
  for (const std::string& id : sandbox->container_ids()) {
    const auto left = deadline - Clock::now();
    if (left <= Clock::duration::zero()) co_return std::nullopt;
    auto stats = co_await sandbox->agent().stats(id, left);
    // It may have been removed meanwhile, or not be made yet.
    if (!stats) continue;
    const auto& cgroup = stats->cgroup_stats();
    usage.containers[id] = static_cast<double>(cgroup.cpu_stats().cpu_usage().total_usage());
    usage.container_memory += static_cast<double>(cgroup.memory_stats().usage().usage());
  }
  usage.at = Clock::now();
  usage.host = metrics::cpu_nanoseconds(all_processes(*sandbox));
  co_return usage;
}

void SandboxMetrics::add_overhead(const Sandbox& sandbox, Usage usage, metrics::Text* out) {
  out->single("kata_shim_pod_overhead_memory_in_bytes", "gauge",
              "Memory of the sandbox beyond that of its containers.",
              std::max(0.0, memory_of(sandbox) - usage.container_memory));
  if (before_ && usage.at - before_->at >= kShortestSample) {
    double containers = 0;
    for (const auto& [id, now] : usage.containers) {
      auto then = before_->containers.find(id);
      containers += now - (then == before_->containers.end() ? 0 : then->second);
    }
    const double passed =
        static_cast<double>(std::chrono::nanoseconds(usage.at - before_->at).count());
    cpu_overhead_ = std::max(0.0, (usage.host - before_->host - containers) / passed * 100);
  }
  if (!before_ || usage.at - before_->at >= kShortestSample) before_ = std::move(usage);
  if (!cpu_overhead_) return;
  out->single("kata_shim_pod_overhead_cpu", "gauge",
              "CPU time of the sandbox beyond that of its containers since the scrape before, in "
              "percent of one CPU.",
              *cpu_overhead_);
}

}  // namespace kata::runtime
