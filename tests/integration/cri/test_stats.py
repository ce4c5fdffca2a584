"""Statistics of containers and pods."""
from bed import run


def test_container_statistics(pod):
    id = pod.run("stats", "sh", "-c", "sleep 1000 & while :; do :; done")

    def cpu():
        return pod.cri.call("ContainerStats", container_id=id).stats.cpu.usage_core_nano_seconds.value

    first = cpu()
    run.wait_until(lambda: cpu() > first + 100_000_000, 30, "CPU time grows", interval=0.5)
    memory = pod.cri.call("ContainerStats", container_id=id).stats.memory
    assert memory.working_set_bytes.value > 0
    listed = pod.cri.call("ListContainerStats", filter={"pod_sandbox_id": pod.id}).stats
    assert id in [item.attributes.id for item in listed]
    pod.remove_container(id)


def test_pod_statistics(pod):
    id = pod.run("podstats", "sleep", "1000")
    stats = pod.cri.call("PodSandboxStats", pod_sandbox_id=pod.id).stats
    assert stats.attributes.id == pod.id
    run.wait_until(lambda: id in [item.attributes.id for item in pod.cri.call(
        "PodSandboxStats", pod_sandbox_id=pod.id).stats.linux.containers], 30, "the container is part of them")
    pod.remove_container(id)


def test_working_set_is_the_guests_own(pod):
    """Within 5 % (and a page or so) of what the container's control group says."""
    id = pod.run("workset", "sh", "-c", "dd if=/dev/zero of=/dev/shm/data bs=1M count=24; sleep 1000")
    run.wait_until(lambda: pod.exec(id, "sh", "-c", "test $(stat -c %s /dev/shm/data) = 25165824").code == 0, 60,
                   "the data is there", interval=0.2)
    reported = pod.cri.call("ContainerStats", container_id=id).stats.memory.working_set_bytes.value
    truth = pod.sh(id, "cd /sys/fs/cgroup; cat memory.current 2>/dev/null || cat memory/memory.usage_in_bytes")
    assert abs(reported - int(truth)) < 0.05 * int(truth) + (1 << 20)
    pod.sh(id, "rm /dev/shm/data")
    pod.remove_container(id)
