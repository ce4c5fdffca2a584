"""The virtiofsd written in Rust, with a command line of its own: the same work, the same confinement."""
import os
import signal

import pytest

from bed import confinement, kata_config, leaks, newer_suite
from bed import containerd as cd

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no virtiofsd", allow_module_level=True)


@pytest.fixture
def flags(tmp_path):
    """Flags of `ctr run` for a configuration with this daemon."""
    try:
        daemon = newer_suite.unpacked("virtiofsd_rust.sh")
    except newer_suite.Unavailable as reason:
        pytest.skip(str(reason))
    config = kata_config.write(tmp_path / "rust.toml", {kata_config.QEMU: {"virtio_fs_daemon": daemon}})
    return ["--runtime-config-path", config]


def test_files_of_a_container(containerd, flags, clean):
    script = """set -e
    grep ' / ' /proc/mounts | tail -n 1
    dd if=/dev/urandom of=/big bs=64k count=128 2>/dev/null
    a=$(md5sum < /big); cp /big /copy; mv /copy /moved; b=$(md5sum < /moved); test "$a" = "$b"
    chmod 640 /moved; chown 7:8 /moved; ln -s moved /link; stat -c '%a %u %g' -L /link
    mkdir -p /d/e; echo x > /d/e/f; rm -r /d; test ! -e /d
    exit 7"""
    result = containerd.run("sh", "-c", script, flags=flags, timeout=120)
    assert result.code == 7 and " virtiofs " in result.out and "640 7 8" in result.out, result.describe()


def test_read_only_is_read_only(containerd, flags, tmp_path, clean):
    share = tmp_path / "share"
    share.mkdir()
    (share / "file").write_text("original\n")
    mount = ["--privileged", "--mount", f"type=bind,src={share},dst=/ro,options=rbind:ro"]
    script = "mount -o remount,rw,bind /ro; echo changed > /ro/file; echo x > /ro/new; cat /ro/file"
    result = containerd.run("sh", "-c", script, flags=[*flags, *mount], timeout=120)
    assert result.out == "original\n" and os.listdir(share) == ["file"], result.describe()
    assert (share / "file").read_text() == "original\n"


def test_confined_and_its_death_is_the_end(containerd, container, flags, clean):
    id = container("sleep", "1000", flags=flags)
    confinement.check_helpers(id)
    for pid, line in leaks.processes((id,)).items():
        if "virtiofsd" in line.split(" ")[0]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # its parent's end was its own
    containerd.wait_status(id, "STOPPED", timeout=10)
    containerd.remove(id)
