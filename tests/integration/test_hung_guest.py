"""A guest that hangs: its VMM is stopped, so that nothing in it can run."""
import os
import signal
import time

import pytest

from bed import containerd as cd
from bed import leaks, run

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest", allow_module_level=True)


@pytest.fixture
def hung(containerd, container):
    """Id and VMM of a container whose VMM is stopped."""
    id = container("sleep", "1000")
    vmm = next(pid for pid, line in leaks.processes((id,)).items() if "qemu-system" in line.split(" ")[0])
    os.kill(vmm, signal.SIGSTOP)
    yield id, vmm
    try:
        os.kill(vmm, signal.SIGCONT)
    except ProcessLookupError:
        pass


def test_a_guest_that_was_only_stopped_goes_on(containerd, hung):
    id, vmm = hung
    time.sleep(8)
    assert containerd.task_status(id) == "RUNNING"
    os.kill(vmm, signal.SIGCONT)
    assert containerd.exec(id, "echo", "back").ok().out == "back\n"


def test_kill_ends_the_container_of_a_hung_guest(containerd, hung):
    id, _ = hung
    began = time.monotonic()
    containerd.ctr("task", "kill", "--signal", "SIGKILL", id, timeout=40)
    containerd.wait_status(id, "STOPPED", 30)
    assert time.monotonic() - began < 30 * run.PATIENCE
