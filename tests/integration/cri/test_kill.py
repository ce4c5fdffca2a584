"""The kill matrix for pods: kill -9 of each part of a pod of 1, 5 and 20 containers at each named step.

Every exit is reported with its status, the pod can be removed, nothing is left. All cells use one pod name,
so every start is also the proof of the cell before it. By default only some cells run; KATA_KILL=full runs
all of them (`make soak` does). Single containers: integration/kill/test_matrix.py; pods by the Sandbox API:
test_kill_sandbox_api.py.
"""
import pytest

from bed import pod_kills, victims

PRIMARY_ONLY = True
HANDLERS = ["kata"]
TEST_LIMIT = 300

CHOSEN = [
    *(("running", victim, 5) for victim in victims.ALL),
    ("running", "vmm", 20),
    ("starting", "shim", 0),
    ("creating", "vmm", 5),
    ("creating", "agent", 1),
    ("executing", "virtiofsd", 5),
    ("measured", "containerd", 1),
    ("stopping_containers", "agent", 1),
    ("stopping", "vmm", 5),
    ("removing", "shim", 1),
]
# What a killed containerd leaves of its own half made sandboxes is containerd's.
ALL = pod_kills.grid((1, 5, 20), first=[name for name in victims.ALL if name != "containerd"])


@pytest.mark.parametrize("step, victim, size", ALL if pod_kills.FULL else CHOSEN)
def test_kill(cell, step):
    pod_kills.STEPS[step](cell)
