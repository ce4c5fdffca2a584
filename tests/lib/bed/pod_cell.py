"""One cell of the kill matrix for pods: a pod, what is to be killed of it, and what has to be true afterwards."""
import concurrent.futures
import time

from bed import cri, leaks, run, victims
from bed.events import Events
from bed.pod import RUNNING, Pod

NAME = "killed"  # of the pods of all cells: every start is also the proof of the cell before it
LIMIT = 10
# VM and agent go at once, with all that they hold.
WHOLE_POD = ("vmm", "virtiofsd", "shim", "agent")
TOO_EARLY = ("ttrpc: closed", "container is still running")
# Where containerd keeps the bundles of pods: a pod with a pause container is a task.
BUNDLES = {"kata": "io.containerd.runtime.v2.task", "kata-sandbox": "io.containerd.sandbox.controller.v1.shim"}


class Cell:
    """The pod of one cell: `size` containers, all `sleep`. Calls under way are futures of call()."""

    def __init__(self, daemon, handler, victim, size):
        self.daemon, self.handler, self.size = daemon, handler, size
        self.pod, self.ids, self.calls = None, [], []
        self.victim = victims.Victim(daemon, None, victim)  # of the sandbox with `id`, as soon as there is one
        self.events = Events(daemon)
        self.before = leaks.Snapshot(daemon.tokens())
        self.pool = concurrent.futures.ThreadPoolExecutor(max(4, size))

    def new_pod(self):
        return Pod(self.daemon, self.handler, name=NAME)

    @property
    def bundles(self):
        return self.daemon.work / "state" / BUNDLES[self.handler] / "k8s.io"

    def start(self):
        self.pod = self.new_pod()
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
            alive = self.ids[-1] if self.ids else self.pod.run("alive", "sleep", "1000")
            assert self.pod.exec(alive, "echo", "alive").out == "alive\n"
            return
        self._expect_exits()
        if name == "init":
            assert self.pod.is_ready()
            assert self.pod.run_to_end("after", "sh", "-c", "exit 7").exit_code == 7
        else:
            run.wait_until(self._is_known_to_have_ended, LIMIT, "the sandbox is not ready", interval=0.1)
            print(f"not ready {(time.monotonic() - self.killed) * 1000:.0f} ms after the kill")

    def _is_known_to_have_ended(self):
        try:
            return not self.pod.is_ready()
        except cri.CriError as error:
            self._excuse(error)
            return False

    def _excuse(self, error):
        """containerd 2.x asks a dead shim until it has noted its death, and tries again what failed for it a second later."""
        if self.victim.name != "shim" or not any(words in str(error) for words in TOO_EARLY):
            raise error

    def _expect_exits(self):
        name = self.victim.name
        ends = list(self.ids)
        if name in WHOLE_POD and self.handler != "kata-sandbox":  # whose pod is no task
            ends.append(self.pod.id)
        if not ends:
            return
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

    def settle(self):
        """The pod can be removed, and nothing of it is left within the limit."""
        self.answers()
        if self.pod:
            run.wait_until(self._removed, LIMIT, "the pod is removed", interval=0.2)
            self.pod = None
        left = leaks.wait_clean((*self.daemon.tokens(), self.victim.id), self.before, LIMIT)
        assert not left, "\n".join(left)

    def _removed(self):
        """Tried again as a kubelet would."""
        try:
            self.pod.close()
            return True
        except cri.CriError as error:
            self._excuse(error)
            return False

    def close(self):
        self.victim.close()
        self.pool.shutdown()
        self.events.close()
        if self.pod:
            self.pod.close()
