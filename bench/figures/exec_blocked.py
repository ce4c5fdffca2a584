"""Execs in a pod while the create of another of its containers hangs: is anything locked for all?"""
import concurrent.futures
import contextlib
import time

from bed import shim, task

from harness.figure import Figure

NAME = "exec-blocked"
TITLE = "Exec while another create hangs"
TYPE, SANDBOX = "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id"
HOOK = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "10"]}]}


def _exec(connection, id, number):
    """Milliseconds of Exec + Start + Wait."""
    began = time.monotonic()
    connection.exec(id, f"x{number}", ["/bin/true"])
    connection.start(id, f"x{number}")
    assert connection.wait(id, f"x{number}") == 0
    took = time.monotonic() - began
    connection.call("Delete", id=id, exec_id=f"x{number}")
    return took * 1e3


def _remove(host, id, folder, last):
    with host.connect(id, folder) as connection:
        connection.code("Kill", [(3, 9), (4, True)], id=id)
        connection.code("Wait", id=id, timeout=30)
        connection.code("Delete", id=id)
        if last:
            connection.code("Shutdown", id=id)
    host.delete(id, folder)


def _p99(values):
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def _samples(host, closing, count):
    """(free, blocked): execs alone, then execs of the ten seconds in which a create waits for its hook."""
    id, folder = host.bundle(["sleep", "100000"], annotations={TYPE: "sandbox"})
    connection = closing.enter_context(host.connect(id, folder))
    closing.callback(_remove, host, id, folder, True)
    connection.create(id, folder)
    connection.start(id)
    _exec(connection, id, 0)
    free = [_exec(connection, id, number) for number in range(1, count)]

    slow, slow_folder = host.bundle(["true"], annotations={TYPE: "container", SANDBOX: id}, hooks=HOOK)
    other = closing.enter_context(host.connect(slow, slow_folder))
    closing.callback(_remove, host, slow, slow_folder, False)
    pool = closing.enter_context(concurrent.futures.ThreadPoolExecutor(1))
    creating = pool.submit(task.Task.create, other, slow, slow_folder)
    time.sleep(1)
    blocked, number = [], count
    while not creating.done():
        blocked.append(_exec(connection, id, number))
        number += 1
    creating.result()
    assert len(blocked) > 5, "the create did not hang"
    return free, blocked[:-1]


def measure(bench):
    host = shim.Host(bench.work / "blocked", bench.rootfs)
    try:
        with contextlib.ExitStack() as closing:
            free, blocked = _samples(host, closing, bench.count(200, 20))
    finally:
        left = host.close()
    assert not left, left
    how = "Exec + Start + Wait of /bin/true on the shim's socket, "
    hanging = how + "while another create of the same pod waits 10 s for a hook"
    return [
        Figure("exec, nothing else", "ms", how + "idle pod", free, bench.where),
        Figure("exec, nothing else, p99", "ms", how + "idle pod", [_p99(free)], bench.where),
        Figure("exec beside a hanging create", "ms", hanging, blocked, bench.where),
        Figure("exec beside a hanging create, p99", "ms", hanging, [_p99(blocked)], bench.where),
    ]
