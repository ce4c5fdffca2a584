"""What listens in the guest for the host does not answer the containers of the guest."""
import pathlib
import subprocess

import pytest

from bed import containerd as cd

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no agent", allow_module_level=True)


def test_a_container_cannot_call_the_agent(containerd, tmp_path):
    source = pathlib.Path(__file__).with_name("vsock_probe.c")
    subprocess.run(["gcc", "-static", "-O1", "-o", tmp_path / "probe", source], check=True, timeout=60)
    result = containerd.run("/probe/probe", flags=[
        "--privileged", "--mount", f"type=bind,src={tmp_path},dst=/probe,options=rbind:ro"]).ok()
    assert result.out == "CID 1: refused\nCID 3: refused\n"
