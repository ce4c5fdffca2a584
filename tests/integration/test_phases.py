"""Every start leaves a phase record: in the sandbox's file, in the node's log, in containerd's log."""
import json
import pathlib

import pytest

from bed import containerd as cd
from bed import phases

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("only kata writes a phase record", allow_module_level=True)


def test_named_phases_and_the_accelerator(containerd, container):
    id = container("sleep", "300")
    record = phases.of(containerd, id)
    names = [phase["name"] for phase in record["phases"]]
    for name in ("config", "network", "vmm-spawn", "kernel", "agent", "sandbox", "rootfs", "container", "exec"):
        assert name in names
    assert record["total_ms"] > 0 and record["notes"]["accelerator"]
    lines = pathlib.Path("/run/kata-containers/phases.jsonl").read_text().splitlines()
    assert any(json.loads(line)["sandbox"] == id for line in lines)
    assert any(id in line and "vmm-spawn" in line for line in containerd.log().splitlines())
