"""`make dist`: the archive of seeds 000 and 001 (row 1 of what they do), and the Debian package."""
import os
import shutil
import stat
import subprocess

import pytest

from bed import containerd as cd
from bed import leaks, places, run
from bed.installer import Node, picture

# A node without QEMU, virtiofsd and their data, where the unpacked archive is /opt/kata.
BARE_NODE = """
set -e
mount -t tmpfs none /opt && mkdir /opt/kata && mount --bind "$0" /opt/kata
for file in /usr/bin/qemu-system-x86_64 /usr/lib/qemu/virtiofsd /lib/x86_64-linux-gnu/libpixman-1.so.0; do
  mount --bind /dev/null "$file"
done
for folder in /usr/share/qemu /usr/share/seabios /usr/lib/x86_64-linux-gnu/qemu; do mount -t tmpfs none "$folder"; done
exec "$@"
"""


class BareNode(cd.Containerd):
    """A containerd in a mount namespace of its own; only /opt/kata has a VMM."""

    kind = "o"

    def __init__(self, work, archives, tree):
        self.tree = tree
        super().__init__(cd.VERSIONS[0], work, archives)

    def argv(self):
        return ["unshare", "--mount", "sh", "-c", BARE_NODE, self.tree, *super().argv()]

    def environment(self):
        return {"PATH": "/opt/kata/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    env = dict(os.environ, KATA_BUILD=str(places.build_dir()))
    subprocess.run([places.REPO / "scripts" / "dist.sh", folder], env=env, check=True, timeout=600)
    return folder


def test_row_1_unpacked_and_linked_by_hand(dist, tmp_path):
    (archive,) = dist.glob("kata-static-*-amd64.tar.zst")
    root = tmp_path / "root"
    (root / "usr/local/bin").mkdir(parents=True)
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", root], check=True)
    link = root / "usr/local/bin/containerd-shim-kata-qemu-v2"
    link.symlink_to(root / "opt/kata/bin/containerd-shim-kata-v2")
    for name in ("share/kata-containers/vmlinux.container", "share/kata-containers/kata-containers-initrd.img",
                 "share/defaults/kata-containers/configuration-qemu.toml"):
        assert (root / "opt/kata" / name).stat().st_size > 1000, name
    assert run.run([root / "opt/kata/bin/kata-runtime", "--version"]).ok().out.startswith("kata-runtime  : ")
    assert "version: 4.1.0" in run.run([link, "--version"]).ok().out
    foreign = [path for path, (kind, mode, uid, gid, *_) in picture(root / "opt").items()
               if uid or gid or (mode & 0o022 and not stat.S_ISLNK(mode))]
    assert not foreign


def test_row_1_needs_no_qemu_of_the_node(dist, images, work):
    (archive,) = dist.glob("kata-static-*.tar.zst")
    tree = work / "bare"
    tree.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", tree], check=True)
    node = BareNode(work / "o", [images[0][0]], tree / "opt/kata")
    try:
        version = os.uname().release
        assert node.run("uname", "-r", runtime="io.containerd.kata.v2").ok().out.strip() != version
        id = node.start_detached("sleep", "1000", runtime="io.containerd.kata.v2")
        lines = [line for line in leaks.processes((id,)).values() if "sandbox-" in line or "virtiofsd" in line]
        assert lines and all(line.startswith("/opt/kata/") for line in lines), lines
        node.remove(id)
    finally:
        left = node.close()
    assert not left, left
    shutil.rmtree(tree)


def test_the_archive_installs_itself(dist, tmp_path):
    (archive,) = dist.glob("kata-static-*.tar.zst")
    node = Node(tmp_path / "node", archive)
    node("install").ok()
    node("verify").ok()
    node("uninstall").ok()
    assert picture(node.root) == {}


def test_the_package_has_the_same_tree_and_names_in_path(dist, tmp_path):
    (package,) = dist.glob("*.deb")
    out = run.run(["dpkg-deb", "-c", package]).ok().out
    for words in ("./opt/kata/deploy/install\n", "./usr/bin/containerd-shim-kata-v2 -> /opt/kata/bin/containerd-shim-kata-v2\n",
                  "./usr/bin/kata-runtime -> ", "./usr/share/man/man1/kata-runtime.1 -> ",
                  "./usr/lib/systemd/system/kata-monitor.service -> /opt/kata/share/systemd/kata-monitor.service\n",
                  "./opt/kata/deploy/initrd/add_iptables.py\n"):
        assert words in out
    assert "root/root" in out and len([line for line in out.splitlines() if "root/root" not in line]) == 0
    subprocess.run(["dpkg-deb", "-x", package, tmp_path], check=True)
    run.run([tmp_path / "opt/kata/bin/kata-runtime", "--version"]).ok()
    fields = run.run(["dpkg-deb", "-I", package, "conffiles", "prerm"]).ok().out
    assert "configuration-qemu.toml" in fields and "/opt/kata/deploy/install uninstall" in fields


def test_a_tree_in_place_is_wired_and_stays(dist, tmp_path):
    """The archive unpacked below /, or the package: the installer in the tree."""
    (archive,) = dist.glob("kata-static-*.tar.zst")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", tmp_path], check=True)
    before = picture(tmp_path)
    install = [tmp_path / "opt/kata/deploy/install"]
    out = run.run([*install, "install", "--root", tmp_path]).ok().out
    assert "the tree is in place already" in out
    assert (tmp_path / "usr/local/bin/kata-runtime").readlink().as_posix() == "/opt/kata/bin/kata-runtime"
    run.run([*install, "verify", "--root", tmp_path]).ok()
    run.run([*install, "uninstall", "--root", tmp_path]).ok()
    assert picture(tmp_path) == before


@pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="no rpmbuild: no .rpm was made")
def test_the_rpm_has_the_same_tree(dist):
    (package,) = dist.glob("*.rpm")
    files = run.run(["rpm", "-qlp", package]).ok().out.split()
    assert "/opt/kata/deploy/install" in files and "/usr/bin/containerd-shim-kata-v2" in files
    assert "/usr/bin" not in files and not [name for name in files if "build-id" in name]
    assert run.run(["rpm", "-qcp", package]).ok().out.split() == ["/opt/kata/share/defaults/kata-containers/configuration-qemu.toml"]
    assert "/opt/kata/deploy/install uninstall" in run.run(["rpm", "-qp", "--scripts", package]).ok().out
