"""`ctr run --uidmap --gidmap`: containerd gives the files of the image to other owners, the container maps them back."""
from bed import containerd as cd

OUTER = 100000
FLAGS = ["--uidmap", f"0:{OUTER}:65536", "--gidmap", f"0:{OUTER}:65536"]
SEEN = ("id -u; cat /proc/self/uid_map | tr -s ' '; stat -c '%u:%g' / /etc/passwd; hostname renamed; hostname;"
        " stat -c %t:%T /dev/null; echo x > /file && stat -c '%u:%g' /file; grep -c ' sysfs ' /proc/mounts")


def test_as_under_runc(containerd, clean):
    flags = [*FLAGS, "--cap-add", "CAP_SYS_ADMIN"]
    ours = containerd.run("sh", "-c", SEEN, flags=flags, timeout=180)
    oracle = containerd.run("sh", "-c", SEEN, flags=flags, runtime=cd.RUNC, timeout=180)
    if oracle.code != 0:
        # A runc that cannot come through to its own bundle in the tests' private work folder.
        assert "permission denied" in oracle.err, oracle.describe()
    else:
        assert ours.out == oracle.out, ours.describe() + oracle.describe()
    lines = ours.ok().out.splitlines()
    assert lines[:2] == ["0", f" 0 {OUTER} 65536"]
    assert lines[2:] == ["0:0", "0:0", "renamed", "1:3", "0:0", "1"]


def test_exec(containerd, clean):
    id = containerd.start_detached("sleep", "1000", flags=FLAGS)
    try:
        result = containerd.exec(id, "sh", "-c", "id -u; readlink /proc/self/ns/user; readlink /proc/1/ns/user").ok()
        uid, own, init = result.out.split()
        assert uid == "0" and own == init
    finally:
        containerd.remove(id)
