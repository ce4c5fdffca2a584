"""A disk that gets full: an installation over another one changes all of its files or none."""
import subprocess

import pytest

from bed.installer import Node, picture

KERNEL = "share/kata-containers/vmlinux.container"
MIB = 1 << 20


@pytest.fixture
def disk(tmp_path):
    """6 MiB, of which the test takes what it likes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("filler", [0, 3 * MIB], ids=["no room for the copies", "no room for the new files"])
def test_all_or_nothing(disk, small, filler):
    node = Node(disk / "node", small)
    node.write("opt/kata/bin/containerd-shim-kata-v2", "an older shim\n", 0o755)
    node.write(f"opt/kata/{KERNEL}", "k" * 2 * MIB)
    node.write("etc/containerd/config.toml", "version = 2\n")
    (small / KERNEL).write_text("n" * (5 * MIB // 2))
    if filler:
        node.write("filler", "f" * filler)
    before = picture(node.root)
    result = node("install", "--containerd", "")
    assert result.code == 1 and "No space left" in result.err and "nothing that was there before has changed" in result.err
    after = {path: seen for path, seen in picture(node.root).items() if not path.startswith("var") and seen[5] is not None}
    assert after == {path: seen for path, seen in before.items() if seen[5] is not None}
    node("uninstall").ok()
    assert picture(node.root) == before
