"""What containerd 2.x tells the kubelet about our handler when it asks the shim (docs/how-to/kubernetes.md)."""
import subprocess

import pytest

from bed import cri
from bed.pod import Pod

HANDLERS = ["kata-features", "runc"]


@pytest.fixture
def features(cri_daemon, handler):
    if cri_daemon.version.startswith("1"):
        pytest.skip("containerd 1.6 announces no features of handlers")
    handlers = {one.name: one.features for one in cri_daemon.cri.call("Status").runtime_handlers}
    assert not handlers["kata"].recursive_read_only_mounts  # containerd asks one runtime type only
    return handlers[handler]


def test_recursive_read_only_mounts(cri_daemon, handler, features, tmp_path):
    assert features.recursive_read_only_mounts
    (tmp_path / "inner").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmp_path / "inner"], check=True)
    try:
        with Pod(cri_daemon, handler) as pod:
            volume = {"container_path": "/vol", "host_path": str(tmp_path), "readonly": True,
                      "recursive_read_only": True}
            id = pod.run("rro", "sleep", "1000", mounts=[volume])
            assert "Read-only file system" in pod.exec(id, "touch", "/vol/inner/new").err
            assert "Read-only file system" in pod.exec(id, "touch", "/vol/new").err
            with pytest.raises(cri.CriError, match="recursive read-only mount"):
                pod.create("refused", "sleep", "1000", mounts=[volume | {"readonly": False}])
    finally:
        subprocess.run(["umount", "-l", tmp_path / "inner"], check=True)
