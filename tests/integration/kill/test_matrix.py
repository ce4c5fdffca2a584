"""kill -9 of each part of a pod at each named step: the exit is reported, delete succeeds, nothing
is left, and the same name starts again.

Rows: VMM, virtiofsd, shim, containerd, the guest's agent, the container's init. Columns: the steps.
All cells of a column use one name, so every start is also the proof of the cell before it.
"""
import threading

import pytest

from bed import containerd as cd
from bed import guest_shell, kata_config, leaks, places, run, victims

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no VMM to kill", allow_module_level=True)

LIMIT = 10
GONE = (None, "STOPPED", "UNKNOWN")
every_victim = pytest.mark.parametrize("victim", victims.ALL)


class Pod:
    """The container of a cell and what is to be killed of it."""

    def __init__(self, containerd, id, config, victim):
        self.containerd, self.id = containerd, id
        self.flags = ["--runtime-config-path", config]
        self.victim = victims.Victim(containerd, id, victim)
        self.before = leaks.Snapshot(containerd.tokens())
        self.clients = []

    @property
    def survives(self):
        """containerd is the only one whose death nobody in the pod notices."""
        return self.victim.name == "containerd"

    def start(self):
        self.containerd.start_detached("sleep", "1000", id=self.id, flags=self.flags)
        self.victim.find()

    def kill(self):
        self.victim.kill()

    def background(self, *arguments):
        self.clients.append(self.containerd.ctr_background(*arguments))
        return self.clients[-1]

    def expect_end(self, alive="RUNNING"):
        """The exit is reported; who survives is as it was."""
        status = lambda: self.containerd.task_status(self.id)  # noqa: E731
        if self.survives:
            assert status() == alive
            return
        run.wait_until(lambda: status() in GONE, LIMIT, f"the end of {self.id} is seen")
        if self.victim.name != "shim":  # with the shim goes the task
            removed = self.containerd.ctr("task", "rm", self.id)
            assert removed.code == 137 or "code 137" in removed.err, removed.describe()

    def settle(self):
        """Deletes what there is and demands a clean host within the limit."""
        self.containerd.remove(self.id)
        left = leaks.wait_clean(self.containerd.tokens(), self.before, LIMIT)
        assert not left, "\n".join(left)

    def close(self):
        self.victim.close()
        for client in self.clients:
            client.close()


@pytest.fixture(scope="module")
def config(work):
    """The usual configuration with a shell in the guest."""
    folder = work / "kill"
    folder.mkdir()
    initrd = guest_shell.add_shell(places.guest_artefacts()["KATA_INITRD"], folder / "initrd")
    return kata_config.write(folder / "kata.toml", {
        kata_config.QEMU: {"initrd": initrd}, kata_config.AGENT: {"debug_console_enabled": True}})


@pytest.fixture(scope="module")
def names(containerd):
    """One id for each step; after the last cell each of them starts once more."""
    taken = {}
    yield lambda step: taken.setdefault(step, containerd.new_id())
    for id in taken.values():
        assert containerd.run("echo", "again", id=id).ok().out == "again\n"


@pytest.fixture
def pod(request, containerd, names, config, victim):
    pod = Pod(containerd, names(request.function.__name__), config, victim)
    yield pod
    pod.close()
    containerd.remove(pod.id)


@every_victim
def test_while_it_starts(pod):
    client = pod.background(*pod.containerd.run_argv("sleep", "1000", id=pod.id, flags=["--detach", *pod.flags]))
    pod.victim.find()
    pod.kill()
    client.wait(60)
    pod.settle()


@every_victim
def test_while_running(pod):
    pod.start()
    pod.kill()
    pod.expect_end()
    pod.settle()


@every_victim
def test_while_a_client_waits(pod):
    """`ctr run` in the foreground must come back, with a status that is not success."""
    client = pod.background(*pod.containerd.run_argv("sh", "-c", "echo up; exec sleep 1000", id=pod.id,
                                                     flags=pod.flags))
    client.wait_for("up\n", 90)
    pod.victim.find()
    pod.kill()
    assert client.wait(LIMIT) != 0
    pod.settle()


@every_victim
def test_while_an_exec_runs(pod):
    pod.start()
    client = pod.background("task", "exec", "--exec-id", "e", pod.id, "sh", "-c", "echo up; cat /dev/zero >/dev/null")
    client.wait_for("up\n", 30)
    pod.kill()
    assert client.wait(LIMIT) != 0
    pod.expect_end()
    pod.settle()


@every_victim
def test_while_statistics_are_read(pod):
    """Each reader gets an answer, be it an error."""
    pod.start()
    codes, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            codes.append(pod.containerd.ctr("task", "metrics", pod.id, timeout=LIMIT).code)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        run.wait_until(lambda: codes, LIMIT, "statistics are read")
        pod.kill()
        pod.expect_end()
    finally:
        stop.set()
        reader.join()
    assert codes[0] == 0 and None not in codes, codes
    pod.settle()


@every_victim
def test_while_paused(pod):
    pod.start()
    pod.containerd.ctr("task", "pause", pod.id).ok()
    pod.kill()
    pod.expect_end(alive="PAUSED")
    if pod.survives:
        pod.containerd.ctr("task", "resume", pod.id).ok()
    pod.settle()


@every_victim
def test_while_it_stops(pod):
    pod.start()
    client = pod.background("task", "kill", "--signal", "SIGKILL", pod.id)
    pod.kill()
    client.wait(LIMIT)
    pod.settle()


@every_victim
def test_while_it_is_deleted(pod):
    pod.start()
    client = pod.background("task", "rm", "--force", pod.id)
    pod.kill()
    client.wait(LIMIT)
    pod.settle()


@pytest.mark.parametrize("victim", ["vmm"])
def test_dead_vmm_is_reported_quickly(pod):
    """Exit status 137 at the client, well within a second."""
    client = pod.background(*pod.containerd.run_argv("sh", "-c", "echo up; sleep 1000", id=pod.id, flags=pod.flags))
    client.wait_for("up\n", 90)
    pod.containerd.wait_status(pod.id, "RUNNING")
    pod.victim.find()
    pod.kill()
    assert client.wait(2) == 137
    pod.settle()
