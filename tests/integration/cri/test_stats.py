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


def within(reported, truth, slack):
    return abs(reported - truth) <= 0.05 * truth + slack


def test_numbers_of_a_container_are_its_control_groups(pod):
    """Within 5 % of what a kubelet would compute from the container's own files, read just before and after."""
    id = pod.run("truth", "sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 1000 & sleep 1001")
    run.wait_until(lambda: "sleep 1001" in pod.sh(id, "ps"), 90, "the work is done", interval=0.5)
    read = ("cd /sys/fs/cgroup; if [ -f memory.current ]; then grep usage_usec cpu.stat; cat memory.current;"
            " grep '^inactive_file ' memory.stat; grep '^anon ' memory.stat; else"
            " echo usage $(($(cat cpu/cpuacct.usage cpuacct/cpuacct.usage 2>/dev/null | head -n 1) / 1000));"
            " cat memory/memory.usage_in_bytes; grep total_inactive_file memory/memory.stat;"
            " grep total_rss' ' memory/memory.stat; fi")

    def truth():
        words = pod.sh(id, read).split()
        return {"cpu": int(words[1]) * 1000, "memory": int(words[2]) - int(words[4]), "rss": int(words[6])}

    before = truth()
    stats = pod.cri.call("ContainerStats", container_id=id).stats
    after = truth()
    cpu = stats.cpu.usage_core_nano_seconds.value
    # Each look costs a process some CPU time and some pages.
    assert before["cpu"] * 0.95 <= cpu <= after["cpu"] * 1.05, (before, cpu, after)
    mib = 1 << 20
    assert within(stats.memory.working_set_bytes.value, after["memory"], mib), (before, stats.memory, after)
    assert within(stats.memory.rss_bytes.value, after["rss"], mib), (before, stats.memory, after)
    pod.remove_container(id)
