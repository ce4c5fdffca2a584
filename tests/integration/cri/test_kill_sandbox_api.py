"""The kill matrix for pods by containerd's Sandbox API: the steps of test_kill.py, here also with a pod that is empty.

Nothing but the shim's own words tells containerd of the end of such a pod: it has no task of its own.
"""
import pytest

from bed import pod_kills, victims

HANDLERS = ["kata-sandbox"]
VERSIONS = ["2.x"]
TEST_LIMIT = 300

CHOSEN = [
    ("running", "vmm", 5),
    ("running", "shim", 0),
    ("running", "agent", 1),
    ("starting", "virtiofsd", 0),
]
# As with a pause container containerd is not killed at the start; and there is no first process to kill.
ALL = pod_kills.grid((1, 5), {"running": (0, 1, 5, 20), "stopping": (0, 1, 5), "removing": (0, 5)},
                     first=[name for name in victims.ALL if name not in ("containerd", "init")])


@pytest.mark.parametrize("step, victim, size", ALL if pod_kills.FULL else CHOSEN)
def test_kill(cell, step):
    pod_kills.STEPS[step](cell)
