#include "hypervisor/accel.h"

#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "hypervisor/kvm_probe.h"

namespace kata::hypervisor {

namespace {

using nlohmann::json;

std::string boot_id() {
  auto id = read_file("/proc/sys/kernel/random/boot_id", 128);
  return id ? *id : std::string();
}

// Nothing unless the file is ours alone and was written since the last boot.
std::optional<Status> read_cache(const std::string& path) {
  struct stat info {};
  if (path.empty() || lstat(path.c_str(), &info) != 0) return std::nullopt;
  if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022) != 0) {
    return std::nullopt;
  }
  auto text = read_file(path, 4096);
  if (!text) return std::nullopt;
  json saved = json::parse(*text, nullptr, false);
  if (!saved.is_object() || saved.value("boot_id", json()) != boot_id()) return std::nullopt;
  json usable = saved.value("kvm", json());
  json reason = saved.value("reason", json());
  if (!usable.is_boolean() || !reason.is_string()) return std::nullopt;
  if (usable.get<bool>()) return Status();
  return fail(Code::kFailedPrecondition, reason.get<std::string>());
}

void write_cache(const std::string& path, const Status& proof) {
  if (path.empty()) return;
  json saved = {{"boot_id", boot_id()},
                {"kvm", proof.has_value()},
                {"reason", proof ? std::string() : proof.error().message()}};
  Status written =
      write_file_atomic(path, saved.dump(-1, ' ', false, json::error_handler_t::replace));
  // Without the file the next start proves again: slower by some milliseconds.
  if (!written) log::debug("cannot keep the KVM proof", {{"error", written.error().message()}});
}

Status kvm_usable(const std::string& cache) {
  TRY_STATUS(check_cpu_flags());
  if (auto saved = read_cache(cache)) return *saved;
  Status proof = run_kvm_probe();
  // A missing or forbidden /dev/kvm may be repaired without a reboot, a slow host may be quicker.
  if (proof || proof.error().code() == Code::kFailedPrecondition) write_cache(cache, proof);
  return proof;
}

}  // namespace

Status prove_kvm() {
  TRY_STATUS(check_cpu_flags());
  return run_kvm_probe();
}

Result<AccelDecision> choose_accelerator(AccelChoice choice, const std::string& cache) {
  if (choice == AccelChoice::kTcg) return AccelDecision{Accelerator::kTcg, "configured"};
  Status usable = kvm_usable(cache);
  if (usable) return AccelDecision{Accelerator::kKvm, "KVM is proven to work"};
  if (choice == AccelChoice::kKvm) {
    return fail(Code::kFailedPrecondition,
                "accelerator kvm is configured but not usable: " + usable.error().message());
  }
  return AccelDecision{Accelerator::kTcg, "KVM is not usable: " + usable.error().message()};
}

Task<Result<AccelDecision>> decide_accelerator(AccelChoice choice, std::string cache) {
  asio::thread_pool thread(1);
  co_return co_await offload(thread, [&] { return choose_accelerator(choice, cache); });
}

}  // namespace kata::hypervisor
