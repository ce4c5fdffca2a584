"""kata-runtime direct-volume: notes of volumes, with and without a container that uses them."""
import base64
import json
import pathlib
import subprocess

import pytest

from bed import containerd as cd
from bed.loop import Loop

PRIMARY_ONLY = True
NOTES = pathlib.Path("/run/kata-containers/shared/direct-volumes")

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc knows no direct volumes", allow_module_level=True)


def folder(volume):
    return NOTES / base64.urlsafe_b64encode(str(volume).encode()).decode()


def info(device, **more):
    return json.dumps({"volume-type": "block", "device": str(device), "fstype": "ext4", "options": [], **more})


@pytest.fixture
def volume(tmp_path, kata):
    """The path of a volume; a note of it is removed at the end."""
    path = tmp_path / "volume"
    path.mkdir()
    yield path
    kata("direct-volume", "remove", "--volume-path", path)
    assert not folder(path).exists()


@pytest.fixture
def loop(tmp_path):
    with Loop(tmp_path / "disk", size=32 << 20) as made:
        subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "resize_inode", made.path], check=True)
        yield made


def bind(volume, options="rbind:rw"):
    return ["--mount", f"type=bind,src={volume},dst=/data,options={options}"]


def read_back(loop, name):
    return subprocess.run(["debugfs", "-R", f"cat /{name}", loop.path], check=True, capture_output=True, text=True).stdout


def test_add_and_remove(kata, volume):
    note = info("/dev/sdz", metadata={"fsGroup": "1000"})
    kata("direct-volume", "add", "--volume-path", volume, "--mount-info", note).ok()
    file = folder(volume) / "mountInfo.json"
    assert file.read_text() == note
    assert (file.stat().st_mode & 0o777, folder(volume).stat().st_mode & 0o777) == (0o600, 0o700)
    kata("direct-volume", "add", volume, info("/dev/sdy")).ok()
    assert "/dev/sdy" in file.read_text()
    unused = kata("direct-volume", "stats", "--volume-path", volume)
    assert unused.code == 1 and "no container uses" in unused.err
    kata("direct-volume", "remove", "--volume-path", volume).ok()
    again = kata("direct-volume", "remove", "--volume-path", volume)
    assert again.code == 1 and "no direct volume" in again.err
    assert kata("direct-volume", "stats", "--volume-path", volume).code == 1


@pytest.mark.parametrize("note", ["", "{", "[]", info("sdb"), info("/dev/x")[:-20], info("/dev/x", fstype=7),
                                  info("/dev/x", metadata={"fsGroup": "x"})])
def test_bad_notes_are_refused(kata, volume, note):
    refused = kata("direct-volume", "add", "--volume-path", volume, "--mount-info", note)
    assert refused.code == 1 and "mount info" in refused.err
    assert not folder(volume).exists()


def test_a_container_has_the_file_system_of_the_disk(containerd, kata, volume, loop, clean):
    note = info(loop.path, options=["noatime"], metadata={"fsGroup": "3000"})
    kata("direct-volume", "add", "--volume-path", volume, "--mount-info", note).ok()
    script = ("grep ' /data ' /proc/mounts | cut -d' ' -f3,4; stat -c %g /data; test -d /data/lost+found && "
              "echo of the guest > /data/file")
    result = containerd.run("sh", "-c", script, flags=bind(volume)).ok()
    kind, group = result.out.splitlines()
    assert kind.startswith("ext4 rw,") and "noatime" in kind and group == "3000"
    # Nothing but the name of the volume is the host's.
    assert list(volume.iterdir()) == []
    assert read_back(loop, "file") == "of the guest\n"
    assert not loop.is_used()
    assert [path.name for path in folder(volume).iterdir()] == ["mountInfo.json"]


def test_stats_and_resize(containerd, container, kata, volume, loop):
    kata("direct-volume", "add", "--volume-path", volume, "--mount-info", info(loop.path)).ok()
    id = container("sleep", "1000", flags=bind(volume))
    stats = json.loads(kata("direct-volume", "stats", "--volume-path", volume).ok().out)
    size, inodes = stats["usage"]
    assert (size["unit"], inodes["unit"]) == (1, 2)
    assert 20 << 20 < size["total"] <= 32 << 20 and size["used"] + size["available"] <= size["total"]
    assert stats["volume_condition"] == {"abnormal": False, "message": "OK"}
    early = kata("direct-volume", "resize", "--volume-path", volume, "--size", str(64 << 20))
    assert early.code == 1 and "enlarge it there first" in early.err
    loop.resize(64 << 20)
    kata("direct-volume", "resize", "--volume-path", volume, "--size", str(64 << 20)).ok()
    grown = json.loads(kata("direct-volume", "stats", "--volume-path", volume).ok().out)["usage"][0]
    assert grown["total"] > size["total"] + (24 << 20)
    containerd.exec(id, "sh", "-c", "dd if=/dev/zero of=/data/big bs=1M count=45").ok()
    smaller = kata("direct-volume", "resize", "--volume-path", volume, "--size", str(32 << 20))
    assert smaller.code == 1 and "smaller" in smaller.err
    # Two VMs that mount one file system would destroy it.
    second = containerd.run("true", flags=bind(volume))
    assert second.code != 0 and "used by another sandbox" in second.err and id in second.err


def test_what_cannot_be_mounted_is_explained(containerd, kata, volume, loop, clean):
    folder(volume).mkdir(parents=True, mode=0o700)
    (folder(volume) / "mountInfo.json").write_text(info(loop.path)[:30])
    broken = containerd.run("true", flags=bind(volume))
    assert broken.code != 0 and "mountInfo.json" in broken.err and "cut short" in broken.err
    kata("direct-volume", "add", volume, info("/dev/no-such-disk")).ok()
    missing = containerd.run("true", flags=bind(volume))
    assert missing.code != 0 and f"direct volume {volume}" in missing.err and "/dev/no-such-disk" in missing.err
    kata("direct-volume", "add", volume, info(loop.path, fstype="xfs")).ok()
    other = containerd.run("true", flags=bind(volume))
    assert other.code != 0 and "mount xfs" in other.err
    assert not loop.is_used()
