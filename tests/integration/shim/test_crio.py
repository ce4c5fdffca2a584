"""CRI-O as the caller of the shim: how it differs from containerd, without CRI-O itself."""
import json
import os
import threading
import time

import pytest

from bed import containerd as cd
from bed import leaks, pod_network, run, task, ttrpc, wire
from bed.shim_crio import Container

pytestmark = pytest.mark.skipif(cd.kata_runtime() == cd.RUNC, reason="CRI-O does not start runc's shim")
CGROUP_V1 = not os.path.exists("/sys/fs/cgroup/cgroup.controllers")


@pytest.fixture
def made(host):
    """made(args, ...) is a container of CRI-O that is created; whatever is left of them is ended."""
    containers = []

    def make(args, **options):
        containers.append(Container(host, args, **options))
        return containers[-1]

    yield make
    for container in reversed([container for container in containers if not container.closed]):
        try:
            container.task.code("Kill", [(3, 9)], id=container.id)
            container.task.code("Wait", id=container.id, timeout=30)
            container.task.code("Delete", id=container.id)
            container.task.code("Shutdown", id=container.id)
        except (ttrpc.Closed, OSError):
            pass
        container.close()


@pytest.fixture
def sandbox(made):
    container = made(["sleep", "1000"])
    container.create()
    return container.start()


def test_life_of_a_pod(host, made, tmp_path):
    before = leaks.Snapshot(host.tokens())
    sandbox = made(["sleep", "1000"])
    pid = sandbox.create()
    sandbox.start()
    members = [made(["sh", "-c", "trap 'echo over; exit 5' TERM; echo up; while :; do sleep 0.1; done"], sandbox=sandbox) for _ in range(2)]
    for member in members:
        assert member.create() == pid  # CRI-O takes the VMM for the first process of each
        member.start().out.expect(b"up\n")
        assert member.exec(["echo", "within"], tmp_path) == (0, b"within\n")
        assert member.exec(["sleep", "1000"], tmp_path, kill=True)[0] == 137
    run.wait_until(lambda: b"sandbox=" + sandbox.id.encode() in sandbox.log.read(), 20, "the first bundle's fifo has the log")
    for member in members:
        member.task.kill(member.id, 15)
        assert wire.first(member.task.client.finish(member.waiting), 1) == 5
        assert b"over\n" in member.out.wait_end()
        member.remove()
    assert wire.first(sandbox.stop(), 1) == 137
    sandbox.remove()
    left = leaks.wait_clean(host.tokens(), before)
    assert not left, "\n".join(left)


def with_network(path):
    kinds = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]
    return {"namespaces": [*kinds, {"type": "network", "path": str(path)}]}


def test_no_pod_gets_into_another_ones_vm(made, tmp_path):
    """CRI-O lays the annotations of a pod's author over its own: of them a pause container may name another pod."""
    first, second = (pod_network.NamedNetns(tmp_path / name) for name in ("one", "two"))
    try:
        sandbox = made(["sleep", "1000"], linux=with_network(first.path))
        sandbox.create()
        sandbox.start()
        member = made(["sleep", "1000"], sandbox=sandbox, linux=with_network(first.path))
        member.create()
        intruder = made(["sleep", "1000"], sandbox=sandbox, linux=with_network(second.path))
        with pytest.raises(ttrpc.CallError, match="another network namespace"):
            intruder.create()
        intruder.close()
    finally:
        for space in (first, second):
            space.close()


def test_the_author_of_a_pod_cannot_size_or_set_it(made):
    """containerd's words and what no enable_annotations decides upon are nobody's to say there."""
    huge, own = "io.kubernetes.cri.sandbox-memory", "io.katacontainers.config.agent.kernel_modules"
    sandbox = made(["sleep", "1000"], annotate={huge: str(1 << 50), own: "no-such-module"})
    pid = sandbox.create()
    sandbox.start()
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as line:
        assert "size=256M" in line.read()


def test_a_process_that_ended_can_be_stopped(made, sandbox):
    """An error of Kill would be a failed stop, and the pod could never be removed. Signal 0 asks whether it lives."""
    member = made(["sleep", "1000"], sandbox=sandbox)
    member.create()
    member.start()
    member.task.kill(member.id, 0)
    member.task.kill(member.id, 9)
    assert wire.first(member.task.client.finish(member.waiting), 1) == 137
    assert wire.first(member.stop(), 1) == 137
    assert member.task.code("Kill", [(3, 0)], id=member.id) == ttrpc.NOT_FOUND
    assert member.task.code("Kill", [(3, 9)], id="unknown") == ttrpc.NOT_FOUND
    member.remove()


def test_a_dead_vm(made, sandbox):
    """Every container can be stopped and removed, with the calls that CRI-O has for that."""
    member = made(["sleep", "1000"], sandbox=sandbox)
    os.kill(member.create(), 9)
    run.wait_until(lambda: member.task.status(member.id) == task.STOPPED, 20, "the shim knows")
    for container in (member, sandbox):
        assert wire.first(container.stop(), 1) == 137
        container.remove()


def test_a_new_crio_finds_the_pod(made, sandbox):
    """It reads `address` in the bundle of each container and takes the streams from State; nobody reads the log any more."""
    member = made(["sh", "-c", "echo before; read word; echo $word; sleep 2; echo after; exit 3"], sandbox=sandbox, stdin=True)
    member.create()
    member.start().out.expect(b"before\n")
    for container in (sandbox, member):
        container.task.client.close()
        container.out.close()
        os.close(container.log.handle)
        container.log.handle = os.open("/dev/null", os.O_RDONLY)
    member.stdin.open()
    member.stdin.write(b"between\n")
    time.sleep(1)
    for container in (sandbox, member):
        container.task = task.Task((container.bundle / "address").read_text())
        container.out.handle = os.open(container.out.path, os.O_RDONLY | os.O_NONBLOCK)
    state = member.task.call("State", id=member.id)
    assert [wire.text(state, number) for number in (5, 6, 7)] == list(member.streams().values())
    member.out.expect(b"between\nafter\n")
    assert wire.first(member.task.call("Wait", id=member.id), 1) == 3
    assert sandbox.task.status(sandbox.id) == task.RUNNING


def test_nobody_waits_for_the_log_of_a_container(host, sandbox):
    """CRI-O has a thread that opens the fifo `log` of each bundle; only the first one's gets a writer for good."""
    ended = threading.Event()

    class Reading(Container):
        def start_shim(self):
            self.log.close()
            self.log.handle = os.open("/dev/null", os.O_RDONLY)

            def read():
                with open(self.bundle / "log", "rb") as log:
                    log.read()
                ended.set()

            threading.Thread(target=read, daemon=True).start()
            return super().start_shim()

    member = Reading(host, ["true"], sandbox=sandbox)
    member.close()
    assert ended.wait(20 * run.PATIENCE)


def test_a_create_that_fails(host, made, sandbox):
    """CRI-O deletes what was not made, asks for the end of the shim and goes on: the pod must not notice."""
    member = made(["/no/such/program"], sandbox=sandbox)
    with pytest.raises(ttrpc.CallError, match="no such file or directory"):
        member.create()
    assert member.task.code("Delete", id=member.id) == ttrpc.NOT_FOUND
    assert member.task.code("Shutdown", id=member.id) == ttrpc.OK
    assert sandbox.task.status(sandbox.id) == task.RUNNING


def test_host_network(host, made):
    """Refused with the reason, and the shim goes."""
    before = leaks.Snapshot(host.tokens())
    namespaces = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]
    alone = made(["true"], linux={"namespaces": namespaces})
    with pytest.raises(ttrpc.CallError, match="host's network"):
        alone.create()
    assert alone.task.code("Delete", id=alone.id) == ttrpc.NOT_FOUND
    assert alone.task.code("Shutdown", id=alone.id) == ttrpc.OK
    left = leaks.wait_clean(host.tokens(), before)
    assert not left, "\n".join(left)


def test_oom_leaves_its_mark(made, sandbox):
    """CRI-O looks for the file as soon as Wait is answered; it is there by then unless the machine is very busy."""
    member = made(["sh", "-c", "tail /dev/zero"], sandbox=sandbox, linux={"resources": {"memory": {"limit": 24 << 20}}})
    member.create()
    member.start()
    assert wire.first(member.task.client.finish(member.waiting), 1) in (1, 137)
    run.wait_until((member.bundle / "oom").exists, 5, "the mark", interval=0.02)


@pytest.mark.skipif(not CGROUP_V1, reason="the message of cgroup v2 has other parts")
def test_statistics_have_every_part(sandbox):
    """CRI-O reads these parts without asking whether they are there: a missing one would end the daemon."""
    answer = wire.decode(wire.first(sandbox.task.call("Stats", id=sandbox.id), 1))
    assert wire.text(answer, 1).endswith("io.containerd.cgroups.v1.Metrics")
    metrics = wire.decode(wire.first(answer, 2))
    assert {2, 3, 4} <= set(metrics)  # pids, cpu, memory
    assert {1, 2} <= set(wire.decode(wire.first(metrics, 3)))  # usage, throttling
    assert {33, 34, 35, 36} <= set(wire.decode(wire.first(metrics, 4)))  # usage, swap, kernel, kernel_tcp


def test_features(host):
    """Asked for each handler when CRI-O starts."""
    answer = json.loads(run.run([host.binary, "features"], timeout=10).ok().out)
    assert answer["ociVersionMin"] and answer["ociVersionMax"]
    assert "rro" in answer["mountOptions"]
    assert not answer["linux"]["mountExtensions"]["idmap"]["enabled"]  # it would announce user namespaces
