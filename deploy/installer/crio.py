"""CRI-O: one drop-in file, read in the order of names after crio.conf."""
DROP_IN = "/etc/crio/crio.conf.d/99-kata-containers.conf"
HANDLERS = ("kata", "kata-qemu")


def text(prefix, config_paths):
    result = "# Written by deploy/install; taken back by uninstall.\n"
    for handler in HANDLERS:
        result += f"""
[crio.runtime.runtimes.{handler}]
  runtime_path = "{prefix}/bin/containerd-shim-kata-v2"
  runtime_type = "vm"
  runtime_root = "/run/vc"
  privileged_without_host_devices = true
"""
        if handler in config_paths:
            result += f'  runtime_config_path = "{config_paths[handler]}"\n'
    return result


def add(changes, prefix, config_paths):
    """The drop-in becomes part of the changes, where there is CRI-O on the node."""
    if changes.record.host.real("/etc/crio").is_dir():
        changes.file(DROP_IN, text(prefix, config_paths).encode, service="crio")
