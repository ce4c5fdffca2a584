"""Host memory of a sandbox with one idle container: the shim alone, and all its processes."""
import time

from harness import procfs
from harness.figure import MIB, Figure

NAME = "memory"
TITLE = "Host memory of a sandbox with one idle container"


def _once(bench, rows):
    with bench.sandbox() as sandbox:
        time.sleep(3)
        shim = procfs.rollup(sandbox.shim)
        rows["shim PSS"].append(shim["Pss"])
        rows["shim RSS"].append(shim["Rss"])
        totals = [0, 0, 0]
        for pid, name in procfs.processes(sandbox.shim).items():
            parts = procfs.host_side(procfs.mappings(pid))
            totals = [a + b for a, b in zip(totals, parts)]
            if pid != sandbox.shim:
                rows.setdefault(f"{name} PSS", []).append(parts[1] + parts[2])
        for key, value in zip(("guest RAM", "translated code", "all but these"), totals):
            rows[key].append(value)
        return sandbox.accelerator()


def measure(bench):
    rows = {key: [] for key in ("shim PSS", "shim RSS", "guest RAM", "translated code", "all but these")}
    for _ in range(bench.count(5, 2)):
        where = _once(bench, rows)
    how = "smaps_rollup of the shim, 3 s after the start of `sleep`; what it maps of guest RAM included"
    total = "smaps of the shim and all its descendants, summed Pss"
    mib = {key: [value / MIB for value in values] for key, values in rows.items()}
    figures = [
        Figure("shim PSS", "MiB", how, mib.pop("shim PSS"), limit=4),
        Figure("shim RSS", "MiB", how, mib.pop("shim RSS"), limit=6),
    ]
    host, code, ram = (mib.pop(key) for key in ("all but these", "translated code", "guest RAM"))
    tcg = where == "TCG"
    figures += [
        Figure("host processes minus guest RAM", "MiB", total + ", minus mappings of guest RAM",
               [a + b for a, b in zip(host, code)], where, limit=None if tcg else 40,
               elsewhere="<= 40 MiB with KVM" if tcg else ""),
        Figure("host processes minus guest RAM and translated code", "MiB",
               total + ", minus mappings of guest RAM and TCG's code buffer", host, where,
               elsewhere="<= 40 MiB with KVM, where there is no such buffer"),
        Figure("guest RAM touched (256 MiB guest)", "MiB", total + " of the mappings of guest RAM", ram, where),
    ]
    figures += [Figure(key, "MiB", "smaps, guest RAM left out", values, where)
                for key, values in mib.items()]
    return figures
