"""Disks in a specification that cannot be had, and disks of containers that come and go."""
import copy

import pytest

from bed import containerd as cd
from bed import fifo, shim, ttrpc
from bed.loop import Loop

pytestmark = pytest.mark.skipif(cd.kata_runtime() == cd.RUNC, reason="runc makes nodes and plugs nothing")


def linux_with(*devices):
    """The usual section with more devices: (path, major, minor, access)."""
    linux = copy.deepcopy(shim.spec([])["linux"])
    linux.setdefault("resources", {}).setdefault("devices", [])
    for path, major, minor, access in devices:
        linux.setdefault("devices", []).append({"path": path, "type": "b", "major": major, "minor": minor})
        linux["resources"]["devices"].append(
            {"allow": True, "type": "b", "major": major, "minor": minor, "access": access})
    return linux


def test_a_device_that_the_host_does_not_have(created):
    item = created(["true"], linux=linux_with(("/dev/xvda", 240, 77, "rwm")))
    with pytest.raises(ttrpc.CallError, match=r"linux\.devices\[\d+\] /dev/xvda: this host has no block device 240:77"):
        item.create()


def test_a_device_that_lost_its_disk(created, tmp_path):
    loop = Loop(tmp_path / "disk")
    path, major, minor = loop.path, loop.major, loop.minor
    loop.close()
    item = created(["true"], linux=linux_with(("/dev/xvda", major, minor, "rwm")))
    with pytest.raises(ttrpc.CallError, match=f"/dev/xvda: {path} has size 0"):
        item.create()


def test_a_node_in_a_user_namespace_is_the_guests_own(created, tmp_path):
    """Nobody can make nodes there: the one that the guest has for the disk shows through."""
    with Loop(tmp_path / "disk", size=3 << 20) as loop:
        linux = linux_with(("/dev/data/xvda", loop.major, loop.minor, "rwm"))
        linux["namespaces"].append({"type": "user"})
        linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]
        # The kernel lets sysfs be mounted there by whoever owns the network namespace only.
        mounts = [mount for mount in shim.spec([])["mounts"] if mount["type"] != "sysfs"]
        script = "test -b /dev/data/xvda && head -c 9999999 /dev/data/xvda | wc -c"
        item = created(["sh", "-c", script], linux=linux, mounts=mounts)
        out = fifo.Output(tmp_path / "out")
        item.create(stdout=out.path)
        item.task.start(item.id)
        out.expect(b"3145728\n", 60)
        out.close()
