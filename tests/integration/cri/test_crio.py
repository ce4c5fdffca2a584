"""Pods of CRI-O, with the handlers that our installer gives it; left out where there is no CRI-O.

KATA_CONTAINERD=crio runs the other modules of this folder under it, too.
"""
import os
import signal

import pytest

from bed import cri, crio, daemon_process, leaks, run
from bed.pod import EXITED, RUNNING, Pod

HANDLERS = list(crio.HANDLERS)


@pytest.fixture(scope="module")
def daemon(work, cri_archives):
    try:
        daemon = crio.Crio(work / "crio-alone", cri_archives)
    except crio.Missing as reason:
        pytest.skip(f"CRI-O: {reason}")
    yield from daemon_process.lifetime(daemon)


@pytest.fixture
def clean(daemon):
    before = leaks.Snapshot(daemon.tokens())
    yield
    left = leaks.wait_clean(daemon.tokens(), before)
    assert not left, "left behind:\n" + "\n".join(left)


def test_life_of_a_pod(daemon, handler, clean):
    with Pod(daemon, handler, linux={"resources": {"cpu_period": 100000, "cpu_quota": 100000, "memory_limit_in_bytes": 128 << 20}}) as pod:
        ids = [pod.run(name, "sh", "-c", f"echo {name}; sleep 1000") for name in ("one", "two")]
        boots = {pod.sh(id, "cat /proc/sys/kernel/random/boot_id") for id in ids}
        assert len(boots) == 1 and open("/proc/sys/kernel/random/boot_id").read() not in boots
        assert [pod.output(name) for name in ("one", "two")] == ["one\n", "two\n"]
        # The kubelet's sums over the pod are the VM's size from the start.
        assert int(pod.sh(ids[0], "grep MemTotal /proc/meminfo").split()[1]) > 300 << 10
        for id in ids:
            assert pod.cri.call("ContainerStats", container_id=id).stats.memory.usage_bytes.value > 0
        pod.cri.call("UpdateContainerResources", container_id=ids[0], linux={"memory_limit_in_bytes": 64 << 20})
        assert pod.sh(ids[0], "cat /sys/fs/cgroup/memory.max") == f"{64 << 20}\n"
        pod.stop_container(ids[0])
        assert (pod.state(ids[0]), pod.container(ids[0]).exit_code) == (EXITED, 137)
        assert pod.exec(ids[1], "true").code == 0
        pod.remove_container(ids[0])


def test_crio_is_killed_and_started_again(daemon, clean):
    with Pod(daemon) as pod:
        kept = pod.run("kept", "sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.5; done")
        ends = pod.run("ends", "sh", "-c", "sleep 1; exit 9")
        daemon.stop(signal.SIGKILL)
        run.run(["sleep", "3"])
        daemon.start()
        assert pod.is_ready()
        assert pod.state(kept) == RUNNING
        assert pod.wait_exit(ends).exit_code == 9
        assert pod.exec(kept, "echo", "still here").out == "still here\n"
        seen = len(pod.log("kept"))
        run.wait_until(lambda: len(pod.log("kept")) > seen, 30, "the log goes on", interval=0.2)


def test_death_of_the_vm(daemon, clean):
    with Pod(daemon) as pod:
        ids = [pod.run(f"c{number}", "sleep", "1000") for number in range(2)]
        os.kill(pod.vmm(), signal.SIGKILL)
        for id in ids:
            assert pod.wait_exit(id).exit_code == 137
        run.wait_until(lambda: not pod.is_ready(), 20, "the sandbox is not ready", interval=0.1)
        pod.remove_container(ids[0])


def test_host_network_is_refused(daemon, clean):
    with pytest.raises(cri.CriError, match="host's network"):
        Pod(daemon, linux={"security_context": {"namespace_options": {"network": "NODE"}}})
