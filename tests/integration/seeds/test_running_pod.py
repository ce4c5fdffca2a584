"""What the notes of seeds 003 and 004 show of a running sandbox: processes, sockets, kernel log, listing."""
import os
import pathlib
import re

import pytest

from bed import containerd as cd
from bed import places, run

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no VM", allow_module_level=True)


@pytest.fixture(scope="module")
def sandbox(containerd):
    """Row 12: `ctr run --runtime io.containerd.run.kata.v2 ...`."""
    id = containerd.new_id("seed")
    containerd.start_detached("sleep", "1000", id=id, runtime="io.containerd.run.kata.v2")
    yield id
    containerd.remove(id)


def processes(id):
    """{name: [argv, ...]} of the processes whose command line has the id."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        try:
            argv = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except (OSError, ValueError):
            continue
        if folder.name.isdigit() and any(id in word for word in argv):
            found.setdefault(os.path.basename(argv[0]), []).append(argv)
    return found


def after(argv, option):
    return argv[argv.index(option) + 1]


def test_row_12_ctr_lists_the_runtime_by_its_name(containerd, sandbox):
    lines = containerd.ctr("container", "ls").ok().out.splitlines()
    assert re.search(rf"^{sandbox}\s+\S+busybox\S*\s+io\.containerd\.run\.kata\.v2", "\n".join(lines), re.M)


def test_row_15_process_tree_and_argument_vocabulary(containerd, sandbox):
    found = processes(sandbox)
    shim = next(argv for argv in found["containerd-shim-kata-v2"])
    assert after(shim, "-namespace") == containerd.namespace and after(shim, "-id") == sandbox
    assert after(shim, "-address") == containerd.socket and "-publish-binary" in shim
    daemons = found["virtiofsd"]
    assert len(daemons) == 2, daemons  # the C daemon and its confined child
    qemu = next(argv for name, argvs in found.items() if name.startswith("qemu-system") for argv in argvs)
    assert after(qemu, "-name").startswith(f"sandbox-{sandbox}")
    assert re.match(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", after(qemu, "-uuid"))
    assert after(qemu, "-machine").startswith("q35,")
    line = " ".join(qemu)
    for words in (f"/run/vc/vm/{sandbox}/vhost-fs.sock", "-mon chardev=qmp,mode=control", "tag=kataShared", f"-pidfile /run/vc/vm/{sandbox}/pid", "-nographic",
                  "-nodefaults", "-no-user-config", "rng-random", "memory-backend-", "-kernel ", "-initrd ", "-append "):
        assert words in line, f"{words}: {line}"


@pytest.mark.skipif("cloud-kernel" in places.guest_artefacts()["KATA_KERNEL"], reason="Debian's cloud kernel keeps dmesg for root")
def test_row_19_dmesg_is_the_guests(containerd, sandbox):
    text = containerd.exec(sandbox, "dmesg").ok().out
    assert "Linux version" in text and "virtio" in text
    assert containerd.exec(sandbox, "uname", "-r").ok().out.strip() != os.uname().release


def test_row_3_the_journal_has_it_under_kata(containerd, sandbox):
    """Where /dev/log is a socket; the shim's own log carries the same lines."""
    assert run.run(["grep", "-c", sandbox, containerd.work / "containerd.log"]).ok()
