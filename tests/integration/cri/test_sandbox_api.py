"""Pods by containerd's Sandbox API (`sandboxer = "shim"`): what a pause container and its files do elsewhere.

The life of such a pod, its streams, ports, network and figures are tested with the other handlers' (kata-sandbox).
"""
import json
import os
import signal
import time

import pytest

from bed import cri, leaks, run
from bed.loop import Loop
from bed.pod import EXITED, RUNNING, Pod

HANDLERS = ["kata-sandbox"]
VERSIONS = ["2.x"]


def info(pod):
    return json.loads(pod.cri.call("PodSandboxStatus", pod_sandbox_id=pod.id, verbose=True).info["info"])


def processes(pod, name):
    return [pid for pid, line in leaks.processes((pod.id,)).items()
            if os.path.basename(line.split(" ")[0]) == name]


def test_files_and_settings_of_the_pod(pod):
    """There is no pause container; tests of the others check the same in test_settings.py."""
    id = pod.run("plain", "sleep", "1000")
    assert pod.sh(id, "hostname; cat /etc/hostname") == f"{pod.name}\n{pod.name}\n"
    assert pod.sh(id, "cat /etc/hosts") == open("/etc/hosts").read()
    resolv = pod.sh(id, "cat /etc/resolv.conf").splitlines()
    assert resolv == ["search svc.test test", "nameserver 10.77.0.250", "options ndots:3"]
    assert pod.sh(id, "cat /proc/sys/kernel/shm_rmid_forced") == "1\n"
    assert pod.sh(id, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start") == "1234\n"
    pod.sh(id, "echo '10.1.2.3 friend' >> /etc/hosts && grep friend /etc/hosts")
    pod.remove_container(id)
    other = pod.run("readonly", "sleep", "1000", linux={"security_context": {"readonly_rootfs": True}})
    assert pod.exec(other, "sh", "-c", "echo x >> /etc/hosts").code != 0
    pod.remove_container(other)


def test_no_task_and_no_image_of_the_pod_itself(pod):
    assert info(pod)["pid"] > 0
    tasks = pod.daemon.ctr("task", "ls").ok().out
    assert pod.id not in tasks
    assert pod.id in pod.daemon.ctr("sandboxes", "ls").ok().out


def test_shared_pid_namespace(cri_daemon, handler, clean):
    with Pod(cri_daemon, handler, pid="POD") as pod:
        one = pod.run("one", "sleep", "1001")
        two = pod.run("two", "sleep", "1002")
        for id in (one, two):
            seen = pod.sh(id, "ps")
            assert "sleep 1001" in seen and "sleep 1002" in seen
        assert "pause" in pod.sh(one, "cat /proc/1/cmdline | tr '\\0' ' '")
        # The guest's files are out of reach also through a process that is not the pod's.
        assert pod.exec(one, "ls", "/proc/1/root/").code != 0
        pod.stop_container(one)
        assert "sleep 1002" in pod.sh(two, "ps"), "the first container's end is not that of the namespace"
        again = pod.run("one", "sh", "-c", "sleep 1003 & exec sleep 1004", attempt=1)
        run.wait_until(lambda: "sleep 1003" in pod.sh(two, "ps"), 20, "a new container joins")
        pod.stop_container(again)
        run.wait_until(lambda: "sleep 1003" not in pod.sh(two, "ps"), 20, "its orphans are gone, none is a zombie")


def test_sizing(cri_daemon, handler, clean):
    with Pod(cri_daemon, handler, linux={"resources": {"memory_limit_in_bytes": 128 << 20}}) as pod:
        id = pod.run("free", "sleep", "1000")
        total = int(pod.sh(id, "grep MemTotal /proc/meminfo").split()[1]) >> 10
        assert 256 < total <= 384


def test_death_of_the_vm_is_known_at_once(cri_daemon, handler, clean):
    with Pod(cri_daemon, handler) as pod:
        ids = [pod.run(f"c{i}", "sleep", "1000") for i in range(3)]
        killed = time.monotonic()
        os.kill(info(pod)["pid"], signal.SIGKILL)
        run.wait_until(lambda: not pod.is_ready(), 20, "the sandbox is not ready", interval=0.02)
        print(f"not ready after {time.monotonic() - killed:.2f} s")
        for id in ids:
            assert pod.wait_exit(id).exit_code == 137
        assert "reason" in info(pod)
        # Nothing waits for the pod's removal.
        run.wait_until(lambda: not processes(pod, "virtiofsd"), 20, "no helper is left")
        late = pod.create("late", "true")
        with pytest.raises(cri.CriError, match="not running"):
            pod.start(late)
        with pytest.raises(cri.CriError):
            pod.exec(ids[0], "true")


def test_what_the_node_lends_comes_back(cri_daemon, handler, clean, tmp_path):
    """The pod lives on without containers; their disks do not stay with it, nor its files after it."""
    with Loop(tmp_path / "disk") as loop:
        with Pod(cri_daemon, handler) as pod:
            files = f"/var/lib/kata-containers/pods/{pod.id}"
            id = pod.run("only", "sleep", "1000", devices=[
                {"host_path": loop.path, "container_path": "/dev/xvda", "permissions": "mrw"}])
            assert loop.is_used() and os.path.exists(f"{files}/hosts")
            pod.stop_container(id)
            pod.remove_container(id)
            run.wait_until(lambda: not loop.is_used(), 20, "the VM lets go of the disk")
            assert pod.is_ready()
        assert not os.path.exists(files)


def test_death_of_the_shim(cri_daemon, handler, clean):
    with Pod(cri_daemon, handler) as pod:
        id = pod.run("one", "sleep", "1000")
        shims = processes(pod, "containerd-shim-kata-v2")
        assert shims
        for pid in shims:
            os.kill(pid, signal.SIGKILL)
        assert pod.wait_exit(id).exit_code != 0
        run.wait_until(lambda: not pod.is_ready(), 20, "the sandbox is not ready", interval=0.1)
        run.wait_until(lambda: not processes(pod, "qemu-system-x86_64"), 20, "the VM is gone")


def test_containerd_restarts(cri_daemon, handler, clean):
    with Pod(cri_daemon, handler) as pod:
        kept = pod.run("kept", "sleep", "1000")
        cri_daemon.restart(signal.SIGKILL)
        run.wait_until(lambda: answers(pod), 60, "the CRI plugin answers", interval=0.2)
        assert pod.is_ready()
        assert pod.state(kept) == RUNNING
        assert pod.exec(kept, "echo", "still here").out == "still here\n"
        pod.run("late", "sleep", "1000")
        os.kill(info(pod)["pid"], signal.SIGKILL)
        run.wait_until(lambda: not pod.is_ready(), 20, "the restarted daemon waits for the sandbox", interval=0.1)
        run.wait_until(lambda: pod.state(kept) == EXITED, 20, "and for its containers", interval=0.1)


def answers(pod):
    try:
        return pod.status()
    except cri.CriError:
        return None


def test_refused_annotation(cri_daemon, handler, clean):
    """A pod in the host's network is not tried: containerd 2.1 itself ends with a panic before it asks the shim."""
    with pytest.raises(cri.CriError, match="enable_annotations"):
        Pod(cri_daemon, handler, annotations={"io.katacontainers.config.hypervisor.path": "/bin/sh"})
