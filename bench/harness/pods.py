"""Pods over CRI, as a kubelet makes them, and what their host processes take."""
import contextlib

from bed import pod, task, wire

from harness import bench as harness
from harness import procfs


def shim_of(daemon, id):
    """Process of the shim that a pod has."""
    with task.Task(daemon.shim_socket(id)) as connection:
        return wire.first(connection.call("Connect", id=id), 1)


class IdlePod:
    """A pod with one sleeping container, up when the constructor returns; `cpu` is what that took, in seconds.

    Counted are the shim and all its descendants, the VMM among them; containerd and CNI are not.
    """

    def __init__(self, bench):
        self._pod = pod.Pod(bench.cri)
        try:
            self._pod.run("main", "sleep", "100000", ref=harness.IMAGE)
            self.shim = shim_of(bench.cri, self._pod.id)
            self.cpu = sum(procfs.cpu_seconds(pid) for pid in procfs.tree(self.shim))
        except BaseException:
            self.close()
            raise

    def close(self):
        self._pod.close()


@contextlib.contextmanager
def idle_pods(bench, count, pool):
    """So many pods, all started at once by the threads of `pool` (at least `count` of them)."""
    bench.cri  # pylint: disable=pointless-statement; made before the threads need it
    started = [pool.submit(IdlePod, bench) for _ in range(count)]
    try:
        yield [future.result() for future in started]
    finally:
        for future in started:
            if future.exception() is None:
                future.result().close()
