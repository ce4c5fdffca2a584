"""How soon containerd's clients hear of the exit of a container whose VM was killed."""
import os
import signal
import time

from bed.events import Events

from harness import procfs
from harness.figure import Figure

NAME = "vm-death"
TITLE = "Death of the VM"


def _once(bench, events, statuses):
    with bench.sandbox() as sandbox:
        vmm = sandbox.vmm() or _init_of(sandbox)
        began = time.monotonic()
        os.kill(vmm, signal.SIGKILL)
        told, status = events.await_exits([sandbox.id])[sandbox.id]
        statuses.add(status)
        return (told - began) * 1e3


def _init_of(sandbox):
    """Without a VM (runc): the container's own process."""
    return procfs.children(sandbox.shim)[0]


def measure(bench):
    events, statuses = Events(bench.daemon), set()
    try:
        _once(bench, events, statuses)
        samples = [_once(bench, events, statuses) for _ in range(bench.count(15, 3))]
    finally:
        events.close()
    note = "" if statuses == {137} else f"exit status {sorted(statuses)} instead of 137"
    return [Figure("VM death to TaskExit", "ms", "SIGKILL of QEMU until `ctr events` shows /tasks/exit",
                   samples, bench.where, limit=100, note=note)]
