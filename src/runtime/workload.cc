#include "runtime/workload.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/log.h"
#include "oci/annotations.h"
#include "oci/json_reader.h"

namespace kata::runtime {

namespace {

constexpr int64_t kMostMemory = int64_t{1} << 50;
constexpr char kCrioResources[] = "io.kubernetes.cri-o.PodLinuxResources";

double cpu_limit(int64_t quota, uint64_t period) {
  if (quota <= 0 || period == 0) return 0;
  return static_cast<double>(quota) / static_cast<double>(period);
}

int64_t bounded(int64_t bytes) {
  return std::clamp<int64_t>(bytes, 0, kMostMemory);
}

void ignored(std::string_view key, std::string_view value, std::string_view why) {
  log::warn("annotation is ignored", {{"annotation", std::string(key)},
                                      {"value", std::string(value.substr(0, 64))},
                                      {"reason", std::string(why)}});
}

// Decimal text of one of the pod's annotations; what is no number counts as absent.
int64_t number_of(const grpc::Spec& spec, std::string_view key) {
  const std::string_view text = oci::annotation(spec, key);
  if (text.empty()) return 0;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  ignored(key, text, "no number");
  return 0;
}

// The sums over a pod's containers as a kubelet gives them.
struct Sums {
  int64_t quota = 0;
  int64_t period = 0;
  int64_t shares = 0;
  int64_t memory = 0;
  int64_t huge_pages = 0;
};

Sums containerd_sums(const grpc::Spec& spec) {
  return {.quota = number_of(spec, "io.kubernetes.cri.sandbox-cpu-quota"),
          .period = number_of(spec, "io.kubernetes.cri.sandbox-cpu-period"),
          .shares = number_of(spec, "io.kubernetes.cri.sandbox-cpu-shares"),
          .memory = number_of(spec, "io.kubernetes.cri.sandbox-memory")};
}

Sums crio_sums(const grpc::Spec& spec) {
  const std::string_view text = oci::annotation(spec, kCrioResources);
  Sums sums;
  if (text.empty() || text == "null") return sums;
  auto read = oci::read_document(text, kCrioResources, [&](const oci::JsonObject& json) {
    sums.quota = json.number<int64_t>("cpu_quota").value_or(0);
    sums.period = json.number<int64_t>("cpu_period").value_or(0);
    sums.shares = json.number<int64_t>("cpu_shares").value_or(0);
    sums.memory = json.number<int64_t>("memory_limit_in_bytes").value_or(0);
    json.objects("hugepage_limits", [&](const oci::JsonObject& pages) {
      const uint64_t limit = pages.number<uint64_t>("limit").value_or(0);
      sums.huge_pages += bounded(static_cast<int64_t>(std::min<uint64_t>(limit, kMostMemory)));
      sums.huge_pages = bounded(sums.huge_pages);
    });
  });
  if (read) return sums;
  ignored(kCrioResources, text, read.error().message());
  return {};
}

Workload needed_by(const Sums& sums) {
  Workload pod;
  pod.cpus = cpu_limit(sums.quota, sums.period > 0 ? static_cast<uint64_t>(sums.period) : 0);
  pod.memory = bounded(bounded(sums.memory) + sums.huge_pages);
  // Unlimited, but asked for; 2 is what a pod without requests has.
  if (sums.quota < 0 && sums.shares > 2) {
    pod.cpus = std::ceil(static_cast<double>(sums.shares) / 1024);
  }
  return pod;
}

}  // namespace

// Huge pages come on top of the memory limit, which does not count them.
Workload limits_of(const grpc::LinuxResources& resources) {
  Workload own{cpu_limit(resources.cpu().quota(), resources.cpu().period()),
               bounded(resources.memory().limit())};
  for (const auto& pages : resources.hugepagelimits()) {
    const uint64_t limit = std::min<uint64_t>(pages.limit(), kMostMemory);
    own.memory = std::min(own.memory + static_cast<int64_t>(limit), kMostMemory);
  }
  return own;
}

Workload pod_workload(const grpc::Spec& spec) {
  const Workload told = needed_by(containerd_sums(spec));
  const Workload crio = needed_by(crio_sums(spec));
  return {std::max(told.cpus, crio.cpus), std::max(told.memory, crio.memory)};
}

}  // namespace kata::runtime
