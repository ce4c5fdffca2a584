"""The Sandbox service without containerd: a pod that is made by calls of its own, its states and its end."""
import os
import signal
import time

import pytest

from bed import leaks, run, task, ttrpc, wire
from bed.netns import Netns

SERVICE = "containerd.runtime.sandbox.v1.Sandbox"
POD_URL = "runtime.v1.PodSandboxConfig"
READY, NOT_READY = "SANDBOX_READY", "SANDBOX_NOTREADY"


class Pod:
    """A bundle without config.json, as containerd's shim controller makes it, and its shim."""

    def __init__(self, host):
        self.host = host
        self.id, self.folder = host.bundle(["true"])
        (self.folder / "config.json").unlink()
        self.address = host.start(self.id, self.folder)
        self.client = ttrpc.Client(self.address)
        self.netns = Netns()

    def begin(self, method, fields=(), id=None):
        return self.client.begin(SERVICE, method, wire.encode([(1, self.id if id is None else id), *fields]))

    def call(self, method, fields=(), id=None, timeout=120):
        return self.client.finish(self.begin(method, fields, id), timeout)

    def code(self, method, fields=(), id=None):
        try:
            self.call(method, fields, id)
            return ttrpc.OK
        except ttrpc.CallError as error:
            return error.code

    def create(self, config=(), annotations=None):
        path = f"/proc/{os.getpid()}/fd/{self.netns.fd}"
        options = [(1, POD_URL), (2, wire.encode([(2, "box"), (8, [(1, f"/{self.host.namespace}")]), *config]))]
        self.call("CreateSandbox", [(2, str(self.folder)), (4, options), (5, path), (6, annotations or {})])

    def status(self):
        """(state, pid)"""
        answer = self.call("SandboxStatus")
        assert wire.text(answer, 1) == self.id
        return wire.text(answer, 3), wire.first(answer, 2, 0)

    def end(self):
        try:
            self.code("ShutdownSandbox")
        except (ttrpc.Closed, OSError):
            pass
        self.client.close()
        self.host.delete(self.id, self.folder)
        self.netns.close()
        print(f"log of {self.id}:", self.host.log(self.id), sep="\n")  # shown when a test fails


@pytest.fixture
def pod(host):
    made = Pod(host)
    yield made
    made.end()


@pytest.fixture
def clean(host):
    before = leaks.Snapshot(host.tokens())
    yield
    left = leaks.wait_clean(host.tokens(), before)
    assert not left, "left behind:\n" + "\n".join(left)


def member(host, pod, args):
    """A container of the pod with a connection of its own; it is not created yet."""
    notes = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": pod.id}
    id, folder = host.bundle(args, annotations=notes)
    address = host.start(id, folder)
    assert address == pod.address
    return id, folder, task.Task(address)


def test_states_before_the_start(clean, host, pod):
    for method in ("StartSandbox", "Platform", "StopSandbox", "WaitSandbox", "SandboxStatus", "PingSandbox",
                   "SandboxMetrics"):
        assert pod.code(method) == ttrpc.NOT_FOUND, method
        assert pod.code(method, id="") == ttrpc.INVALID_ARGUMENT, method
    assert pod.code("ShutdownSandbox", id="other") == ttrpc.NOT_FOUND
    assert pod.code("CreateSandbox", id="../x") == ttrpc.INVALID_ARGUMENT
    assert pod.code("CreateSandbox", id="other") == ttrpc.INVALID_ARGUMENT
    assert pod.code("CreateSandbox", [(2, "relative")]) == ttrpc.INVALID_ARGUMENT
    bad = [(1, "containerd.runc.v1.Options"), (2, b"")]
    assert pod.code("CreateSandbox", [(2, str(pod.folder)), (4, bad)]) == ttrpc.INVALID_ARGUMENT
    assert pod.code("NoSuchMethod") == ttrpc.UNIMPLEMENTED
    pod.create()
    assert pod.code("CreateSandbox", [(2, str(pod.folder))]) == ttrpc.ALREADY_EXISTS
    assert pod.status() == (NOT_READY, 0)
    assert pod.code("PingSandbox") == ttrpc.FAILED_PRECONDITION
    assert pod.code("SandboxMetrics") == ttrpc.FAILED_PRECONDITION
    id, folder, container = member(host, pod, ["true"])
    with container:
        with pytest.raises(ttrpc.CallError, match="does not run") as refused:
            container.create(id, folder)
        assert refused.value.code == ttrpc.FAILED_PRECONDITION
    waiting = pod.begin("WaitSandbox")
    assert pod.code("StopSandbox") == ttrpc.OK
    assert wire.first(pod.client.finish(waiting), 1, 0) == 0
    assert pod.code("StopSandbox") == ttrpc.OK
    assert pod.code("StartSandbox") == ttrpc.FAILED_PRECONDITION


def test_life_of_a_pod(clean, host, pod):
    pod.create()
    platform = wire.decode(wire.first(pod.call("Platform"), 1))
    assert wire.text(platform, 1) == "linux" and wire.text(platform, 2) in ("amd64", "arm64")
    pid = wire.first(pod.call("StartSandbox"), 1)
    assert pod.status() == (READY, pid)
    assert pod.code("PingSandbox") == ttrpc.OK
    assert pod.code("StartSandbox") == ttrpc.FAILED_PRECONDITION
    waiting = pod.begin("WaitSandbox")

    for _ in range(2):  # the last container's end is not that of the pod
        id, folder, container = member(host, pod, ["sh", "-c", "hostname; sleep 1000"])
        with container:
            container.create(id, folder)
            container.start(id)
            assert wire.first(pod.call("SandboxMetrics"), 1)
            container.kill(id, 9)
            assert container.wait(id) == 137
            container.call("Delete", id=id)
            container.call("Shutdown", id=id)
        assert host.delete(id, folder).code == 0
        assert pod.status() == (READY, pid)

    pod.call("StopSandbox")
    assert wire.first(pod.client.finish(waiting), 1, 0) == 0
    assert pod.status() == (NOT_READY, 0)
    assert not os.path.exists(f"/proc/{pid}")
    assert pod.code("StopSandbox") == ttrpc.OK
    pod.call("ShutdownSandbox")
    run.wait_until(lambda: not os.path.exists(pod.address.removeprefix("unix://")), 20, "the shim has gone")


def test_death_of_the_vm(clean, host, pod):
    pod.create()
    pid = wire.first(pod.call("StartSandbox"), 1)
    waiting = pod.begin("WaitSandbox")
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    answer = pod.client.finish(waiting, 20)
    took = time.monotonic() - killed
    print(f"WaitSandbox was answered after {took * 1000:.1f} ms")
    assert took < 2 * run.PATIENCE  # a loaded machine; usually some milliseconds
    assert wire.first(answer, 1) == 137
    assert pod.status() == (NOT_READY, 0)
    with pytest.raises(ttrpc.CallError, match="does not run: .*SIGKILL") as refused:
        pod.call("PingSandbox")
    assert refused.value.code == ttrpc.FAILED_PRECONDITION
    run.wait_until(lambda: not os.path.exists(f"/run/vc/sbs/{pod.id}"), 20, "nothing waits for the pod's removal")


def test_death_of_the_shim(clean, host, pod):
    pod.create()
    pod.call("StartSandbox")
    own = wire.first(pod.client.call(task.V2, "Connect", wire.encode([(1, pod.id)])), 1)
    os.kill(own, signal.SIGKILL)
    result = host.delete(pod.id, pod.folder).ok()
    assert wire.first(wire.decode(result.out), 2) == 137
    left = leaks.processes((pod.id,))
    assert not left, left


def test_delete_verb_ends_a_living_shim(clean, host, pod):
    """containerd calls it when it has given the sandbox up."""
    pod.create()
    pid = wire.first(pod.call("StartSandbox"), 1)
    host.delete(pod.id, pod.folder).ok()
    assert not os.path.exists(f"/proc/{pid}")


def test_failed_start(clean, host, pod):
    """The host's network is asked for: no namespace and network mode NODE (2)."""
    options = [(1, POD_URL), (2, wire.encode([(8, [(2, [(1, [(1, 2)])])])]))]
    pod.call("CreateSandbox", [(2, str(pod.folder)), (4, options)])
    with pytest.raises(ttrpc.CallError, match="step netns.*host's network") as refused:
        pod.call("StartSandbox")
    assert refused.value.code == ttrpc.INVALID_ARGUMENT
    assert pod.status() == (NOT_READY, 0)
    assert wire.first(pod.call("WaitSandbox"), 1) == 255
    assert pod.code("StopSandbox") == ttrpc.OK


def test_configuration_of_the_handler(clean, host):
    """Its ConfigPath comes on the standard input of `start` only."""
    id, folder = host.bundle(["true"])
    (folder / "config.json").unlink()
    options = wire.encode([(1, "runtimeoptions.v1.Options"), (2, [(2, "/no/such/kata.toml")])])
    started = host.verb(id, folder, "start", stdin=options, text=False).ok()
    client = ttrpc.Client(started.out.decode())
    client.call(SERVICE, "CreateSandbox", wire.encode([(1, id), (2, str(folder))]))
    with pytest.raises(ttrpc.CallError, match="/no/such/kata.toml"):
        client.call(SERVICE, "StartSandbox", wire.encode([(1, id)]))
    client.call(SERVICE, "ShutdownSandbox", wire.encode([(1, id)]))
    client.close()
    host.delete(id, folder).ok()
