"""Volumes in block mode: kubelet hands containers a device of the node under a path of their own."""
import pytest

from bed import cri, kata_config, run
from bed.loop import Loop
from bed.pod import Pod

PRIMARY_ONLY = True
TEST_LIMIT = 360
# What a guest has for disks; the node's own under runc.
GUEST_DISKS = "ls -d /sys/block/vd* /sys/block/sd* 2>/dev/null | wc -l"


def device(loop, path="/dev/xvda", permissions="mrw"):
    return {"host_path": loop.path, "container_path": path, "permissions": permissions}


@pytest.fixture
def loop(tmp_path):
    with Loop(tmp_path / "disk") as made:
        yield made


def test_read_and_write(pod, loop):
    loop.write(b"from the node\n".ljust(512))
    id = pod.run("blockvol", "sleep", "1000", devices=[device(loop)])
    assert pod.sh(id, "head -n 1 /dev/xvda") == "from the node\n"
    pod.sh(id, "yes from the pod | dd of=/dev/xvda bs=512 seek=8 count=1 conv=notrunc 2>/dev/null")
    pod.remove_container(id)
    assert loop.read(13, 4096) == b"from the pod\n"


def test_read_only(pod, loop):
    id = pod.run("blockro", "sleep", "1000", devices=[device(loop, permissions="mr")])
    assert pod.sh(id, "head -c 4 /dev/xvda | wc -c") == "4\n"
    refused = pod.exec(id, "sh", "-c", "echo x > /dev/xvda")
    assert refused.code != 0 and "not permitted" in refused.err
    pod.remove_container(id)
    assert loop.read(4) == bytes(4)


def test_containers_share_a_disk(cri_daemon, handler, loop):
    if handler == "runc":
        pytest.skip("nothing is plugged under runc")
    with Pod(cri_daemon, handler) as pod:
        plain = pod.run("plain", "sleep", "1000")
        assert pod.sh(plain, GUEST_DISKS) == "0\n"
        ids = [pod.run(f"c{i}", "sleep", "1000", devices=[device(loop, f"/dev/disk{i}")]) for i in range(3)]
        assert pod.sh(plain, GUEST_DISKS) == "1\n", "plugged once"
        pod.sh(ids[0], "echo shared > /dev/disk0")
        assert pod.sh(ids[1], "head -n 1 /dev/disk1") == "shared\n"
        # Who did not ask for it cannot reach it, whatever node it makes.
        numbers = pod.sh(ids[0], "stat -c '0x%t 0x%T' /dev/disk0").split()
        refused = pod.exec(plain, "sh", "-c", f"mknod /tmp/d b {int(numbers[0], 16)} {int(numbers[1], 16)} && head -c 1 /tmp/d")
        assert refused.code != 0 and not refused.out
        for id in ids[:2]:
            pod.stop_container(id)
            pod.remove_container(id)
        assert pod.sh(plain, GUEST_DISKS) == "1\n"
        assert pod.sh(ids[2], "head -n 1 /dev/disk2") == "shared\n"
        pod.stop_container(ids[2])
        pod.remove_container(ids[2])
        run.wait_until(lambda: pod.sh(plain, GUEST_DISKS) == "0\n", 20, "the last one gone, the disk goes")
        assert not loop.is_used()
        # A container that could not be made gives back what was plugged for it.
        for attempt in range(2):
            with pytest.raises(cri.CriError):
                pod.run("bad", "/no/such/program", devices=[device(loop)], attempt=attempt)
        run.wait_until(lambda: pod.sh(plain, GUEST_DISKS) == "0\n", 20, "nothing stays of a failure")
        again = pod.run("again", "sleep", "1000", devices=[device(loop)])
        assert pod.sh(again, "head -n 1 /dev/xvda") == "shared\n"
    assert loop.read(7) == b"shared\n"


@pytest.fixture
def virtio_blk(cri_daemon):
    """Pods of this test have their disks on PCI slots."""
    kata_config.write(cri_daemon.kata_config, {kata_config.QEMU: {"block_device_driver": "virtio-blk"}})
    yield
    kata_config.write(cri_daemon.kata_config)


def test_more_disks_than_slots(cri_daemon, handler, tmp_path, virtio_blk):
    if handler == "runc":
        pytest.skip("nothing is plugged under runc")
    loops = [Loop(tmp_path / f"disk{i}", size=1 << 20) for i in range(31)]
    try:
        with Pod(cri_daemon, handler) as pod:
            with pytest.raises(cri.CriError, match="all 30 PCI slots .* default_bridges"):
                pod.run("many", "sleep", "1000", devices=[device(l, f"/dev/d{i}") for i, l in enumerate(loops)])
            id = pod.run("few", "sleep", "1000", devices=[device(l, f"/dev/d{i}") for i, l in enumerate(loops[:8])])
            assert pod.sh(id, "ls /dev/d? | wc -l") == "8\n"
        assert not any(loop.is_used() for loop in loops)
    finally:
        for loop in loops:
            loop.close()
