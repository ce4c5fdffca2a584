"""How soon containerd's clients hear of the exit of a container whose VM was killed."""
import json
import os
import signal
import subprocess
import threading
import time

from bed import run

from harness import procfs
from harness.figure import Figure

NAME = "vm-death"
TITLE = "Death of the VM"


class Events:
    """`ctr events` with the time at which each line came."""

    def __init__(self, daemon):
        self.lines = []
        self.process = subprocess.Popen([str(word) for word in daemon.ctr_argv("events")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                        env=daemon.environment(), preexec_fn=run._follow_parent)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line))

    def await_exit(self, id):
        """When the exit of the container's init was told, and the line."""
        def found():
            return next((entry for entry in self.lines if "/tasks/exit" in entry[1] and id in entry[1]), None)
        return run.wait_until(found, 30, f"/tasks/exit of {id}")

    def close(self):
        self.process.kill()
        self.process.wait()


def _once(bench, events, statuses):
    with bench.sandbox() as sandbox:
        vmm = sandbox.vmm() or _init_of(sandbox)
        began = time.monotonic()
        os.kill(vmm, signal.SIGKILL)
        told, line = events.await_exit(sandbox.id)
        statuses.add(json.loads(line[line.index("{"):])["exit_status"])
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
