"""How soon containerd's clients hear of the exit of a container whose VM was killed."""
import functools
import os
import signal
import time

from bed import run
from bed.events import Events
from bed.pod import Pod

from harness import bench as harness
from harness import pods, procfs
from harness.figure import Figure

NAME = "vm-death"
TITLE = "Death of the VM"

_CONTAINERS = 20


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


def _whole_pod(bench, events, statuses):
    """The last of the exits of a pod's containers, its pause container among them."""
    pod = Pod(bench.cri)
    try:
        ids = [pod.id, *(pod.run(f"c{n}", "sleep", "100000", ref=harness.IMAGE) for n in range(_CONTAINERS))]
        vmm = procfs.vmm(pods.shim_of(bench.cri, pod.id))
        began = time.monotonic()
        os.kill(vmm, signal.SIGKILL)
        exits = events.await_exits(ids).values()
        statuses.update(status for _, status in exits)
        return (max(told for told, _ in exits) - began) * 1e3
    finally:
        # containerd is still busy with the exits: a stop beside it may fail.
        run.wait_until(lambda: pod.id not in [task.split()[0] for task in _tasks(bench.cri)], 30, "its tasks are gone")
        pod.close()


def _tasks(daemon):
    return daemon.ctr("task", "ls").ok().out.splitlines()[1:]


def _sampled(daemon, once, count):
    """(samples, statuses) after one for warming up."""
    events, statuses = Events(daemon), set()
    try:
        once(events, statuses)
        return [once(events, statuses) for _ in range(count)], statuses
    finally:
        events.close()


def measure(bench):
    how = "SIGKILL of QEMU until `ctr events` shows the last /tasks/exit"
    figures = []
    for name, daemon, once, count in (
            ("one container", bench.daemon, _once, bench.count(15, 3)),
            (f"a pod of {_CONTAINERS} containers", bench.cri, _whole_pod, bench.count(5, 1))):
        samples, statuses = _sampled(daemon, functools.partial(once, bench), count)
        note = "" if statuses == {137} else f"exit status {sorted(statuses)} instead of 137"
        figures.append(Figure(f"VM death to TaskExit, {name}", "ms", how, samples, bench.where, limit=100, note=note))
    return figures
