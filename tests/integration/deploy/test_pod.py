"""What the installer put on the node runs containers, and they run on while it is upgraded."""
import os
import shutil

import pytest

from bed import containerd as cd
from bed import run
from bed.installer import INSTALL

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc is not installed by this", allow_module_level=True)


@pytest.fixture
def installed(tmp_path, release):
    """Calls the installer for a prefix of its own on this machine; what it changed is taken back."""
    def call(command, *words):
        argv = [INSTALL, command, "--record", f"{tmp_path}/record", *words]
        if command == "install":
            argv += ["--from", release, "--prefix", f"{tmp_path}/kata", "--links", f"{tmp_path}/local", "--no-containerd"]
        return run.run(argv, timeout=60)

    call("install").ok()
    yield call
    call("uninstall", "--force").ok()
    assert os.listdir(tmp_path) == []


def test_a_pod_survives_the_upgrade(containerd, container, installed, tmp_path, release):
    shim = f"{tmp_path}/local/bin/containerd-shim-kata-qemu-v2"
    settings = f"{tmp_path}/kata/share/defaults/kata-containers/configuration-qemu.toml"
    flags = ["--runtime-config-path", settings]
    id = container("sleep", "1000", runtime=shim, flags=flags)
    newer = tmp_path / "newer"
    shutil.copytree(release / "opt" / "kata", newer, symlinks=True)
    programs = ("bin/containerd-shim-kata-v2", "share/kata-containers/vmlinux.container")
    for name in programs:
        with open(newer / name, "ab") as file:
            file.write(b"\0")  # works like the old one, and is another
    before = [(tmp_path / "kata" / name).stat() for name in programs]
    installed("upgrade", "--from", newer).ok()
    for name, old in zip(programs, before):
        now = (tmp_path / "kata" / name).stat()
        assert now.st_size == old.st_size + 1 and now.st_ino != old.st_ino
    assert containerd.exec(id, "echo", "still here").ok().out == "still here\n"
    assert containerd.run("echo", "new", runtime=shim, flags=flags).ok().out == "new\n"
    shutil.rmtree(newer)
