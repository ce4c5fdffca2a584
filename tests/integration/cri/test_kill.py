"""The kill matrix for pods: kill -9 of each part of a pod of 1, 5 and 20 containers at each named step.

Every exit is reported with its status, the pod can be removed, nothing is left. All cells use one pod name,
so every start is also the proof of the cell before it. By default only some cells run; KATA_KILL=full runs
all of them (`make soak` does). Single containers: integration/kill/test_matrix.py.
"""
import concurrent.futures
import os
import time

import pytest

from bed import cri, guest_shell, kata_config, leaks, places, run, victims
from bed.events import Events
from bed.pod import EXITED, RUNNING, Pod

PRIMARY_ONLY = True

NAME = "killed"
SIZES = (1, 5, 20)
LIMIT = 10
TEST_LIMIT = 300
# VM and agent go at once, with all that they hold.
WHOLE_POD = ("vmm", "virtiofsd", "shim", "agent")

CHOSEN = {
    "running": [*((victim, 5) for victim in victims.ALL), ("vmm", 20)],
    "starting": [("shim", 0)],
    "creating": [("vmm", 5), ("agent", 1)],
    "exec": [("virtiofsd", 5)],
    "statistics": [("containerd", 1)],
    "stopping a container": [("agent", 1)],
    "stopping the pod": [("vmm", 5)],
    "removing the pod": [("shim", 1)],
}


def cells(step, sizes=SIZES, victims=victims.ALL):
    grid = [(victim, size) for size in sizes for victim in victims]
    return pytest.mark.parametrize("victim, size", grid if os.environ.get("KATA_KILL") == "full" else CHOSEN[step])


class Cell:
    """The pod of one cell: `size` containers, all `sleep`. Calls under way are futures of call()."""

    def __init__(self, daemon, victim, size):
        self.daemon, self.size = daemon, size
        self.pod, self.ids, self.calls = None, [], []
        self.victim = victims.Victim(daemon, None, victim)  # of the sandbox with `id`, as soon as there is one
        self.events = Events(daemon)
        self.before = leaks.Snapshot(daemon.tokens())
        self.pool = concurrent.futures.ThreadPoolExecutor(max(4, size))

    def start(self):
        self.pod = Pod(self.daemon, name=NAME)
        self.victim.id = self.pod.id
        began = [self.pool.submit(self.pod.run, f"c{n}", "sleep", "1000") for n in range(self.size)]
        self.ids = [future.result() for future in began]
        self.victim.find()

    def call(self, function, *arguments, **words):
        self.calls.append(self.pool.submit(function, *arguments, **words))

    def kill(self):
        self.killed = time.monotonic()
        self.victim.kill()

    def answers(self):
        """What became of the calls: each has an end in time, an answer or an error of CRI."""
        found = []
        for future in self.calls:
            try:
                found.append(future.result(LIMIT * run.PATIENCE))
            except cri.CriError as error:
                found.append(error)
        self.calls.clear()
        return found

    def expect_end(self):
        """Every container is told to have ended by SIGKILL, and who survives is as it was."""
        name = self.victim.name
        if name == "containerd":
            assert self.pod.is_ready() and [self.pod.state(id) for id in self.ids] == [RUNNING] * self.size
            assert self.pod.exec(self.ids[-1], "echo", "alive").out == "alive\n"
            return
        ends = [*self.ids, self.pod.id] if name in WHOLE_POD else self.ids
        exits = self.events.await_exits(ends, LIMIT)
        last = max(when for when, _ in exits.values()) - self.killed
        print(f"{name}: {len(ends)} exits told {last * 1000:.0f} ms after the kill")
        assert {status for _, status in exits.values()} == {137}
        if name in ("vmm", "virtiofsd"):
            assert last < 5 * run.PATIENCE, "100 ms on a quiet machine"
        # Whose shim is gone, whatever it was, has 255 at the CRI plugin.
        wanted = (137, 255) if name == "shim" else (137,)
        for id in self.ids:
            assert self.pod.wait_exit(id, LIMIT).exit_code in wanted
        if name == "init":
            assert self.pod.is_ready()
            assert self.pod.run_to_end("after", "sh", "-c", "exit 7").exit_code == 7
        else:
            run.wait_until(lambda: not self.pod.is_ready(), LIMIT, "the sandbox is not ready", interval=0.1)

    def settle(self):
        """The pod can be removed, and nothing of it is left within the limit."""
        self.answers()
        if self.pod:
            self.pod.close()
            self.pod = None
        left = leaks.wait_clean((*self.daemon.tokens(), self.victim.id), self.before, LIMIT)
        assert not left, "\n".join(left)

    def close(self):
        self.victim.close()
        self.pool.shutdown()
        self.events.close()
        if self.pod:
            self.pod.close()


@pytest.fixture(scope="module")
def shells(cri_daemon, work):
    """The daemon whose guests have a shell, for the kills inside; its pods all have one name."""
    folder = work / "kill-pods"
    folder.mkdir()
    initrd = guest_shell.add_shell(places.guest_artefacts()["KATA_INITRD"], folder / "initrd")
    kata_config.write(cri_daemon.kata_config, {
        kata_config.QEMU: {"initrd": initrd}, kata_config.AGENT: {"debug_console_enabled": True}})
    yield cri_daemon
    kata_config.write(cri_daemon.kata_config)
    with Pod(cri_daemon, name=NAME) as again:
        assert again.is_ready()


@pytest.fixture
def cell(shells, victim, size):
    cell = Cell(shells, victim, size)
    yield cell
    cell.close()


@cells("running")
def test_while_running(cell):
    cell.start()
    cell.kill()
    cell.expect_end()
    cell.settle()


# What a killed containerd leaves of its own half made sandboxes is containerd's.
@cells("starting", sizes=[0], victims=[name for name in victims.ALL if name != "containerd"])
def test_while_the_pod_starts(cell):
    bundles = cell.daemon.work / "state" / "io.containerd.runtime.v2.task" / "k8s.io"
    there = set(os.listdir(bundles)) if bundles.exists() else set()
    starting = cell.pool.submit(Pod, cell.daemon, name=NAME)
    cell.victim.id = run.wait_until(lambda: bundles.exists() and set(os.listdir(bundles)) - there, 30,
                                    "the bundle of the pod").pop()
    cell.victim.init = "pause"
    cell.victim.find()
    cell.kill()
    try:
        cell.pod = starting.result(60 * run.PATIENCE)
    except cri.CriError as refused:
        print(f"refused: {refused}")
    cell.settle()


@cells("creating")
def test_while_a_container_is_created(cell):
    """The call ends in time; the others end, or live on, as ever."""
    cell.start()
    cell.call(cell.pod.run, "late", "sleep", "1000")
    cell.kill()
    cell.answers()
    cell.expect_end()
    cell.settle()


@cells("exec")
def test_while_programs_run_in_all_containers(cell):
    cell.start()
    for id in cell.ids:
        cell.call(cell.pod.exec, id, "sh", "-c", "echo up > /up; exec tail -f /dev/null")
    for id in cell.ids:
        run.wait_until(lambda id=id: cell.pod.exec(id, "test", "-e", "/up").code == 0, 30, "it runs")
    cell.kill()
    for answer in cell.answers():
        assert isinstance(answer, cri.CriError) or answer.code != 0, answer
    cell.expect_end()
    cell.settle()


@cells("statistics")
def test_while_statistics_are_read(cell):
    cell.start()
    for _ in range(8):
        cell.call(cell.pod.cri.call, "ListContainerStats", filter={"pod_sandbox_id": cell.pod.id})
        cell.call(cell.pod.cri.call, "PodSandboxStats", pod_sandbox_id=cell.pod.id)
    cell.calls[0].result(LIMIT * run.PATIENCE)
    cell.kill()
    cell.answers()
    cell.expect_end()
    cell.settle()


@cells("stopping a container")
def test_while_containers_stop(cell):
    """With a grace in which nobody may be forgotten."""
    cell.start()
    for id in cell.ids:
        cell.call(cell.pod.stop_container, id, grace=2)
    cell.kill()
    cell.answers()
    for id in cell.ids:
        cell.pod.stop_container(id)
        assert cell.pod.state(id) == EXITED
    cell.settle()


@cells("stopping the pod")
def test_while_the_pod_stops(cell):
    cell.start()
    cell.call(cell.pod.stop)
    cell.kill()
    cell.settle()


@cells("removing the pod")
def test_while_the_pod_is_removed(cell):
    cell.start()
    cell.call(cell.pod.remove)
    cell.kill()
    cell.settle()
