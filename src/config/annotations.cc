#include "config/annotations.h"

#include <algorithm>
#include <array>
#include <thread>

#include "config/annotation_gate.h"
#include "config/apply.h"
#include "config/extra_args.h"
#include "config/kernel_params.h"
#include "config/keys.h"
#include "config/pod_keys.h"
#include "config/pod_value.h"

namespace kata::config {
namespace {

constexpr std::string_view kPrefix = kAnnotationPrefix;

std::unexpected<Error> refuse_annotation(const std::string& name, const std::string& text,
                                         Code code = Code::kInvalidArgument) {
  return fail(code, "annotation " + name + ": " + text);
}

// Properties of QEMU's -machine that name host files or replace what the runtime chose.
Status check_machine_options(const std::string& options) {
  constexpr std::array<std::string_view, 8> kReserved = {
      "dumpdtb", "dtb", "kernel", "initrd", "firmware", "accel", "memory-backend", "type"};
  std::string_view rest = options;
  while (!rest.empty()) {
    std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    word = word.substr(0, word.find('='));
    word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
    word = word.substr(0, word.find_last_not_of(' ') + 1);
    if (std::find(kReserved.begin(), kReserved.end(), word) == kReserved.end()) continue;
    return fail(Code::kPermissionDenied, "a pod may not set \"" + std::string(word) + "\"");
  }
  return {};
}

// Rules of single annotations, applied after the value is known to have the right type.
Status check_hypervisor_value(const PodKey& pod_key, const std::string& text, const Value& value,
                              const HypervisorConfig& vm) {
  if (pod_key.valid && !(text.empty() && pod_key.annotation == "entropy_source") &&
      !path_allowed(vm.*pod_key.valid, text)) {
    return fail(
        Code::kPermissionDenied,
        "\"" + text + "\" is not an existing file that the valid_* list of this key allows");
  }
  const unsigned host_cpus = std::max(1u, std::thread::hardware_concurrency());
  if ((pod_key.annotation == "default_vcpus" && value.real > host_cpus) ||
      (pod_key.annotation == "default_max_vcpus" && value.integer > host_cpus)) {
    return fail(Code::kInvalidArgument,
                text + " is more than the " + std::to_string(host_cpus) + " CPUs of this host");
  }
  if (pod_key.annotation == "shared_fs" && text != "virtio-fs" && text != "virtio-9p") {
    return fail(Code::kInvalidArgument, "a pod may choose \"virtio-fs\" or \"virtio-9p\"");
  }
  if (pod_key.annotation == "machine_accelerators") return check_machine_options(text);
  return {};
}

// What one value implies for others.
Status store_hypervisor_value(const PodKey& pod_key, const Key& key, Value value, Config* config) {
  HypervisorConfig& vm = config->hypervisor;
  if (pod_key.annotation == "kernel_params") {
    vm.kernel_params = merge_kernel_params(vm.kernel_params, value.text);
    return {};
  }
  if (pod_key.annotation == "virtio_fs_extra_args") {
    HypervisorConfig pod;
    std::swap(pod.virtio_fs_extra_args, vm.virtio_fs_extra_args);
    TRY_STATUS(store(key, value, *config));
    TRY_STATUS(check_pod_extra_args(vm.virtio_fs_extra_args));
    TextList& all = pod.virtio_fs_extra_args;
    all.insert(all.end(), vm.virtio_fs_extra_args.begin(), vm.virtio_fs_extra_args.end());
    vm.virtio_fs_extra_args = std::move(all);
    return {};
  }
  if (pod_key.annotation == "image") vm.initrd.clear();
  if (pod_key.annotation == "initrd") vm.image.clear();
  if (pod_key.annotation == "hot_plug_vfio") vm.cold_plug_vfio = "no-port";
  if (pod_key.annotation == "cold_plug_vfio") vm.hot_plug_vfio = "no-port";
  return store(key, value, *config);
}

std::string allowed_names(const LoadedConfig& loaded) {
  std::string text;
  for (const Text& pattern : loaded.config.hypervisor.enable_annotations) {
    text += (text.empty() ? "" : ", ") + pattern;
  }
  return text.empty() ? "none" : text;
}

const PodKey* find_pod_key(std::span<const PodKey> keys, std::string_view name) {
  for (const PodKey& key : keys) {
    if (key.annotation == name) return &key;
  }
  return nullptr;
}

const Key* table_row(std::span<const Key> keys, const PodKey& pod_key) {
  return find_key(keys, pod_key.key.empty() ? pod_key.annotation : pod_key.key);
}

void warn_unknown(const std::string& name, LoadedConfig* loaded) {
  loaded->warnings.push_back("annotation " + name + ": unknown, ignored");
}

Status apply_hypervisor(const std::string& full, std::string_view name, const std::string& text,
                        LoadedConfig* loaded) {
  const HypervisorConfig& vm = loaded->config.hypervisor;
  if (!annotation_enabled(vm.enable_annotations, name)) {
    return refuse_annotation(full,
                             "is not enabled; allowed are: " + allowed_names(*loaded) +
                                 " (enable_annotations in " + loaded->path + ")",
                             Code::kPermissionDenied);
  }
  if (name.ends_with("_hash") || name == "asset_hash_type" || name == "cc_init_data") {
    return refuse_annotation(full, "is not supported yet", Code::kUnimplemented);
  }
  const PodKey* pod_key = find_pod_key(pod_hypervisor_keys(), name);
  const Key* key = pod_key ? table_row(hypervisor_keys(), *pod_key) : nullptr;
  if (!key) {
    warn_unknown(full, loaded);
    return {};
  }
  auto value = pod_value(*pod_key, *key, text, loaded->config);
  Status status = value ? check_hypervisor_value(*pod_key, text, *value, vm)
                        : Status(std::unexpected(value.error()));
  if (status) {
    status = store_hypervisor_value(*pod_key, *key, std::move(*value), &loaded->config);
  }
  if (!status) return refuse_annotation(full, status.error().message(), status.error().code());
  loaded->origins[hypervisor_key(*loaded, key->name)] = {"annotation " + full, 0};
  return {};
}

Status apply_other(const std::string& full, std::string_view name, const std::string& text,
                   std::span<const PodKey> pod_keys, std::span<const Key> keys,
                   LoadedConfig* loaded) {
  const PodKey* pod_key = find_pod_key(pod_keys, name);
  const Key* key = pod_key ? table_row(keys, *pod_key) : nullptr;
  if (!key) {
    warn_unknown(full, loaded);
    return {};
  }
  auto value = pod_value(*pod_key, *key, text, loaded->config);
  Status status =
      value ? store(*key, *value, loaded->config) : Status(std::unexpected(value.error()));
  if (!status) return refuse_annotation(full, status.error().message(), status.error().code());
  return {};
}

Status apply_one(const std::string& full, const std::string& text, LoadedConfig* loaded) {
  std::string_view name = full;
  name.remove_prefix(kPrefix.size());
  const size_t dot = name.find('.');
  const std::string_view section = name.substr(0, dot);
  name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  if (section == "hypervisor") return apply_hypervisor(full, name, text, loaded);
  if (section == "agent") {
    if (name == "policy")
      return refuse_annotation(full, "is not supported yet", Code::kUnimplemented);
    return apply_other(full, name, text, pod_agent_keys(), agent_keys(), loaded);
  }
  if (section == "runtime") {
    // Host paths in the guest are the administrator's to choose.
    if (name == "sandbox_bind_mounts") {
      return refuse_annotation(full, "may not be set by a pod", Code::kPermissionDenied);
    }
    return apply_other(full, name, text, pod_runtime_keys(), runtime_keys(), loaded);
  }
  warn_unknown(full, loaded);
  return {};
}

}  // namespace

Status apply_annotations(const std::map<std::string, std::string>& annotations,
                         LoadedConfig* loaded) {
  // The values of lists such as valid_hypervisor_paths cannot be reached from here: pod_keys.cc
  // does not name them.
  const std::string asset = std::string(kPrefix) + "hypervisor.";
  if (annotations.contains(asset + "image") && annotations.contains(asset + "initrd")) {
    return refuse_annotation(asset + "initrd", "image and initrd are both set; keep one of them");
  }
  bool changed = false;
  for (const auto& [name, text] : annotations) {
    // Upstream's name for this one lacks the section.
    if (name == "io.katacontainers.enable_vcpus_pinning") {
      TRY_STATUS(apply_other(name, "enable_vcpus_pinning", text, pod_runtime_keys(), runtime_keys(),
                             loaded));
    } else if (name.starts_with(kPrefix)) {
      TRY_STATUS(apply_one(name, text, loaded));
      changed = true;
    }
  }
  if (!changed) return {};
  TRY_STATUS(in_step("pod annotations", settle(loaded)));
  if (!loaded->paths_checked) return {};
  return in_step("pod annotations", settle_paths(loaded));
}

}  // namespace kata::config
