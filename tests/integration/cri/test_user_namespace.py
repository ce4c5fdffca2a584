"""Pods with a user namespace (hostUsers: false): ids, owners and rights inside are those under runc.

containerd 1.6 does not know of it, and runc 1.1 of this Debian has no idmapped mounts: no oracle.
"""
import os
import subprocess

import pytest

from bed import cri, leaks
from bed.pod import Pod

HANDLERS = ["kata", "kata-sandbox"]
OUTER, SIZE = 100000, 65536
MAPPING = [{"host_id": OUTER, "container_id": 0, "length": SIZE}]
USERNS = {"mode": "POD", "uids": MAPPING, "gids": MAPPING}
NO_ROOT = {"host_id": OUTER, "container_id": 1, "length": SIZE}
MAPPED = {"uidMappings": MAPPING, "gidMappings": MAPPING}


def in_user_namespace(**more):
    return {"linux": {"security_context": {"namespace_options": {"userns_options": USERNS, **more}}}}


def require_support(daemon):
    if daemon.version.startswith("1."):
        pytest.skip("containerd 1.6 has no user namespaces for pods")


@pytest.fixture(scope="module")
def userns_pod(cri_daemon, handler):
    require_support(cri_daemon)
    with Pod(cri_daemon, handler, **in_user_namespace(), **{
            "dns_config": {"servers": ["10.77.0.250"]}}) as pod:
        pod.volume = pod.logs / "volume"
        pod.volume.mkdir()
        (pod.volume / "of-root").write_text("x\n")
        (pod.volume / "of-1000").write_text("x\n")
        os.chown(pod.volume / "of-1000", 1000, 1000)
        yield pod


def run(pod, name, *command, **changes):
    return pod.run(name, *command, **pod_changes(changes))


def pod_changes(changes):
    own = in_user_namespace(pid="CONTAINER")
    own["linux"]["security_context"].update(changes.pop("security", {}))
    return own | changes


@pytest.fixture(scope="module")
def container(userns_pod):
    return run(userns_pod, "one", "sleep", "1000", mounts=[
        {"container_path": "/volume", "host_path": str(userns_pod.volume), **MAPPED}])


def test_root_is_somebody_else_outside(userns_pod, container):
    assert userns_pod.sh(container, "id -u; id -g") == "0\n0\n"
    for kind in ("uid", "gid"):
        assert userns_pod.sh(container, f"cat /proc/self/{kind}_map").split() == ["0", str(OUTER), str(SIZE)]
    assert userns_pod.sh(container, "cat /proc/1/uid_map").split() == ["0", str(OUTER), str(SIZE)]


def test_owners_of_the_image(userns_pod, container):
    assert userns_pod.sh(container, "stat -c '%u:%g' / /bin /bin/busybox /etc/passwd").split() == ["0:0"] * 4
    userns_pod.sh(container, "echo x > /new; chown 7:8 /new; mkdir /folder; chmod 700 /folder; echo y >> /etc/passwd")
    assert userns_pod.sh(container, "stat -c '%u:%g' /new /folder").split() == ["7:8", "0:0"]


def test_owners_of_a_volume(userns_pod, container):
    """An owner on disk is the same one inside, both ways."""
    assert userns_pod.sh(container, "stat -c '%u:%g' /volume/of-root /volume/of-1000").split() == ["0:0", "1000:1000"]
    userns_pod.sh(container, "echo x > /volume/made; chown 12:13 /volume/made; cat /volume/of-1000")
    made = (userns_pod.volume / "made").stat()
    assert (made.st_uid, made.st_gid) == (12, 13)


def test_files_of_the_pod(userns_pod, container):
    assert userns_pod.sh(container, "cat /etc/resolv.conf") == "nameserver 10.77.0.250\n"
    assert userns_pod.sh(container, "hostname; cat /etc/hostname").split() == [userns_pod.name] * 2
    userns_pod.sh(container, "echo x > /dev/shm/word; echo x > /dev/null; test -c /dev/null; head -c 4 /dev/urandom >/dev/null")


def test_containers_share_it(userns_pod, container):
    two = run(userns_pod, "two", "sleep", "1000", security={"run_as_user": {"value": 1000}})
    link = "readlink /proc/self/ns/"
    for kind in ("user", "ipc", "uts", "net"):
        assert userns_pod.sh(container, link + kind) == userns_pod.sh(two, link + kind), kind
    assert userns_pod.sh(container, link + "pid") != userns_pod.sh(two, link + "pid")
    assert userns_pod.sh(two, "id -u; cat /dev/shm/word") == "1000\nx\n"
    assert userns_pod.exec(two, "sh", "-c", "echo x > /etc/passwd").code != 0


def test_rights_over_what_belongs_to_the_pod(userns_pod):
    """Host name, a tmpfs and an interface of the pod: yes. The kernel's clock and its files: no."""
    id = run(userns_pod, "rights", "sleep", "1000", security={
        "capabilities": {"add_capabilities": ["SYS_ADMIN", "NET_ADMIN", "SYS_TIME"]},
        "seccomp": {"profile_type": "Unconfined"}})
    userns_pod.sh(id, "mkdir -p /mnt/t && mount -t tmpfs none /mnt/t && umount /mnt/t")
    userns_pod.sh(id, "hostname renamed && hostname " + userns_pod.name)
    userns_pod.sh(id, "ip link set lo down && ip link set lo up")
    assert "not permitted" in userns_pod.exec(id, "date", "-s", "2001-01-01").err
    assert userns_pod.exec(id, "sh", "-c", "echo 1 > /proc/sys/kernel/panic").code != 0
    userns_pod.remove_container(id)


def test_network(userns_pod, container):
    assert userns_pod.status().network.ip in userns_pod.sh(container, "ip addr show eth0")
    assert "default via 10.77.0.1" in userns_pod.sh(container, "ip route")
    userns_pod.sh(container, "ping -c 1 -w 20 10.77.0.1", timeout=60)
    # A low port: rights over the pod's network.
    userns_pod.sh(container, "echo page > /tmp/page; busybox httpd -p 127.0.0.1:80 -h /tmp")
    assert userns_pod.sh(container, "wget -q -O - http://127.0.0.1/page") == "page\n"


def test_memory_volume(userns_pod):
    volume = userns_pod.logs / "kubernetes.io~empty-dir" / "memory"
    volume.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=775", "tmpfs", volume], check=True)
    os.chown(volume, 0, 2000)
    try:
        id = run(userns_pod, "memory", "sleep", "1000", mounts=[
            {"container_path": "/mem", "host_path": str(volume), **MAPPED}])
        assert userns_pod.sh(id, "stat -c '%u:%g' /mem; echo x > /mem/file; stat -c %u /mem/file").split() == ["0:2000", "0"]
        userns_pod.remove_container(id)
    finally:
        subprocess.run(["umount", volume], check=True)


def test_terminal_and_end(userns_pod):
    status = userns_pod.run_to_end("end", "sh", "-c", "test -t 1 && tty; exit 4", tty=True, **in_user_namespace(pid="CONTAINER"))
    assert status.exit_code == 4
    assert "/dev/pts/0" in userns_pod.output("end")


def test_other_ids_for_a_container_are_refused(userns_pod):
    """containerd itself may be the first to say so."""
    other = [{"host_id": 200000, "container_id": 0, "length": SIZE}]
    options = {"userns_options": {"mode": "POD", "uids": other, "gids": other}, "pid": "CONTAINER"}
    with pytest.raises(cri.CriError):
        userns_pod.run("other", "true", linux={"security_context": {"namespace_options": options}})


def test_shared_pids(cri_daemon, handler):
    """The first process of the pod's PID namespace lives in the user namespace, too: /proc is mounted in it."""
    require_support(cri_daemon)
    with Pod(cri_daemon, handler, **in_user_namespace(pid="POD")) as pod:
        one, two = (pod.run(name, "sleep", number, **in_user_namespace(pid="POD"))
                    for name, number in (("one", "1001"), ("two", "1002")))
        for id in (one, two):
            processes = pod.sh(id, "ps")
            assert "sleep 1001" in processes and "sleep 1002" in processes
        assert pod.sh(one, "cat /proc/1/uid_map").split() == ["0", str(OUTER), str(SIZE)]
        pod.remove_container(one)
        assert pod.sh(two, "echo alive") == "alive\n"


@pytest.mark.parametrize("options, why", [
    ({"mode": "POD", "uids": [NO_ROOT], "gids": [NO_ROOT]}, "id 0"),
    ({"mode": "CONTAINER"}, "CONTAINER"),
    ({"mode": "TARGET"}, "TARGET"),
])
def test_impossible_ones_are_refused(cri_daemon, handler, options, why, clean):
    require_support(cri_daemon)
    with pytest.raises(cri.CriError, match=why):
        Pod(cri_daemon, handler, **in_user_namespace(userns_options=options))


def test_nothing_is_left(cri_daemon, handler):
    require_support(cri_daemon)
    before = leaks.Snapshot(cri_daemon.tokens())
    with Pod(cri_daemon, handler, **in_user_namespace()) as pod:
        run(pod, "one", "sleep", "1000")
    left = leaks.wait_clean(cri_daemon.tokens(), before)
    assert not left, "left behind:\n" + "\n".join(left)
