"""Volumes of a pod: folders and files of the node, configuration that changes, scratch space."""
import subprocess

import pytest

from bed import cri, kubelet, run
from bed.pod import Pod

PRIMARY_ONLY = True


def mount(path, source, **more):
    return {"container_path": path, "host_path": str(source), **more}


@pytest.fixture
def folder(pod, request):
    made = pod.logs / request.node.originalname
    made.mkdir(exist_ok=True)
    return made


def test_host_folder_both_ways(pod, folder):
    (folder / "host").write_text("from the node\n")
    id = pod.run("hostdir", "sleep", "1000", mounts=[mount("/vol", folder)])
    assert pod.sh(id, "cat /vol/host") == "from the node\n"
    pod.sh(id, "echo from the pod > /vol/guest; chmod 640 /vol/guest")
    assert (folder / "guest").read_text() == "from the pod\n"
    assert (folder / "guest").stat().st_mode & 0o777 == 0o640
    (folder / "later").write_text("new\n")
    run.wait_until(lambda: "later" in pod.sh(id, "ls /vol"), 20, "a file made later")
    pod.remove_container(id)


def test_host_file(pod, folder):
    (folder / "file").write_text("one\n")
    id = pod.run("hostfile", "sleep", "1000", mounts=[mount("/etc/some.conf", folder / "file")])
    assert pod.sh(id, "cat /etc/some.conf") == "one\n"
    pod.sh(id, "echo two > /etc/some.conf")
    assert (folder / "file").read_text() == "two\n"
    pod.remove_container(id)


def test_read_only(pod, folder):
    (folder / "file").write_text("one\n")
    id = pod.run("readonlyvol", "sleep", "1000", mounts=[
        mount("/dir", folder, readonly=True), mount("/file", folder / "file", readonly=True)])
    assert pod.exec(id, "touch", "/dir/new").code != 0
    assert pod.exec(id, "sh", "-c", "echo x > /file").code != 0
    assert pod.sh(id, "cat /file") == "one\n"
    pod.remove_container(id)


def test_missing_host_path(pod, folder):
    id = None
    with pytest.raises(cri.CriError) as refused:
        id = pod.create("missingvol", "sleep", "1000", mounts=[mount("/dev/x", "/proc/no/such/folder")])
        pod.start(id)
    assert "/proc/no/such/folder" in refused.value.message
    if id:
        pod.remove_container(id)


def test_configuration_of_a_driver_changes_while_the_pod_runs(pod, folder):
    """A folder that changes as kubelet's do but is not kubelet's: it is shared, new values arrive at once."""
    volume = kubelet.ConfigVolume(folder, "csi", "config")
    volume.write({f"key{i}": "old\n" for i in range(20)})
    id = pod.run("config", "sleep", "1000", mounts=[mount("/config", volume.path, readonly=True)])
    assert pod.sh(id, "cat /config/key* | sort -u") == "old\n"
    volume.write({f"key{i}": "new\n" for i in range(20)})
    run.wait_until(lambda: pod.sh(id, "cat /config/key* 2>/dev/null | sort -u") == "new\n", 20,
                   "every key has its new value")
    assert "..1\n" not in pod.sh(id, "ls -a /config")
    pod.remove_container(id)


def test_shared_memory_has_the_size_of_the_node_s(pod):
    id = pod.run("shmsize", "sleep", "1000")
    assert pod.sh(id, "df -k /dev/shm | tail -n 1").split()[1] == "65536", "what containerd gives a pod"
    assert pod.exec(id, "dd", "if=/dev/zero", "of=/dev/shm/big", "bs=1M", "count=65").code != 0
    pod.sh(id, "rm /dev/shm/big")
    pod.remove_container(id)


def test_scratch_folder_is_shared_and_survives_a_restart(pod, folder):
    scratch = folder / "kubernetes.io~empty-dir" / "scratch"
    scratch.mkdir(parents=True)
    scratch.chmod(0o777)
    mounts = [mount("/scratch", scratch)]
    one = pod.run("scratch1", "sh", "-c", "echo kept > /scratch/word; sleep 1000", mounts=mounts)
    two = pod.run("scratch2", "sleep", "1000", mounts=mounts)
    run.wait_until(lambda: pod.exec(two, "cat", "/scratch/word").out == "kept\n", 20, "the other one sees it")
    pod.remove_container(one)
    one = pod.run("scratch1", "sleep", "1000", mounts=mounts, attempt=1)
    assert pod.sh(one, "cat /scratch/word") == "kept\n"
    for id in (one, two):
        pod.remove_container(id)


@pytest.fixture
def memory_volume(folder):
    """An emptyDir with medium Memory, as kubelet makes it: a tmpfs of the node."""
    volume = folder / "kubernetes.io~empty-dir" / "memory"
    volume.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "tmpfs", volume], check=True)
    yield volume
    subprocess.run(["umount", volume], check=True)


def test_memory_volume(pod, folder, memory_volume):
    mounts = [mount("/mem", memory_volume)]
    one = pod.run("mem1", "sh", "-c", "echo kept > /mem/word; sleep 1000", mounts=mounts)
    assert pod.sh(one, "stat -f -c %T /mem") == "tmpfs\n"
    assert pod.sh(one, "df -k /mem | tail -n 1").split()[1] == "8192"
    assert pod.sh(one, "stat -c %a /mem") == "777\n"
    assert pod.exec(one, "dd", "if=/dev/zero", "of=/mem/big", "bs=1M", "count=9").code != 0
    pod.sh(one, "rm /mem/big")

    sub = memory_volume / "sub"  # kubelet makes the folder of a subPath and binds it elsewhere
    sub.mkdir(exist_ok=True)
    bound = folder / "bound"
    bound.mkdir()
    subprocess.run(["mount", "--bind", sub, bound], check=True)
    try:
        two = pod.run("mem2", "sleep", "1000", mounts=[mount("/sub", bound), *mounts])
        pod.sh(two, "echo below > /sub/file")
        assert pod.sh(one, "cat /mem/sub/file") == "below\n"
        pod.remove_container(one)
        pod.remove_container(two)
    finally:
        subprocess.run(["umount", bound], check=True)
    one = pod.run("mem1", "sleep", "1000", mounts=mounts, attempt=1)
    assert pod.sh(one, "cat /mem/word /mem/sub/file") == "kept\nbelow\n"
    if pod.handler != "runc":
        assert not (memory_volume / "word").exists()  # in the guest's memory, within its limits
    pod.remove_container(one)


def test_mounts_that_the_node_makes_later(cri_daemon, handler, folder):
    """A pod of its own: its VM must not be older than the shared mount, which / may not be here."""
    def node(*words):
        subprocess.run(words, check=True)

    (folder / "late").mkdir()
    node("mount", "--bind", folder, folder)
    node("mount", "--make-rshared", folder)
    try:
        with Pod(cri_daemon, handler) as own:
            volumes = {"private": "PROPAGATION_PRIVATE", "slave": "PROPAGATION_HOST_TO_CONTAINER"}
            id = own.run("late", "sleep", "1000", mounts=[
                mount(f"/{name}", folder, propagation=how) for name, how in volumes.items()])
            node("mount", "-t", "tmpfs", "tmpfs", folder / "late")
            (folder / "late" / "word").write_text("late\n")
            assert own.sh(id, "cat /slave/late/word") == "late\n"
            assert own.sh(id, "ls /private/late") == ""
            node("umount", "-l", folder / "late")
            run.wait_until(lambda: own.sh(id, "ls /slave/late") == "", 20, "it is gone from the pod, too")
    finally:
        node("umount", "-l", folder)


def test_mounts_that_the_node_does_not_pass_on(pod, folder):
    """The pod is older than the mounts, and the node keeps them to itself, as with a private / or CRI-O's storage."""
    def node(*words):
        subprocess.run(words, check=True)

    (folder / "late").mkdir()
    memory = folder / "kubernetes.io~empty-dir" / "later"  # volumes of a pod are told apart by their names
    memory.mkdir(parents=True)
    node("mount", "--bind", folder, folder)
    node("mount", "--make-rprivate", folder)
    try:
        node("mount", "-t", "tmpfs", "tmpfs", folder / "late")
        (folder / "late" / "word").write_text("late\n")
        node("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", memory)
        id = pod.run("unseen", "sleep", "1000", mounts=[
            mount("/direct", folder / "late"), mount("/above", folder), mount("/memory", memory)])
        assert pod.sh(id, "cat /direct/word /above/late/word") == "late\nlate\n"
        assert pod.sh(id, "df -k /memory | tail -n 1").split()[1] == "4096"
        pod.remove_container(id)
    finally:
        node("umount", "-l", folder)


def test_sub_path(pod, folder):
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "sub" / "file").write_text("file\n")
    id = pod.run("subpath", "sleep", "1000", mounts=[
        mount("/deep", folder / "sub" / "deep"), mount("/file", folder / "sub" / "file")])
    pod.sh(id, "echo made > /deep/new")
    assert (folder / "sub" / "deep" / "new").read_text() == "made\n"
    assert pod.sh(id, "cat /file") == "file\n"
    pod.remove_container(id)


def test_recursive_read_only_tree(pod, folder):
    """A file system mounted below a read-only volume is read-only as well."""
    (folder / "inner").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder / "inner"], check=True)
    try:
        id = pod.run("rro", "sleep", "1000", mounts=[mount("/vol", folder, readonly=True)])
        if pod.handler != "runc":  # runc leaves it writable unless the request says "recursive"
            assert pod.exec(id, "touch", "/vol/inner/new").code != 0
        pod.remove_container(id)
    finally:
        subprocess.run(["umount", "-l", folder / "inner"], check=True)
