"""guest/initrd/add_iptables.py: what it adds runs by itself, and what is missing is named."""
import os
import pathlib
import stat
import subprocess

import pytest
from test_initrd import read_archive

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "guest/initrd/add_iptables.py"


def add(initrd, out, *words):
    return subprocess.run([PROGRAM, "--initrd", initrd, "--out", out, *words], capture_output=True, text=True)


@pytest.fixture(name="initrd")
def fixture_initrd(tmp_path):
    path = tmp_path / "initrd"
    path.write_bytes(b"070701" + b"x" * 700)
    return path


@pytest.fixture(name="added", scope="module")
def fixture_added(tmp_path_factory):
    """{name: (fields, content)} of the second archive."""
    folder = tmp_path_factory.mktemp("iptables")
    base = folder / "initrd"
    base.write_bytes(b"070701" + b"x" * 700)
    result = add(base, folder / "out")
    assert result.returncode == 0, result.stderr
    data = (folder / "out").read_bytes()
    assert data.startswith(base.read_bytes()) and data[706:1024] == bytes(1024 - 706)
    return read_archive(data[1024:])


def test_programs_run_with_what_is_there(added, tmp_path):
    for name, (fields, content) in added.items():
        path, mode = tmp_path / name, fields[1]
        if stat.S_ISDIR(mode):
            path.mkdir()
        elif stat.S_ISLNK(mode):
            path.symlink_to(content.decode())
        else:
            path.write_bytes(content)
            path.chmod(stat.S_IMODE(mode))
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    for name in ("iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"):
        said = subprocess.run(["chroot", tmp_path, f"/usr/sbin/{name}", "-V"], capture_output=True, text=True)
        assert said.returncode == 0 and "nf_tables" in said.stdout, said
    # An extension is loaded for its help.
    said = subprocess.run(["chroot", tmp_path, "/usr/sbin/iptables", "-j", "REDIRECT", "-h"], capture_output=True, text=True)
    assert "--to-ports" in said.stdout, said


def test_size(added):
    """What docs/how-to/packet-filter.md says the guest's memory is charged with."""
    assert sum(len(content) for _, content in added.values()) < 7 << 20


def test_same_input_same_bytes(initrd, tmp_path):
    for name in "ab":
        assert add(initrd, tmp_path / name).returncode == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_folder_of_the_program_stays_as_it_is(initrd, tmp_path):
    for name in ("add_iptables.py", "cpio.py"):
        (tmp_path / name).write_bytes(PROGRAM.with_name(name).read_bytes())
    subprocess.run(["python3", tmp_path / "add_iptables.py", "--initrd", initrd, "--out", initrd], check=True)
    assert not (tmp_path / "__pycache__").exists()


def test_what_is_missing_is_named(initrd, tmp_path):
    result = add(initrd, tmp_path / "out", "--root", tmp_path)
    assert result.returncode == 1 and "install the packages iptables" in result.stderr
    result = add(tmp_path / "none", tmp_path / "out")
    assert result.returncode == 1 and "none" in result.stderr
    assert not list(tmp_path.glob("out*"))
