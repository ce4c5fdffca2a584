#include "runtime/vm_config_builder.h"

#include <memory>

#include "runtime/guest_log.h"
#include "runtime/guest_requests.h"

namespace kata::runtime {

namespace {

using config::HypervisorConfig;

// Less than create_container_timeout, so that the agent can say what is missing.
constexpr std::chrono::seconds kPlugLimit{30};

hypervisor::AccelChoice accel_of(config::Accel accel) {
  switch (accel) {
    case config::Accel::kKvm:
      return hypervisor::AccelChoice::kKvm;
    case config::Accel::kTcg:
      return hypervisor::AccelChoice::kTcg;
    case config::Accel::kAuto:
      break;
  }
  return hypervisor::AccelChoice::kAuto;
}

void set_memory(const Vm::Request& request, hypervisor::MemoryConfig* memory) {
  const HypervisorConfig& config = request.config->hypervisor;
  memory->boot = request.size.memory_mib;
  memory->max = request.most.memory_mib;
  memory->slots = static_cast<uint32_t>(config.memory_slots);
  memory->prealloc = config.enable_mem_prealloc;
  memory->hugepages = config.enable_hugepages;
  memory->file_backend = config.file_mem_backend;
  memory->free_page_reporting = config.reclaim_guest_freed_memory;
}

hypervisor::SharedFs shared_fs(const Vm::Request& request) {
  const HypervisorConfig& config = request.config->hypervisor;
  hypervisor::SharedFs fs;
  fs.tag = kSharedTag;
  fs.queue_size = static_cast<uint32_t>(config.virtio_fs_queue_size);
  fs.cache_size = static_cast<uint32_t>(config.virtio_fs_cache_size);
  if (config.shared_fs == config::SharedFs::kVirtio9p) {
    fs.kind = hypervisor::SharedFsKind::kVirtio9p;
    fs.source = request.shared_dir;
  } else {
    fs.kind = hypervisor::SharedFsKind::kVirtioFs;
    fs.socket_path = request.paths->vm + "/vhost-fs.sock";
  }
  return fs;
}

void split_words(const std::string& text, std::vector<std::string>* out) {
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) out->push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

std::vector<std::string> guest_parameters(const config::Config& config) {
  std::vector<std::string> words;
  const auto& agent = config.agent;
  if (agent.enable_debug) {
    words.emplace_back("agent.log=debug");
  } else if (agent.log_level != "info") {
    words.push_back("agent.log=" + agent.log_level);
  }
  if (agent.enable_tracing) words.emplace_back("agent.trace=true");
  // A loaded host's emulated guest sees what was plugged late.
  words.push_back("agent.hotplug_timeout=" + std::to_string(kPlugLimit.count()));
  if (agent.container_pipe_size > 0) {
    words.push_back("agent.container_pipe_size=" + std::to_string(agent.container_pipe_size));
  }
  if (!agent.resource_view) words.emplace_back("agent.resource_view=false");
  if (agent.debug_console_enabled) {
    words.emplace_back("agent.debug_console");
    words.emplace_back("agent.debug_console_vport=1026");
  }
  split_words(config.hypervisor.kernel_params, &words);
  return words;
}

Status check_driver(config::HypervisorKind kind) {
  if (kind == config::HypervisorKind::kQemu) return {};
  return fail(Code::kUnimplemented, std::string("the configuration is for the hypervisor ") +
                                        std::string(config::hypervisor_name(kind)) +
                                        ", but only qemu can be driven; use a [hypervisor.qemu] "
                                        "section");
}

Result<hypervisor::VmConfig> build_vm_config(const Vm::Request& request) {
  const HypervisorConfig& config = request.config->hypervisor;
  TRY_STATUS(check_driver(config.kind));
  hypervisor::VmConfig vm;
  vm.id = request.sandbox_id;
  vm.vm_dir = request.paths->vm;
  vm.vmm_path = config.path;
  if (!config.machine_type.empty()) vm.machine_type = config.machine_type;
  vm.machine_options = config.machine_accelerators;
  vm.accel = accel_of(config.accel);
  vm.firmware = config.firmware;
  vm.firmware_volume = config.firmware_volume;
  vm.pflashes = config.pflashes;
  vm.seccomp = config.seccompsandbox;
  vm.vcpus = request.size.vcpus;
  vm.max_vcpus = std::max(request.size.vcpus, request.most.vcpus);
  vm.cpu_features = config.cpu_features;
  set_memory(request, &vm.memory);
  vm.kernel = config.kernel;
  vm.initrd = config.initrd;
  vm.image.path = config.image;
  vm.image.fs_type = config.rootfs_type;
  vm.image.verity = config.kernel_verity_params;
  if (config.disable_image_nvdimm) vm.image.driver = hypervisor::ImageDriver::kVirtioBlk;
  vm.kernel_params = guest_parameters(*request.config);
  vm.pci_bridges = static_cast<uint32_t>(config.default_bridges);
  vm.pcie_root_ports = static_cast<uint32_t>(config.pcie_root_port);
  if (config.block_device_driver == "virtio-blk") {
    vm.disk_driver = hypervisor::DiskDriver::kVirtioBlk;
  }
  vm.iothreads = config.enable_iothreads;
  vm.indep_iothreads = static_cast<uint32_t>(config.indep_iothreads);
  vm.iommu = config.enable_iommu;
  vm.iommu_platform = config.enable_iommu_platform;
  vm.entropy_source = config.entropy_source;
  vm.shared_fs = shared_fs(request);
  vm.legacy_serial = config.use_legacy_serial;
  vm.debug = config.enable_debug;
  auto guest_log =
      std::make_shared<GuestLog>(config.enable_debug, request.config->agent.enable_debug);
  vm.on_console_line = [guest_log](const std::string& line) { guest_log->add(line); };
  vm.netns_fd = request.netns_fd;
  return vm;
}

}  // namespace kata::runtime
