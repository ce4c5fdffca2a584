"""Host memory of idle pods, when there are one, five and ten of them on the node."""
import concurrent.futures
import time

from harness import pods, procfs
from harness.figure import MIB, Figure

NAME = "pod-memory"
TITLE = "Host memory of several idle pods"


def _per_pod(bench, pool, count):
    """MiB of Pss per pod: (shim, all host processes without guest RAM and translated code)."""
    with pods.idle_pods(bench, count, pool) as started:
        time.sleep(3)
        shims = sum(procfs.rollup(pod.shim)["Pss"] for pod in started)
        rest = sum(procfs.host_side(procfs.mappings(pid))[2] for pod in started for pid in procfs.tree(pod.shim))
        return shims / count / MIB, rest / count / MIB


def measure(bench):
    figures = []
    counts = bench.count((1, 5, 10), (1, 3))
    with concurrent.futures.ThreadPoolExecutor(max(counts)) as pool:
        for count in counts:
            samples = [_per_pod(bench, pool, count) for _ in range(bench.count(3, 1))]
            how = f"with {count} on the node, 3 s after the last start; what they share is divided among them"
            figures += [
                Figure(f"shim PSS per pod, {count}", "MiB", how, [shim for shim, _ in samples], limit=4),
                Figure(f"host processes per pod, {count}", "MiB",
                       how + "; guest RAM and TCG's code buffer left out", [rest for _, rest in samples], bench.where,
                       elsewhere="<= 40 MiB with KVM"),
            ]
    return figures
