"""CPU time that the host spends on a sandbox create beside the VMM and the guest."""
from harness import procfs
from harness.figure import Figure
from harness.raw_shim import RawShim

NAME = "host-work"
TITLE = "Host work of a sandbox create"


def _once(bench, rows):
    shim = RawShim(bench)
    try:
        _, cpu = shim.start()
        shim.create_and_start()
        rows["start verb"].append(cpu)
        helpers = 0
        vmm = procfs.vmm(shim.pid)
        for pid in procfs.tree(shim.pid):
            if pid == shim.pid:
                rows["shim"].append(procfs.cpu_seconds(pid))
            elif pid != vmm:
                helpers += procfs.cpu_seconds(pid)
        rows["helpers"].append(helpers)
        shim.remove()
    finally:
        shim.close()


def measure(bench):
    rows = {"start verb": [], "shim": [], "helpers": []}
    for _ in range(bench.count(15, 3)):
        _once(bench, rows)
    rows = {key: [value * 1e3 for value in values] for key, values in rows.items()}
    how = "CPU time at the reply to Start: "
    return [
        Figure("host work of a create", "ms CPU", how + "start verb + shim + its helpers, VMM left out",
               [sum(parts) for parts in zip(*rows.values())], bench.where, limit=30),
        Figure("start verb", "ms CPU", how + "wait4", rows["start verb"]),
        Figure("shim", "ms CPU", how + "scheduler's counters of its threads, reaped children in ticks",
               rows["shim"], bench.where),
        Figure("helpers (virtiofsd)", "ms CPU", how + "the same of the shim's other descendants", rows["helpers"],
               bench.where),
    ]
