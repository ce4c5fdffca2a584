"""What a figure gets to work with: a private containerd, its images, and running sandboxes."""
import contextlib
import pathlib
import random
import re
import subprocess

from bed import containerd as cd
from bed import cri_containerd, image, places, run, task, wire

from harness import procfs

HERE = pathlib.Path(__file__).resolve().parents[1]
IMAGE = "local.test/bench:latest"
PATTERN_SIZE = 8 << 20


class Sandbox:
    """A running container with the host processes of its VM."""

    def __init__(self, daemon, id):
        self.daemon, self.id = daemon, id
        self.task = task.Task(daemon.shim_socket(id))
        self.shim = wire.first(self.task.call("Connect", id=id), 1)

    def vmm(self):
        return procfs.vmm(self.shim)

    def accelerator(self):
        """How figures of this VM are labelled."""
        vmm = self.vmm()
        if vmm is None:
            return "host"
        # Given as a machine property or as an option of its own.
        words = re.findall(r"(?:accel=|-accel )(\w+)", " ".join(procfs.command_line(vmm)))
        assert words, "QEMU runs with its default accelerator"
        return words[0].upper()


class Bench:
    """Made once per run; close() ends all it started. `quick` asks for few samples."""

    def __init__(self, work, quick):
        self.work, self.quick = pathlib.Path(work), quick
        self._daemon = self._cri = self._where = self._rootfs = None

    def count(self, full, quick):
        return quick if self.quick else full

    @property
    def daemon(self):
        if self._daemon is None:
            self._daemon = cd.Containerd(cd.VERSIONS[0], self.work / "c", [self._archive()])
        return self._daemon

    @property
    def cri(self):
        """The containerd whose CRI plugin has our handlers; in a network namespace of its own."""
        if self._cri is None:
            archives = [self._archive(), cri_containerd.make_pause_archive(self.work / "pause")]
            self._cri = cri_containerd.CriContainerd(cd.VERSIONS[0], self.work / "p", archives)
        return self._cri

    @property
    def rootfs(self):
        """A root folder: busybox, /bin/first (writes one byte) and /pattern (not compressible)."""
        if self._rootfs is None:
            self._rootfs = image.make_busybox_rootfs(self.work / "rootfs")
            run.run(["gcc", "-Os", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-s", "-o",
                     self._rootfs / "bin" / "first", HERE / "figures" / "first.c"]).ok()
            (self._rootfs / "pattern").write_bytes(pattern())
        return self._rootfs

    def _archive(self):
        return image.make_oci_archive(self.work / "bench.tar", IMAGE, [self.rootfs])

    @contextlib.contextmanager
    def sandbox(self, *command):
        """A detached container (`sleep` unless told) that is removed at the end."""
        id = self.daemon.new_id("bench")
        try:
            self.daemon.start_detached(*(command or ("sleep", "1000")), id=id, ref=IMAGE)
            sandbox = Sandbox(self.daemon, id)
            with sandbox.task:
                yield sandbox
        finally:
            self.daemon.remove(id)

    @property
    def where(self):
        """The accelerator of our VMs: the label of what is measured in one."""
        if self._where is None:
            with self.sandbox() as sandbox:
                self._where = sandbox.accelerator()
        return self._where

    def log(self):
        return "".join(daemon.log() for daemon in (self._daemon, self._cri) if daemon)

    def close(self):
        """What was left behind by the sandboxes, after it was removed."""
        return [line for daemon in (self._daemon, self._cri) if daemon for line in daemon.close()]


def pattern():
    """A deterministic stream of bytes that no layer can shrink or guess."""
    return random.Random(20).randbytes(PATTERN_SIZE)


def probe_initrd(work):
    """An initrd whose init is the boot probe."""
    out = pathlib.Path(work) / "probe.img"
    if not out.exists():
        subprocess.run([places.REPO / "guest" / "probe" / "build.sh", "--out", out], check=True, timeout=120)
    return out
