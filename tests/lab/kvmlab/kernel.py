"""The lab's kernel: one with KVM, vhost and overlay, as Debian's cloud kernel has them as modules."""
import pathlib
import subprocess

REPO = pathlib.Path(__file__).resolve().parents[3]
EARLY = ["virtio_pci", "virtio_console", "virtiofs", "overlay"]
LATE = ["kvm_amd", "vhost_vsock", "vhost_net", "tun", "bridge", "veth", "sch_ingress", "cls_u32", "act_mirred"]


class LabError(Exception):
    """The lab cannot be set up; the text says why."""


def find():
    """(bzImage, modules folder) of Debian's cloud kernel, fetched when the cache has none."""
    fetch = REPO / "guest" / "cloud-kernel" / "fetch.sh"
    lines = subprocess.run([fetch], check=True, text=True, stdout=subprocess.PIPE, timeout=600).stdout.split()
    vmlinux, modules = map(pathlib.Path, lines)
    return vmlinux.with_name("bzImage"), modules
