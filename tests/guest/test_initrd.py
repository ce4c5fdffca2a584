"""The initrd builder (guest/initrd): format, content, reproducibility, bad input."""
import os
import pathlib
import stat
import struct
import subprocess

import cpio
import modules
import pytest

MKINITRD = pathlib.Path(__file__).resolve().parents[2] / "guest/initrd/build.sh"


def read_archive(data):
    """{name: (fields, content)} of a newc archive, read by the format's own rules."""
    entries, at = {}, 0
    while True:
        assert data[at:at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name_end = at + 110 + fields[11]
        name = data[at + 110:name_end - 1].decode()
        start = name_end + -name_end % 4
        end = start + fields[6]
        if name == "TRAILER!!!":
            return entries
        entries[name] = (fields, data[start:end])
        at = end + -end % 4


def elf(*kinds):
    """A 64-bit ELF header with program headers of these kinds and nothing else."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, len(kinds), 0, 0, 0)
    return head + b"".join(struct.pack("<I", kind).ljust(56, b"\0") for kind in kinds)


def run(*arguments):
    return subprocess.run([MKINITRD, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(name="agent")
def fixture_agent(tmp_path):
    path = tmp_path / "agent"
    path.write_bytes(elf(1))
    return path


@pytest.fixture(name="tree")
def fixture_tree(tmp_path):
    """A kernel's modules directory: virtio_pci needs virtio, which needs virtio_ring."""
    root = tmp_path / "modules"
    root.mkdir()
    wanted = [name for name in modules.WANTED if name not in ("virtio_pci", "overlay")]
    lines = [f"{name.replace('_', '-')}.ko:" for name in wanted]
    lines += ["virtio-ring.ko:", "virtio.ko: virtio-ring.ko",
              "virtio_pci.ko: virtio.ko virtio-ring.ko"]
    (root / "modules.dep").write_text("\n".join(lines) + "\n")
    (root / "modules.builtin").write_text("kernel/fs/overlayfs/overlay.ko\n")
    for line in lines:
        path = line.partition(":")[0]
        (root / path).write_text(path)
    return root


def test_layout(agent, tmp_path):
    out = tmp_path / "initrd"
    assert run("--agent", agent, "--out", out).returncode == 0
    entries = read_archive(out.read_bytes())
    assert entries["init"][1] == agent.read_bytes()
    assert stat.S_IMODE(entries["init"][0][1]) == 0o755
    assert entries["etc/resolv.conf"][1] == b"" and stat.S_ISREG(entries["etc/resolv.conf"][0][1])
    for name in ("bin", "dev", "etc", "proc", "run", "sys", "tmp"):
        assert stat.S_ISDIR(entries[name][0][1])
    assert stat.S_IMODE(entries["tmp"][0][1]) == 0o1777
    assert entries["dev/console"][0][9:11] == [5, 1]
    assert "etc/kata-modules" not in entries
    for fields, _ in entries.values():
        assert fields[2] == fields[3] == fields[5] == 0  # uid, gid, time


def test_same_input_same_bytes(agent, tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    run("--agent", agent, "--out", first)
    os.utime(agent, (1, 1))
    run("--agent", agent, "--out", second)
    assert first.read_bytes() == second.read_bytes()


def test_modules_come_after_what_they_need(agent, tree, tmp_path):
    out = tmp_path / "initrd"
    assert run("--agent", agent, "--out", out, "--modules", tree).returncode == 0
    entries = read_archive(out.read_bytes())
    listed = entries["etc/kata-modules"][1].decode().splitlines()
    assert listed[:3] == ["/lib/modules-kata/00-virtio_ring.ko", "/lib/modules-kata/01-virtio.ko",
                          "/lib/modules-kata/02-virtio_pci.ko"]
    assert len(set(listed)) == len(listed)
    assert not [path for path in listed if "overlay" in path]  # it is built in
    for path in listed:
        assert entries[path[1:]][1]


def test_a_missing_module_is_named(agent, tree, tmp_path):
    text = (tree / "modules.dep").read_text().replace("virtiofs.ko:\n", "")
    (tree / "modules.dep").write_text(text)
    result = run("--agent", agent, "--out", tmp_path / "initrd", "--modules", tree)
    assert result.returncode == 1 and "no module virtiofs" in result.stderr
    assert not (tmp_path / "initrd").exists()


@pytest.mark.parametrize("content, words", [
    (b"#!/bin/sh\n", "not a 64-bit ELF"),
    (elf(3, 1), "dynamically linked"),
])
def test_an_agent_that_cannot_be_init_is_refused(content, words, tmp_path):
    agent = tmp_path / "agent"
    agent.write_bytes(content)
    result = run("--agent", agent, "--out", tmp_path / "initrd")
    assert result.returncode == 1 and words in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agent"]


def test_no_such_kernel(agent, tmp_path):
    result = run("--agent", agent, "--out", tmp_path / "initrd", "--modules", "0.0-none")
    assert result.returncode == 1 and "/lib/modules/0.0-none" in result.stderr


def test_an_archive_refuses_a_path_without_its_directory():
    archive = cpio.Archive()
    with pytest.raises(ValueError):
        archive.file("etc/hostname", b"")
