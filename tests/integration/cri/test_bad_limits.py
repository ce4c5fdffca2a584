"""Limits that nobody can have or that mean nothing: as under runc where a cgroup of runc's has the same
effect, else an error that names the value; the pod lives on and can be removed.
"""
import pytest

from bed import cri, leaks
from bed.pod import EXITED, Pod

PRIMARY_ONLY = True
PERIOD = 100000


def resources(**limits):
    return {"linux": {"resources": limits}}


READ = ("cd /sys/fs/cgroup; cat memory.max cpu.max 2>/dev/null || { cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us |"
        " sed 's/^9223372036854771712$/max/; s/^-1$/max/'; }")


@pytest.mark.parametrize("limits", [
    {"memory_limit_in_bytes": 0, "cpu_quota": 0, "cpu_period": 0, "cpu_shares": 0},
    {"cpu_quota": -1, "cpu_period": PERIOD},
    {"memory_limit_in_bytes": -1},
], ids=["zero", "quota of -1", "memory of -1"])
def test_no_limit(pod, limits):
    id = pod.run("unlimited", "sleep", "1000", **resources(**limits))
    assert pod.sh(id, READ).split()[:2] == ["max", "max"]
    pod.remove_container(id)


@pytest.mark.parametrize("limits", [
    {"cpu_quota": 10_000 * PERIOD, "cpu_period": PERIOD},
    {"memory_limit_in_bytes": 1 << 50},
], ids=["CPUs", "memory"])
def test_more_than_the_host_has(pod, limits):
    """A limit is no request: the container runs with what there is."""
    id = pod.run("greedy", "sleep", "1000", **resources(**limits))
    assert pod.sh(id, "echo fine") == "fine\n"
    pod.remove_container(id)


@pytest.mark.parametrize("limits, word", [
    ({"cpuset_cpus": "4096"}, "4096"),
    ({"cpuset_cpus": "one"}, "one"),
    ({"cpuset_cpus": "0-"}, "0-"),
    ({"cpu_quota": 5, "cpu_period": PERIOD}, "cpu"),
    ({"cpu_quota": PERIOD, "cpu_period": 5}, "cpu"),
], ids=["no such CPU", "no number", "half a range", "quota below 1 ms", "period below 1 ms"])
def test_refused(pod, limits, word):
    id = pod.create("refused", "sleep", "1000", **resources(**limits))
    with pytest.raises(cri.CriError) as refused:
        pod.start(id)
    assert word in refused.value.message
    assert pod.state(id) == EXITED
    pod.remove_container(id)


def test_refused_updates_change_nothing(pod):
    id = pod.run("kept", "sleep", "1000", **resources(memory_limit_in_bytes=64 << 20, cpu_quota=50000, cpu_period=PERIOD))
    before = pod.sh(id, READ)
    for limits, word in (({"cpuset_cpus": "4096"}, "4096"), ({"cpu_quota": 5, "cpu_period": PERIOD}, "cpu")):
        with pytest.raises(cri.CriError) as refused:
            pod.cri.call("UpdateContainerResources", container_id=id, linux=limits)
        assert word in refused.value.message
    assert pod.sh(id, READ) == before
    pod.remove_container(id)


def test_a_pod_that_is_refused_leaves_nothing(cri_daemon, handler):
    before = leaks.Snapshot(cri_daemon.tokens())
    with Pod(cri_daemon, handler, linux={"resources": {"memory_limit_in_bytes": 1 << 50, "cpu_quota": 10_000 * PERIOD,
                                                       "cpu_period": PERIOD}}) as pod:
        id = pod.create("refused", "true", **resources(cpuset_cpus="4096"))
        with pytest.raises(cri.CriError):
            pod.start(id)
    left = leaks.wait_clean(cri_daemon.tokens(), before)
    assert not left, "left behind:\n" + "\n".join(left)
