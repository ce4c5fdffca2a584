"""gc: what a killed shim left is listed, then removed; living sandboxes are not touched."""
import os
import pathlib
import signal
import time

import pytest

from bed import run, wire

SANDBOXES = pathlib.Path("/run/vc/sbs")
YOUNG = 10  # seconds in which a sandbox counts as starting


@pytest.fixture
def orphan(created):
    """The item of a sandbox whose shim was killed, old enough to be one."""
    item = created(["sleep", "1000"])
    item.create()
    item.task.start(item.id)
    os.kill(wire.first(item.task.call("Connect", id=item.id), 1), signal.SIGKILL)
    folder = SANDBOXES / item.id
    run.wait_until(lambda: time.time() - folder.stat().st_ctime > YOUNG + 1, YOUNG + 10, "no longer young", 0.5)
    return item


def test_dry_run_then_removal(kata, created, orphan):
    living = created(["sleep", "1000"])
    living.create()
    living.task.start(living.id)
    result = kata("gc").ok()
    assert f"left behind: {orphan.id}\n" in result.out and "nothing was touched" in result.out
    assert f"left behind: {living.id}\n" not in result.out
    assert "  mount " in result.out or "  tree " in result.out
    assert (SANDBOXES / orphan.id).exists()
    assert "sandboxes without a shim" in kata("doctor").out
    result = kata("gc", "--remove").ok()
    assert "  removed\n" in result.out
    assert not (SANDBOXES / orphan.id).exists() and not pathlib.Path("/run/vc/vm", orphan.id).exists()
    assert not [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if f"/{orphan.id}/" in line
                and "/run/kata-containers" in line]
    assert living.task.status(living.id) == 2
    assert f"left behind: {orphan.id}\n" not in kata("gc").ok().out


def test_a_young_sandbox_is_not_touched(kata):
    folder = SANDBOXES / "young-and-empty"
    folder.mkdir(parents=True)
    try:
        assert "young-and-empty" not in kata("gc", "--remove").ok().out
        assert folder.exists()
    finally:
        folder.rmdir()


def test_a_sandbox_of_another_runtime_is_not_touched(kata):
    folder = SANDBOXES / "foreign"
    folder.mkdir(parents=True)
    try:
        (folder / "persist.json").write_text("{}")
        run.wait_until(lambda: time.time() - folder.stat().st_ctime > YOUNG + 1, YOUNG + 10, "no longer young", 0.5)
        out = kata("gc", "--remove").ok().out
        assert "1 of another runtime (no journal; left alone)" in out, out
        assert (folder / "persist.json").exists()
    finally:
        (folder / "persist.json").unlink(missing_ok=True)
        folder.rmdir()


def test_doctor_says_what_to_do(kata, tmp_path):
    broken = tmp_path / "c.toml"
    broken.write_text("[hypervisor.qemu]\ndefault_memory = true\n")
    result = kata("--config", broken, "doctor")
    assert result.code == 1 and "PROBLEM configuration:" in result.out
    assert f"what to do: kata-runtime config check {broken}" in result.out
