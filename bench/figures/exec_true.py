"""A further process in a running container: through ctr, and by the shim's Task service alone."""
import itertools
import time

from bed import ttrpc

from harness import procfs
from harness.figure import Figure

NAME = "exec"
TITLE = "Exec in a running container"

_numbers = itertools.count(1)


def _raw(sandbox, args):
    """Exec + Start + Wait, in seconds; the process is deleted outside the measured time."""
    exec_id = f"raw{next(_numbers)}"
    began = time.monotonic()
    sandbox.task.exec(sandbox.id, exec_id, args)
    sandbox.task.start(sandbox.id, exec_id)
    status = sandbox.task.wait(sandbox.id, exec_id)
    seconds = time.monotonic() - began
    assert status == 0, f"{args} ended with {status}"
    sandbox.task.call("Delete", id=sandbox.id, exec_id=exec_id)
    return seconds


def _missing(sandbox):
    """How long the refusal of a missing binary takes."""
    exec_id = f"raw{next(_numbers)}"
    began = time.monotonic()
    sandbox.task.exec(sandbox.id, exec_id, ["/no/such/binary"])
    try:
        sandbox.task.start(sandbox.id, exec_id)
        raise AssertionError("a missing binary was started")
    except ttrpc.CallError:
        seconds = time.monotonic() - began
    sandbox.task.call("Delete", id=sandbox.id, exec_id=exec_id)
    return seconds


def _series(action, count):
    action()
    return [action() * 1e3 for _ in range(count)]


def _vmm_cpu(sandbox, args, count):
    """CPU time of the VMM for each exec: under TCG all of the guest's work, and hardly moved by other load."""
    vmm, used = sandbox.vmm(), []
    for _ in range(count):
        before = procfs.cpu_seconds(vmm)
        _raw(sandbox, args)
        used.append((procfs.cpu_seconds(vmm) - before) * 1e3)
    return used


def measure(bench):
    count = bench.count(50, 8)
    with bench.sandbox() as sandbox:
        where = sandbox.accelerator()
        raw = _series(lambda: _raw(sandbox, ["/bin/true"]), count)
        first = _series(lambda: _raw(sandbox, ["/bin/first"]), count)
        cpu = _vmm_cpu(sandbox, ["/bin/first"], count)
        missing = _series(lambda: _missing(sandbox), count)
        ctr = _series(lambda: bench.daemon.exec(sandbox.id, "/bin/true").ok().seconds, count)
    client = _series(lambda: bench.daemon.ctr("version").ok().seconds, count)
    how = "Exec + Start + Wait on the shim's socket"
    return [
        Figure("exec of /bin/true", "ms", how + " (busybox)", raw, where, limit=25),
        Figure("exec of a two-instruction program", "ms", how + ": without what busybox itself takes", first, where),
        Figure("VMM's CPU time of that exec", "ms", "schedstat of the VMM's threads, Delete included", cpu, where),
        Figure("refusal of a missing binary", "ms", "Exec + Start that fails", missing, where),
        Figure("`ctr task exec` of /bin/true", "ms", "the command, from its start to its end", ctr, where),
        Figure("`ctr version`", "ms", "what the client alone takes", client),
    ]
