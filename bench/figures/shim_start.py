"""The shim's start verb: exec to exit with the address printed."""
import shutil

from harness.figure import Figure
from harness.raw_shim import RawShim, run_measured

NAME = "shim-start"
TITLE = "Shim start verb"


def _once(bench):
    shim = RawShim(bench)
    try:
        return shim.start()
    finally:
        shim.close()


def measure(bench):
    _once(bench)
    count = bench.count(50, 8)
    runs = [_once(bench) for _ in range(count)]
    floor = [run_measured([shutil.which("busybox"), "true"], bench.work, {}) for _ in range(count)]
    how = "`start` with a bundle, until it exited and its output ended"
    return [
        Figure("start verb, CPU", "ms", how + "; wait4's user and system time, the spawn's included",
               [cpu * 1e3 for _, cpu in runs], limit=10),
        Figure("start verb, wall", "ms", how, [wall * 1e3 for wall, _ in runs], limit=15),
        Figure("floor: static `busybox true`, CPU", "ms", "the same measurement of a program that does nothing",
               [row[1] * 1e3 for row in floor]),
        Figure("floor: static `busybox true`, wall", "ms", "the same", [row[0] * 1e3 for row in floor]),
    ]
