"""A container sees and runs on as many CPUs as its limit is worth, and its memory limit as the machine's memory."""
import pytest

from bed import containerd as cd
from bed import kata_config, task

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc shows the machine", allow_module_level=True)

LOOK = ("grep -c ^processor /proc/cpuinfo; grep -c '^cpu[0-9]' /proc/stat; cat /sys/devices/system/cpu/online;"
        " grep Cpus_allowed_list /proc/self/status; grep MemTotal /proc/meminfo; busybox nproc")
FLAGS = ("--cpu-quota", "100000", "--cpu-period", "100000", "--memory-limit", str(96 << 20))


def look(containerd, id):
    done = containerd.exec(id, "sh", "-c", LOOK)
    lines = done.out.splitlines()
    assert len(lines) == 6, done.describe()
    cpuinfo, stat, online, allowed, total, nproc = lines
    return {"cpuinfo": int(cpuinfo), "stat": int(stat), "online": online, "allowed": allowed.split()[1],
            "total": int(total.split()[1]), "nproc": int(nproc)}


def one_cpu(seen):
    return (seen["cpuinfo"], seen["stat"], seen["nproc"]) == (1, 1, 1) and seen["online"] == seen["allowed"]


@pytest.fixture
def two_cpus(containerd, container, tmp_path):
    """A function that starts a container in a VM with two vCPUs."""
    def start(agent=None, flags=FLAGS):
        config = kata_config.write(tmp_path / "kata.toml", {kata_config.QEMU: {"default_vcpus": 2, "default_maxvcpus": 2},
                                                            kata_config.AGENT: agent or {}})
        return container("sleep", "1000", flags=["--runtime-config-path", config, *flags])
    return start


def test_limits_are_seen_and_follow_updates(containerd, two_cpus):
    id = two_cpus()
    seen = look(containerd, id)
    assert one_cpu(seen) and seen["total"] == 96 << 10, seen
    # Nobody writes them, not even root.
    assert containerd.exec(id, "sh", "-c", "echo x > /proc/meminfo").code != 0
    with task.Task(containerd.shim_socket(id)) as shim:
        shim.call("Update", task.any_json(2, task.RESOURCES_URL, {
            "cpu": {"quota": 150000, "period": 100000}, "memory": {"limit": 64 << 20}}), id=id)
        seen = look(containerd, id)
        assert (seen["cpuinfo"], seen["stat"], seen["nproc"], seen["online"]) == (2, 2, 2, "0-1"), seen
        assert seen["total"] == 64 << 10
        shim.call("Update", task.any_json(2, task.RESOURCES_URL, {"cpu": {"quota": 50000, "period": 100000}}), id=id)
    assert one_cpu(look(containerd, id))
    counters = [containerd.exec(id, "head", "-1", "/proc/stat").ok().out for _ in range(2)]
    assert counters[0] != counters[1], "the counters are alive"
    free = containerd.exec(id, "sh", "-c", "grep MemFree /proc/meminfo").ok().out.split()[1]
    assert 0 < int(free) < 64 << 10


def test_switched_off(containerd, two_cpus):
    seen = look(containerd, two_cpus(agent={"resource_view": False}))
    assert (seen["cpuinfo"], seen["stat"], seen["nproc"], seen["online"]) == (2, 2, 2, "0-1"), seen
    assert seen["total"] > 96 << 10
