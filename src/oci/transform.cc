#include "oci/transform.h"

#include "oci/namespaces.h"

namespace kata::oci {
namespace {

bool below(const std::string& path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

bool is_shm_bind(const grpc::Mount& mount, const GuestContext& context) {
  return is_bind(mount) && mount.destination() == "/dev/shm" && !context.shm_source.empty();
}

// Sources that mean the guest's own kernel (facts/runtime-behaviour.md section 3.3).
bool is_kernel_source(const std::string& source) {
  return below(source, "/proc") || below(source, "/sys");
}

// With guest SELinux on, the type part of the host's label becomes the one that guest policies
// know.
std::string guest_label(const std::string& label, const GuestContext& context) {
  if (!context.selinux || label.empty()) return {};
  if (!context.selinux_label.empty()) return context.selinux_label;
  size_t type = label.find(':');
  if (type != std::string::npos) type = label.find(':', type + 1);
  if (type == std::string::npos) return label;
  size_t level = label.find(':', type + 1);
  std::string rest = level == std::string::npos ? std::string() : label.substr(level);
  return label.substr(0, type + 1) + "container_t" + rest;
}

Status transform_mounts(const grpc::Spec& host, const GuestContext& context, GuestSpec* guest) {
  guest->spec.clear_mounts();
  for (int i = 0; i < host.mounts_size(); ++i) {
    grpc::Mount mount = host.mounts(i);
    if (auto rewrite = context.mounts.find(i); rewrite != context.mounts.end()) {
      if (!rewrite->second) {
        guest->dropped.push_back("mount on " + mount.destination() + " stays on the host");
        continue;
      }
      mount = *rewrite->second;
    } else if (is_shm_bind(mount, context)) {
      mount.set_type("bind");
      mount.set_source(context.shm_source);
      mount.clear_options();
      mount.add_options("rbind");
      // A tmpfs of the guest that everybody may write to.
      mount.clear_uidmappings();
      mount.clear_gidmappings();
    } else if (is_bind(mount) && !is_kernel_source(mount.source())) {
      return fail(Code::kInvalidArgument, "mounts[" + std::to_string(i) + "]: host path " +
                                              mount.source() + " was not brought into the guest");
    }
    // runtime-spec 1.2 requires an absolute destination; runc still takes a relative one this way.
    if (!mount.destination().starts_with('/')) {
      mount.set_destination("/" + mount.destination());
    }
    *guest->spec.add_mounts() = std::move(mount);
  }
  return {};
}

void transform_hooks(const GuestContext& context, GuestSpec* guest) {
  if (!guest->spec.has_hooks()) return;
  grpc::Hooks hooks;
  hooks.Swap(guest->spec.mutable_hooks());
  guest->spec.clear_hooks();
  // Host hooks (prestart, createRuntime, poststart, poststop) are run by the engine on the host.
  if (hooks.createcontainer_size() + hooks.startcontainer_size() == 0) return;
  if (!context.own_agent) {
    guest->dropped.push_back("createContainer and startContainer hooks: not run by this agent");
    return;
  }
  // Of createContainer the agent runs those whose program the guest has.
  *guest->spec.mutable_hooks()->mutable_createcontainer() = hooks.createcontainer();
  *guest->spec.mutable_hooks()->mutable_startcontainer() = hooks.startcontainer();
}

void transform_namespaces(const grpc::Spec& host, const GuestContext& context, GuestSpec* guest) {
  grpc::Linux* part = guest->spec.mutable_linux();
  part->clear_namespaces();
  for (const grpc::LinuxNamespace& entry : host.linux().namespaces()) {
    // The VM is the network namespace. The agent adds the PID one by itself. Host paths mean
    // nothing in the guest: a joined ipc or uts namespace is the sandbox's own there.
    if (entry.type() == "network" || entry.type() == "pid") continue;
    // Upstream's shims never send these two, so upstream's agent is not asked for them either.
    if ((entry.type() == "time" || entry.type() == "cgroup") && !context.own_agent) {
      guest->dropped.push_back(entry.type() + " namespace: not offered by this agent");
      continue;
    }
    part->add_namespaces()->set_type(entry.type());
  }
  guest->sandbox_pidns = joins_pid_namespace(host);
}

void transform_devices(const GuestContext& context, GuestSpec* guest) {
  auto* devices = guest->spec.mutable_linux()->mutable_devices();
  int disks = 0;
  for (int i = devices->size() - 1; i >= 0; --i) {
    const grpc::LinuxDevice& device = devices->at(i);
    const bool disk = device.type() == "b" && !context.block_devices.contains(i);
    const bool vfio = context.vfio_in_guest_kernel && below(device.path(), "/dev/vfio");
    if (!disk && !vfio) continue;
    disks += disk ? 1 : 0;
    devices->DeleteSubrange(i, 1);
  }
  if (disks == 0) return;
  guest->dropped.push_back(std::to_string(disks) + " block device(s) of the host stay there");
}

// Of the rules about block devices by number only those that mean a disk of the guest's.
void transform_device_rules(const grpc::Spec& host, const GuestContext& context,
                            grpc::LinuxResources* guest) {
  std::set<std::pair<int64_t, int64_t>> known;
  for (int index : context.block_devices) {
    const grpc::LinuxDevice& device = host.linux().devices(index);
    known.emplace(device.major(), device.minor());
  }
  auto* rules = guest->mutable_devices();
  for (int i = rules->size() - 1; i >= 0; --i) {
    const grpc::LinuxDeviceCgroup& rule = rules->at(i);
    const bool wildcard =
        (!rule.has_major() || rule.major() < 0) && (!rule.has_minor() || rule.minor() < 0);
    if (rule.type() != "b" || wildcard) continue;
    if (known.contains(
            {rule.has_major() ? rule.major() : -1, rule.has_minor() ? rule.minor() : -1})) {
      continue;
    }
    rules->DeleteSubrange(i, 1);
  }
}

void transform_annotations(const GuestContext& context, grpc::Spec* spec) {
  auto* annotations = spec->mutable_annotations();
  for (auto it = annotations->begin(); it != annotations->end();) {
    it = it->first.starts_with("cdi.k8s.io/") ? annotations->erase(it) : std::next(it);
  }
  (*annotations)[std::string(kContainerTypeAnnotation)] = container_type_name(context.type);
  (*annotations)[std::string(kBundlePathAnnotation)] = context.bundle;
}

}  // namespace

bool is_bind(const grpc::Mount& mount) {
  if (mount.type() == "bind") return true;
  for (const std::string& option : mount.options()) {
    if (option == "bind" || option == "rbind") return true;
  }
  return false;
}

std::vector<int> host_binds(const grpc::Spec& spec, const GuestContext& context) {
  std::vector<int> found;
  for (int i = 0; i < spec.mounts_size(); ++i) {
    const grpc::Mount& mount = spec.mounts(i);
    if (context.mounts.contains(i) || !is_bind(mount) || is_kernel_source(mount.source()) ||
        is_shm_bind(mount, context)) {
      continue;
    }
    found.push_back(i);
  }
  return found;
}

grpc::LinuxResources to_guest(const grpc::LinuxResources& host) {
  grpc::LinuxResources guest = host;
  // CPU and NUMA node numbers are the host's; the guest's view follows from the CPU limit.
  if (guest.has_cpu()) {
    guest.mutable_cpu()->clear_cpus();
    guest.mutable_cpu()->clear_mems();
  }
  // So are disk numbers. Weights hold for every disk and stay.
  if (guest.has_blockio()) {
    grpc::LinuxBlockIO* block = guest.mutable_blockio();
    block->clear_weightdevice();
    block->clear_throttlereadbpsdevice();
    block->clear_throttlewritebpsdevice();
    block->clear_throttlereadiopsdevice();
    block->clear_throttlewriteiopsdevice();
  }
  auto* unified = guest.mutable_unified();
  for (auto it = unified->begin(); it != unified->end();) {
    bool host_numbers = it->first.starts_with("cpuset.") ||
                        (it->first.starts_with("io.") && it->first != "io.weight");
    it = host_numbers ? unified->erase(it) : std::next(it);
  }
  // net_cls and net_prio tag packets of host interfaces.
  guest.clear_network();
  return guest;
}

grpc::Process to_guest(const grpc::Process& host, const GuestContext& context) {
  grpc::Process guest = host;
  guest.clear_apparmorprofile();
  guest.set_selinuxlabel(guest_label(host.selinuxlabel(), context));
  return guest;
}

Result<GuestSpec> to_guest(const grpc::Spec& host, const GuestContext& context) {
  GuestSpec guest;
  guest.spec = host;
  guest.spec.clear_solaris();
  guest.spec.clear_windows();
  guest.spec.mutable_root()->set_path(context.rootfs);
  TRY_STATUS(transform_mounts(host, context, &guest));
  transform_hooks(context, &guest);
  transform_namespaces(host, context, &guest);
  transform_devices(context, &guest);
  transform_annotations(context, &guest.spec);
  if (host.has_process()) *guest.spec.mutable_process() = to_guest(host.process(), context);
  grpc::Linux* part = guest.spec.mutable_linux();
  if (part->has_resources()) {
    *part->mutable_resources() = to_guest(host.linux().resources());
    transform_device_rules(host, context, part->mutable_resources());
  }
  part->set_mountlabel(guest_label(host.linux().mountlabel(), context));
  part->clear_intelrdt();
  if (!context.seccomp) part->clear_seccomp();
  return guest;
}

}  // namespace kata::oci
