"""A guest that needs long to boot is waited for as long as its VMM lives."""
import os
import signal
import time

import pytest

from bed import containerd as cd
from bed import leaks, run

PRIMARY_ONLY = True
HELD = 65 if os.environ.get("FULL") else 20  # seconds that the VMM stands still

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest", allow_module_level=True)


def test_vmm_that_stands_still_while_it_boots(containerd, clean):
    id = containerd.new_id()
    client = containerd.ctr_background(*containerd.run_argv("echo", "late but here", id=id, flags=["--rm"]))
    try:
        def vmm():
            return [pid for pid, line in leaks.processes((id,)).items() if "qemu-system" in line.split(" ")[0]]

        pid = run.wait_until(vmm, 30, "the VMM runs", interval=0.01)[0]
        time.sleep(0.3)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(HELD)
        os.kill(pid, signal.SIGCONT)
        assert client.wait(120) == 0, client.err
        assert client.out == "late but here\n"
    finally:
        client.close()
