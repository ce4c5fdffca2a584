"""A disk of the host in a container: ctr run --device."""
import subprocess

import pytest

from bed import containerd as cd
from bed import kata_config
from bed.loop import Loop

PRIMARY_ONLY = True


@pytest.fixture
def loop(tmp_path):
    with Loop(tmp_path / "disk") as made:
        yield made


def with_file_system(loop):
    subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
    script = f"mkdir -p /tmp/m && mount {loop.path} /tmp/m && echo host > /tmp/m/host && umount /tmp/m"
    subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none /tmp && {script}"], check=True)


def read_back(loop, name):
    return subprocess.run(["debugfs", "-R", f"cat /{name}", loop.path], check=True, capture_output=True,
                          text=True).stdout


@pytest.mark.parametrize("driver", ["virtio-blk", "virtio-scsi"])
def test_what_the_container_writes_is_on_the_disk(containerd, loop, clean, driver):
    if cd.kata_runtime() != cd.RUNC:
        kata_config.write(containerd.kata_config, {kata_config.QEMU: {"block_device_driver": driver}})
    loop.write(b"from the host\n".ljust(4096))
    # Not flushed: what a process wrote before it ended is on the disk, as it is without a VM.
    script = (f"head -n 1 {loop.path} && stat -c '%F %a %u' {loop.path} && "
              f"cat /sys/dev/block/$(printf '%d:%d' 0x$(stat -c %t {loop.path}) 0x$(stat -c %T {loop.path}))/size && "
              f"yes from the container | dd of={loop.path} bs=4096 seek=1 count=1 conv=notrunc 2>/dev/null")
    result = containerd.run("sh", "-c", script, flags=["--device", loop.path]).ok()
    first, kind, sectors = result.out.splitlines()
    assert first == "from the host"
    assert kind.startswith("block special file")
    assert int(sectors) * 512 == 16 << 20
    assert loop.read(19, 4096) == b"from the container\n"
    assert loop.read(14) == b"from the host\n"
    assert not loop.is_used()


def test_a_file_system_made_in_the_container(containerd, loop):
    script = f"mkdir /m && mount -t ext4 {loop.path} /m && cat /m/host && echo guest > /m/guest && umount /m"
    with_file_system(loop)
    result = containerd.run("sh", "-c", script, flags=["--privileged", "--device", loop.path]).ok()
    assert result.out == "host\n"
    assert read_back(loop, "guest") == "guest\n"


def test_a_disk_that_the_host_cannot_write(containerd, tmp_path):
    with Loop(tmp_path / "disk", flags=["--read-only"]) as loop:
        script = f"cat /sys/dev/block/$(printf '%d:%d' 0x$(stat -c %t {loop.path}) 0x$(stat -c %T {loop.path}))/ro; " \
                 f"dd if=/dev/zero of={loop.path} bs=4096 count=1 conv=fsync"
        result = containerd.run("sh", "-c", script, flags=["--device", loop.path])
    assert result.out == "1\n" and result.code != 0


@pytest.mark.skipif(cd.kata_runtime() == cd.RUNC, reason="a runc container has the host's disks")
def test_a_privileged_container_gets_only_the_disk_it_asks_for(containerd, tmp_path):
    with Loop(tmp_path / "one") as asked, Loop(tmp_path / "other") as other:
        result = containerd.run("sh", "-c", f"test -b {asked.path} && ! test -e {other.path} || exit 1; "
                                "ls -d /sys/block/vd* /sys/block/sd* 2>/dev/null; true",
                                flags=["--privileged", "--device", asked.path]).ok()
        assert len(result.out.splitlines()) == 1, result.out
        containerd.run("sh", "-c", f"! test -e {asked.path}", flags=["--privileged"]).ok()
