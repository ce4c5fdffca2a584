"""What the installer installs, and a folder that stands for a node."""
import os
import pathlib
import subprocess
import tempfile

import pytest

from bed import places
from bed.installer import Node


@pytest.fixture(scope="session")
def release(work):
    """The staged release tree: <release>/opt/kata."""
    folder = work / "release"
    env = dict(os.environ, DESTDIR=str(folder), PREFIX="/opt/kata", KATA_BUILD=str(places.build_dir()))
    subprocess.run([places.REPO / "scripts" / "install.sh"], env=env, check=True, timeout=300)
    return folder


@pytest.fixture
def small(tmp_path):
    """A release of a few small files, for what does not depend on their content."""
    tree = tmp_path / "small" / "opt" / "kata"
    for name, text in (("bin/containerd-shim-kata-v2", "#!/bin/sh\n[ \"$1\" = --version ] || exec sleep 60\n"), ("bin/kata-runtime", "#!/bin/sh\nexit 0\n"),
                       ("share/defaults/kata-containers/configuration-qemu.toml", 'kernel = "/opt/kata/k"\n'),
                       ("share/kata-containers/vmlinux.container", "kernel 1\n")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
        (tree / name).chmod(0o755 if name.startswith("bin") else 0o644)
    (tree / "share/defaults/kata-containers/configuration.toml").symlink_to("configuration-qemu.toml")
    return tree


@pytest.fixture
def node(small):
    """In memory: the installer waits for the disk at each step, and tests repeat it often."""
    with tempfile.TemporaryDirectory(prefix="kata-node-", dir="/dev/shm") as folder:
        yield Node(pathlib.Path(folder, "node"), small)


@pytest.fixture
def used(node):
    """A node with a history: another shim, a link to nowhere, settings without a last newline."""
    node.write("usr/local/bin/containerd-shim-kata-v2", "an older shim\n", 0o711)
    node.write("opt/kata/share/kata-containers/vmlinux.container", "another kernel\n", 0o600)
    node.write("etc/containerd/config.toml", 'version = 2\n[grpc]\n  address = "/run/x.sock"', 0o640)
    node.write("etc/crio/crio.conf", "[crio]\n")
    (node.root / "usr/local/bin/kata-runtime").symlink_to("/no/where")
    return node
