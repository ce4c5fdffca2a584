"""Create/start/delete cycles leave nothing on the host; neither containerd nor a long-lived shim grows.

  KATA_CYCLES   number of cycles (default 5; `make soak` takes 200)

What was measured is printed (`pytest -s`).
"""
import os
import pathlib

from bed import leaks

PRIMARY_ONLY = True
CYCLES = int(os.environ.get("KATA_CYCLES", "5"))
TEST_LIMIT = 240 + 10 * CYCLES
SHIM_ROOM = 512  # KiB that a shim may keep from its first execs, whatever their number


def resident(pid):
    """KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_cycles_leave_nothing(containerd):
    containerd.run("true").ok()  # what is made once and kept is there now
    before = leaks.Snapshot(containerd.tokens(), pids=[containerd.daemon.pid])
    kib = [resident(containerd.daemon.pid)]
    for number in range(CYCLES):
        id = containerd.new_id()
        assert containerd.run("echo", str(number), id=id).ok().out == f"{number}\n"
        assert not os.path.exists(containerd.shim_socket(id))
        kib.append(resident(containerd.daemon.pid))
    left = leaks.wait_clean(containerd.tokens(), before, pids=[containerd.daemon.pid])
    # Half of it: what containerd's collector has not taken back yet is no slope.
    slope = (kib[-1] - kib[CYCLES // 2]) / max(1, CYCLES - CYCLES // 2)
    print(f"\n{CYCLES} cycles: containerd {kib[0]} -> {kib[-1]} KiB resident, {slope:.1f} KiB a cycle in the "
          f"second half, descriptors {before.descriptors}, left {left}")
    assert not left, "\n".join(left)


def test_failed_starts_leave_nothing(containerd):
    before = leaks.Snapshot(containerd.tokens())
    for _ in range(2):
        assert containerd.run("/no/such/program").code != 0
    left = leaks.wait_clean(containerd.tokens(), before)
    assert not left, "\n".join(left)


def test_execs_leave_nothing(containerd, container):
    id = container("sleep", "1000")
    count = "set -- /proc/[0-9]*; echo $#"
    shims = [pid for pid, line in leaks.processes((id,)).items() if "containerd-shim" in line.split(" ")[0]]
    assert len(shims) == 1
    first = containerd.exec(id, "sh", "-c", count).ok().out
    before, kib, execs = leaks.Snapshot(containerd.tokens(), pids=shims), resident(shims[0]), max(10, CYCLES)
    for _ in range(execs):
        containerd.exec(id, "true").ok()
    assert containerd.exec(id, "sh", "-c", count).ok().out == first
    left = leaks.wait_clean(containerd.tokens(), before, pids=shims)
    print(f"\n{execs} execs: shim {kib} -> {resident(shims[0])} KiB resident, "
          f"descriptors {list(before.descriptors.values())}, left {left}")
    assert not left, "\n".join(left)
    assert resident(shims[0]) < kib + SHIM_ROOM + execs
