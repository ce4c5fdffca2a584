"""The steps of the kill matrix for pods: each takes a Cell from before the pod's start to a clean host."""
import os

from bed import cri, run, victims
from bed.pod import EXITED
from bed.pod_cell import LIMIT


def running(cell):
    cell.start()
    cell.kill()
    cell.expect_end()
    cell.settle()


def starting(cell):
    there = set(os.listdir(cell.bundles)) if cell.bundles.exists() else set()
    starting = cell.pool.submit(cell.new_pod)
    cell.victim.id = run.wait_until(lambda: cell.bundles.exists() and set(os.listdir(cell.bundles)) - there, 30,
                                    "the bundle of the pod").pop()
    cell.victim.init = "pause"
    cell.victim.find()
    cell.kill()
    try:
        cell.pod = starting.result(60 * run.PATIENCE)
    except cri.CriError as refused:
        print(f"refused: {refused}")
    cell.settle()


def creating(cell):
    """The call ends in time; the others end, or live on, as ever."""
    cell.start()
    cell.call(cell.pod.run, "late", "sleep", "1000")
    cell.kill()
    cell.answers()
    cell.expect_end()
    cell.settle()


def executing(cell):
    """A program in each container."""
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


def measured(cell):
    """While statistics are read."""
    cell.start()
    for _ in range(8):
        cell.call(cell.pod.cri.call, "ListContainerStats", filter={"pod_sandbox_id": cell.pod.id})
        cell.call(cell.pod.cri.call, "PodSandboxStats", pod_sandbox_id=cell.pod.id)
    cell.calls[0].result(LIMIT * run.PATIENCE)
    cell.kill()
    cell.answers()
    cell.expect_end()
    cell.settle()


def stopping_containers(cell):
    """With a grace in which nobody may be forgotten."""
    cell.start()
    for id in cell.ids:
        cell.call(cell.pod.stop_container, id, grace=2)
    cell.kill()
    cell.answers()
    for id in cell.ids:
        cell.pod.stop_container(id)
        if cell.victim.name == "shim":  # a later containerd may need a second attempt to note it
            cell.pod.wait_exit(id, LIMIT)
        assert cell.pod.state(id) == EXITED
    cell.settle()


def stopping(cell):
    cell.start()
    cell.call(cell.pod.stop)
    cell.kill()
    cell.settle()


def removing(cell):
    cell.start()
    cell.call(cell.pod.remove)
    cell.kill()
    cell.settle()


STEPS = {step.__name__: step for step in (running, starting, creating, executing, measured, stopping_containers,
                                          stopping, removing)}
FULL = os.environ.get("KATA_KILL") == "full"


def grid(sizes, sizes_of_step=None, first=victims.ALL):
    """All cells. `sizes_of_step` has the steps with other sizes; `first` is who can be killed of a pod that starts."""
    found = []
    for step in STEPS:
        if step == "starting":
            found += [(step, victim, 0) for victim in first]
            continue
        for size in (sizes_of_step or {}).get(step, sizes):
            # No container, no init.
            found += [(step, victim, size) for victim in victims.ALL if size or victim != "init"]
    return found
