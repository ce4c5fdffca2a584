"""How soon the agent answers a health check while the containers want all CPU time of the guest."""
import statistics
import time

from bed import run

from harness import agent
from harness.figure import Figure

NAME = "starved"
TITLE = "Health check of a starved guest"

THREADS = 64
BUSY = f"i=0; while [ $i -lt {THREADS} ]; do while :; do :; done & i=$((i+1)); done; echo up > /up; wait"
PAUSE = 0.02


def _round(client, count):
    """The times of `count` checks in milliseconds."""
    found = []
    for _ in range(count):
        began = time.monotonic()
        client.call("grpc.Health", "Check")
        found.append((time.monotonic() - began) * 1e3)
        time.sleep(PAUSE)
    return found


def _p99(times):
    return statistics.quantiles(times, n=100, method="inclusive")[98]


def _rounds(sandbox, rounds, count):
    client = agent.connect(sandbox.id)
    try:
        return [_round(client, count) for _ in range(rounds)]
    finally:
        client.close()


def measure(bench):
    rounds, count = bench.count(5, 2), bench.count(200, 100)
    with bench.sandbox() as sandbox:
        where = sandbox.accelerator()
        idle = _rounds(sandbox, rounds, count)
    with bench.sandbox("sh", "-c", BUSY) as sandbox:
        run.wait_until(lambda: bench.daemon.exec(sandbox.id, "test", "-e", "/up").code == 0, 60, "all threads run")
        starved = _rounds(sandbox, rounds, count)
    how = f"grpc.Health.Check on the agent's socket, {count} a round"
    return [
        Figure("check of an idle guest, p99", "ms", how, [_p99(times) for times in idle], where),
        Figure("check with 64 busy threads, p99", "ms", how + ", one vCPU", [_p99(times) for times in starved], where,
               limit=100),
        Figure("check with 64 busy threads", "ms", "the same, all of them", sum(starved, []), where),
    ]
