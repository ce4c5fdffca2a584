"""Boot of the guest kernel to init against Debian's cloud kernel, in the same VM."""
import pathlib
import subprocess

from bed import places

from harness import bench as harness
from harness.bare_boot import BareBoot
from harness.figure import Figure, bootstrap

NAME = "kernel-boot"
TITLE = "Guest kernel against Debian's cloud kernel"

_PLAIN = "quiet panic=-1"


def _cloud_kernel():
    """The folder with Debian's bzImage and the vmlinux that was taken out of it."""
    out = subprocess.run([places.REPO / "guest" / "cloud-kernel" / "fetch.sh"], check=True, text=True,
                         stdout=subprocess.PIPE, timeout=600).stdout
    return pathlib.Path(out.splitlines()[0]).parent


def measure(bench):
    kernel, cloud = places.guest_artefacts()["KATA_KERNEL"], _cloud_kernel()
    assert not kernel.startswith(str(cloud)), "there is no kernel of our own yet: make kernel"
    with bench.sandbox() as sandbox:
        bare = BareBoot(sandbox.vmm(), harness.probe_initrd(bench.work))
    boots = [bare.with_kernel(kernel), bare.with_kernel(cloud / "bzImage", _PLAIN),
             bare.with_kernel(cloud / "vmlinux")]
    for boot in boots:
        boot.seconds()
    ours, stock, tuned = zip(*([boot.seconds() * 1e3 for boot in boots] for _ in range(bench.count(11, 3))))
    ratios, tuned_ratios = ([a / b for a, b in zip(ours, other)] for other in (stock, tuned))
    how = "exec of QEMU to the boot probe's first line, console on the serial port, interleaved"
    where = bench.where
    return [
        Figure("boot of our kernel", "ms", how + "; vmlinux, our kernel line", list(ours), where),
        Figure("boot of Debian's kernel as it comes", "ms", how + f"; bzImage, kernel line `{_PLAIN}`", list(stock), where),
        Figure("boot of Debian's kernel, tuned", "ms", how + "; vmlinux, our kernel line", list(tuned), where),
        Figure("our kernel / Debian's as it comes", "ratio", "of the same round", ratios, where, limit=0.4,
               interval=bootstrap(ratios)),
        Figure("our kernel / Debian's, tuned", "ratio", "of the same round: what the kernel alone gains", tuned_ratios,
               where, interval=bootstrap(tuned_ratios)),
    ]
