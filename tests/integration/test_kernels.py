"""Debian's stock cloud kernel with modules in the initrd works as our own kernel does."""
import subprocess

import pytest

from bed import containerd as cd
from bed import kata_config, places

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest kernel", allow_module_level=True)


def test_cloud_kernel(containerd, tmp_path, clean):
    text = subprocess.run([places.REPO / "scripts" / "guest.sh", "--cloud"], check=True, text=True,
                          stdout=subprocess.PIPE, timeout=600).stdout
    guest = dict(line.split("=", 1) for line in text.splitlines())
    config = kata_config.write(tmp_path / "cloud.toml", {kata_config.QEMU: {
        "kernel": guest["KATA_KERNEL"], "initrd": guest["KATA_INITRD"]}})
    result = containerd.run("uname", "-r", flags=["--runtime-config-path", config], timeout=180).ok()
    assert "cloud" in result.out


def test_the_guest_has_its_own_kernel(containerd):
    host = subprocess.run(["uname", "-r"], check=True, text=True, capture_output=True).stdout
    assert containerd.run("uname", "-r").ok().out != host


def test_shared_folder_over_9p(containerd, tmp_path, clean):
    config = kata_config.write(tmp_path / "9p.toml", {kata_config.QEMU: {"shared_fs": "virtio-9p"}})
    script = "grep ' / ' /proc/mounts | tail -n 1; echo x > /f && cat /f"
    result = containerd.run("sh", "-c", script, flags=["--runtime-config-path", config], timeout=120).ok()
    assert " 9p " in result.out and result.out.endswith("x\n")
