"""Volumes that vanish or cannot work in a VM: the error names step, path and cause, and nothing stays."""
import shutil
import socket
import subprocess

import pytest

from bed import cri, kubelet, leaks, run
from bed.pod import RUNNING, Pod

HANDLERS = ["kata"]
PRIMARY_ONLY = True


def mount(path, source, **more):
    return {"container_path": path, "host_path": str(source), **more}


@pytest.fixture(scope="module")
def own(cri_daemon, handler):
    """One pod for all of them: that it goes on working is part of each test."""
    before = leaks.Snapshot(cri_daemon.tokens())
    with Pod(cri_daemon, handler) as pod:
        yield pod
    left = leaks.wait_clean(cri_daemon.tokens(), before)
    assert not left, "left behind:\n" + "\n".join(left)


@pytest.fixture
def folder(own, request):
    made = own.logs / request.node.originalname
    made.mkdir(exist_ok=True)
    yield made
    id = own.run("still", "sleep", "1000", mounts=[mount("/vol", made)] if made.exists() else [])
    assert own.sh(id, "echo works") == "works\n"
    own.remove_container(id)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_gone_between_create_and_start(own, folder, kind):
    path = folder / kind
    path.mkdir() if kind == "folder" else path.write_text("x")
    id = own.create(f"gone-{kind}", "sleep", "1000", mounts=[mount("/vol", path)])
    path.rmdir() if kind == "folder" else path.unlink()
    with pytest.raises(cri.CriError) as refused:
        own.start(id)
    for word in ("prepare files of the container", "on /vol", str(path), "No such file or directory"):
        assert word in refused.value.message
    own.remove_container(id)


def test_configuration_gone_between_create_and_start(own, folder):
    volume = kubelet.ConfigVolume(folder, "configmap", "gone")
    volume.write({"key": "value"})
    id = own.create("gone-config", "sleep", "1000", mounts=[mount("/config", volume.path, readonly=True)])
    shutil.rmtree(volume.path)
    with pytest.raises(cri.CriError, match=f"on /config.*{volume.path}.*No such file"):
        own.start(id)
    own.remove_container(id)


def test_removed_while_the_container_runs(own, folder):
    (folder / "inner").mkdir()
    (folder / "inner" / "file").write_text("x\n")
    volume = kubelet.ConfigVolume(folder, "secret", "going")
    volume.write({"key": "value\n"})
    id = own.run("removed", "sleep", "1000", mounts=[
        mount("/vol", folder / "inner"), mount("/config", volume.path, readonly=True)])
    assert own.sh(id, "cat /vol/file /config/key") == "x\nvalue\n"
    shutil.rmtree(folder / "inner")
    shutil.rmtree(volume.path)
    run.wait_until(lambda: own.exec(id, "cat", "/vol/file").code != 0, 20, "the file is gone")
    assert own.state(id) == RUNNING
    own.stop_container(id)
    own.remove_container(id)


def test_unmounted_while_the_container_runs(own, folder):
    with kubelet.mounted("tmpfs", "tmpfs", folder / "disk") as disk:
        (disk / "file").write_text("x\n")
        id = own.run("unmounted", "sleep", "1000", mounts=[mount("/vol", disk)])
    # The container keeps it, as without a VM.
    assert own.sh(id, "cat /vol/file") == "x\n"
    own.remove_container(id)


def test_socket_of_the_node(own, folder):
    """It is a file in the guest that nobody listens behind; the log says so and what to do instead."""
    path = folder / "service.sock"
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(path))
        service.listen()
        id = own.run("socket", "sleep", "1000", mounts=[mount("/run/service.sock", path)])
        assert own.exec(id, "test", "-S", "/run/service.sock").code == 0
        log = own.daemon.log()
        assert "guest and host cannot talk through it" in log and "network address" in log
        own.remove_container(id)
    path.unlink()


def test_a_device_of_the_node_stays_out(own, folder):
    path = folder / "disk"
    subprocess.run(["mknod", path, "b", "7", "200"], check=True)
    id = own.run("device", "sleep", "1000", mounts=[mount("/dev/disk0", path)])
    assert own.exec(id, "test", "-e", "/dev/disk0").code != 0
    assert "a device of the host is not shared with the guest" in own.daemon.log()
    own.remove_container(id)
    path.unlink()
