"""Throughput of a pod's network against the bare tap of a VM, both in one run."""
import contextlib
import os
import subprocess
import time

from bed import pod_network, run

from harness import bench as harness
from harness.figure import MIB, Figure, bootstrap

NAME = "network"
TITLE = "Pod network"
HERE, POD = "10.123.0.1", "10.123.0.2"
PORT = "5001"
NO_MODEL = "io.katacontainers.config.runtime.internetworking_model=none"


class _Bed:
    """A sandbox with one interface; `receiver` is the namespace at the other end of it."""

    def __init__(self, bench, name, bare):
        self.daemon, self.id = bench.daemon, bench.daemon.new_id(name)
        self.network = pod_network.PodNetwork(bench.work, name).add_nic("eth0", [f"{POD}/24"])
        flags = [*self.network.flags(), *(["--annotation", NO_MODEL] if bare else [])]
        self.daemon.start_detached("sleep", "1000", id=self.id, ref=harness.IMAGE, flags=flags)
        self.receiver = self.network.peer
        if bare:
            # The host's end of the tap itself, nothing in between.
            self.receiver = self.network.pod
            self.receiver.ip("addr", "flush", "dev", "eth0")
            self.receiver.ip("addr", "add", f"{HERE}/24", "dev", "tap0_kata")

    def send(self, size):
        """MiB/s of a TCP stream from the guest, first to last byte."""
        argv = self.receiver.argv("busybox", "nc", "-l", "-p", PORT)
        # Its input stays open: else it would hang up at once.
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   preexec_fn=run._follow_parent)
        try:
            script = f"dd if=/dev/zero bs=64k count={size >> 16} 2>/dev/null | nc {HERE} {PORT}"
            sender = self.daemon.ctr_background("task", "exec", "--exec-id", f"s{time.monotonic_ns()}", self.id,
                                                "sh", "-c", script)
            with contextlib.closing(sender):
                began, count = None, 0
                while chunk := os.read(process.stdout.fileno(), 1 << 20):
                    began = began or time.monotonic()
                    count += len(chunk)
                    ended = time.monotonic()
                    if count == size:
                        break
                assert count == size, f"{count} of {size} bytes: {sender.err}"
        finally:
            process.kill()
            process.wait()
        return size / MIB / (ended - began)

    def close(self):
        self.daemon.remove(self.id)
        self.network.close()


def measure(bench):
    size, count = bench.count(64, 8) << 20, bench.count(9, 3)
    with contextlib.closing(_Bed(bench, "pod", False)) as pod, contextlib.closing(_Bed(bench, "tap", True)) as tap:
        for bed in (pod, tap):
            bed.send(size >> 2)
        pairs = [(pod.send(size), tap.send(size)) for _ in range(count)]
    how = f"TCP, {size // MIB} MiB from the guest by `nc`, first byte to last, "
    ratios = [ours / bare for ours, bare in pairs]
    return [
        Figure("network", "MiB/s", how + "to a veth pair's peer behind a bridge", [ours for ours, _ in pairs],
               bench.where, better="more"),
        Figure("network, bare tap", "MiB/s", how + "to the tap's own host end", [bare for _, bare in pairs],
               bench.where, better="more"),
        Figure("network / bare tap", "x", "pairs, interleaved", ratios, bench.where, limit=0.9, better="more",
               interval=bootstrap(ratios)),
    ]
