"""CPU time of ten pods started at once against ten started one after the other.

Machines, caches and emulation are dearer when many share them: bare boots of the same VM, ten at once
against ten alone, tell how much of the difference is the machine's.
"""
import concurrent.futures

from harness import bench as harness
from harness import pods
from harness.bare_boot import BareBoot
from harness.figure import Figure, bootstrap

NAME = "pod-starts"
TITLE = "Pods started at once"


def _one_by_one(bench, pool, count):
    total = 0
    for _ in range(count):
        with pods.idle_pods(bench, 1, pool) as (pod,):
            total += pod.cpu
    return total


def _at_once(bench, pool, count):
    with pods.idle_pods(bench, count, pool) as started:
        return sum(pod.cpu for pod in started)


def _bare_ratio(bare, pool, count):
    together = sum(pool.map(lambda _: bare.cpu_seconds(), range(count)))
    return together / sum(bare.cpu_seconds() for _ in range(count))


def measure(bench):
    count, rounds = bench.count(10, 3), bench.count(3, 1)
    with bench.sandbox() as sandbox:
        bare = BareBoot(sandbox.vmm(), harness.probe_initrd(bench.work))
    bare.seconds()
    pairs, bare_ratios = [], []
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        _one_by_one(bench, pool, 1)
        for _ in range(rounds):
            pairs.append((_at_once(bench, pool, count), _one_by_one(bench, pool, count)))
            bare_ratios.append(_bare_ratio(bare, pool, count))
    how = "shim and descendants, VMM included, when the pod's one container is started; "
    ratios = [together / single for together, single in pairs]
    return [
        Figure(f"{count} pods at once", "s CPU", how + "summed", [together for together, _ in pairs], bench.where),
        Figure(f"{count} x one pod", "s CPU", how + "summed", [single for _, single in pairs], bench.where),
        Figure("at once / one by one", "x", "pairs, interleaved", ratios, bench.where, limit=1.05,
               interval=bootstrap(ratios)),
        Figure("bare boots at once / one by one", "x", "the same VMs without our part: what the machine makes of it",
               bare_ratios, bench.where, interval=bootstrap(bare_ratios)),
    ]
