"""What a thousand execs leave behind in agent and shim."""
import os

from harness import agent, procfs
from harness.figure import Figure

NAME = "many-execs"
TITLE = "A thousand execs in one sandbox"
WARM = 50


def _run(sandbox, first, count):
    for number in range(first, first + count):
        exec_id = f"m{number}"
        sandbox.task.exec(sandbox.id, exec_id, ["/bin/first"])
        sandbox.task.start(sandbox.id, exec_id)
        assert sandbox.task.wait(sandbox.id, exec_id) == 0
        sandbox.task.call("Delete", id=sandbox.id, exec_id=exec_id)


def _state(sandbox):
    """(agent's Rss, shim's Rss) in KiB, shim's descriptors."""
    inside = agent.metrics(sandbox.id)["kata_agent_total_rss", ""]
    return (inside / 1024, procfs.rollup(sandbox.shim)["Rss"] / 1024,
            len(os.listdir(f"/proc/{sandbox.shim}/fd")))


def measure(bench):
    count = bench.count(1000, 50)
    with bench.sandbox() as sandbox:
        where = sandbox.accelerator()
        _run(sandbox, 0, WARM)
        before = _state(sandbox)
        _run(sandbox, WARM, count)
        growth = [after - first for after, first in zip(_state(sandbox), before)]
    how = f"{count} execs, each deleted, after {WARM} that are not counted; "
    return [
        Figure("agent RSS growth", "KiB", how + "the agent's GetMetrics", [growth[0]], where, limit=256),
        Figure("shim RSS growth", "KiB", how + "smaps_rollup", [growth[1]]),
        Figure("shim descriptors growth", "", how + "/proc/<shim>/fd", [growth[2]], limit=0),
    ]
