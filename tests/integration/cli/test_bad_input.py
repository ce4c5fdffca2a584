"""What operators get wrong: each slip is told with what, why and what to do."""
import os
import pathlib

import pytest

from bed import kata_config, places, run
from bed.kata_config import QEMU

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root's configuration has to be trusted")


def refused(kata, path, *needles):
    """Both who checks and who uses the file are told."""
    checked = kata("config", "check", path)
    used = kata("--config", path, "env")
    for result, text in ((checked, checked.out), (used, used.err)):
        assert result.code == 1, result.describe()
        for needle in needles:
            assert needle in text, result.describe()


@pytest.mark.parametrize("name", ["clh", "firecracker", "stratovirt", "dragonball"])
def test_configuration_of_another_hypervisor(kata, tmp_path, name):
    path = tmp_path / f"configuration-{name}.toml"
    path.write_text(f'[hypervisor.{name}]\npath = "/bin/true"\nkernel = "/bin/true"\nimage = "/bin/true"\n')
    result = kata("config", "check", path)
    assert result.code == 1 and f"{path}:1: hypervisor.{name}: " in result.out and "qemu" in result.out.lower(), result.describe()


def test_unreadable_file(tmp_path):
    """To whom root's file is closed."""
    if os.geteuid() != 0:
        pytest.skip("cannot become another user")
    path = kata_config.write(tmp_path / "c.toml")
    os.chmod(path, 0o600)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(folder, 0o755)
    program = places.bin_dir() / "kata-runtime"
    for words in (["config", "check", path], ["--config", path, "env"]):
        result = run.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, *words])
        assert result.code == 1 and f"{path}: Permission denied" in result.out + result.err, result.describe()


@ROOT_ONLY
def test_world_writable_and_foreign_file(kata, tmp_path):
    path = kata_config.write(tmp_path / "c.toml")
    os.chmod(path, 0o646)
    refused(kata, path, "may be written by others", f"chmod go-w {path}")
    os.chmod(path, 0o644)
    os.chown(path, 1000, 1000)
    refused(kata, path, "belongs to user 1000", f"chown root:root {path}")


def test_symlink_loops(kata, tmp_path):
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop.name)
    refused(kata, loop, str(loop), "Too many levels of symbolic links")
    # Of a file that is named inside.
    path = kata_config.write(tmp_path / "c.toml", {QEMU: {"kernel": loop}})
    refused(kata, path, "kernel", "Too many levels of symbolic links")


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: os.mkfifo(path), lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file(kata, tmp_path, make):
    path = tmp_path / "c.toml"
    make(path)
    refused(kata, path, "is not a regular file")


def test_a_program_that_a_pod_may_not_choose(containerd, tmp_path):
    """valid_hypervisor_paths bounds what an annotation may ask for."""
    config = kata_config.write(tmp_path / "c.toml", {QEMU: {
        "enable_annotations": ["path"], "valid_hypervisor_paths": ["/usr/bin/qemu-system-x86_64"]}})
    result = containerd.run("true", flags=["--runtime-config-path", config, "--annotation",
                                           "io.katacontainers.config.hypervisor.path=/bin/sh"])
    assert result.code not in (0, None), result.describe()
    for needle in ("annotation", "hypervisor.path", "/bin/sh", "the valid_* list of this key"):
        assert needle in result.err, result.describe()


@pytest.fixture
def dead():
    """A sandbox whose shim and VM are gone, with the folders that they left."""
    folders = [pathlib.Path("/run/vc", kind, "00-bad-input-dead") for kind in ("sbs", "vm")]
    for folder in folders:
        folder.mkdir(parents=True)
    (folders[0] / "journal").write_text("")
    yield folders[0].name
    (folders[0] / "journal").unlink(missing_ok=True)
    for folder in folders:
        if folder.exists():
            folder.rmdir()


@pytest.mark.parametrize("words", [["exec", "ID"], ["metrics", "ID"], ["memory", "ID"], ["iptables", "get", "--sandbox-id", "ID"]])
def test_a_dead_or_unknown_sandbox(kata, dead, words):
    result = kata(*[dead if word == "ID" else word for word in words])
    assert result.code == 1 and dead in result.err, result.describe()
    assert "is its VM still running?" in result.err or "has its shim died" in result.err, result.describe()
    result = kata(*["bad-input-unknown" if word == "ID" else word for word in words])
    assert result.code == 1 and 'no sandbox "bad-input-unknown"' in result.err, result.describe()
    assert dead in result.err  # what there is
