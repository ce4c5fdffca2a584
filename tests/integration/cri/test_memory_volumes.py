"""Volumes in the guest's memory: those that follow its size, and those of huge pages."""
import pytest

from bed import cri, kubelet
from bed.pod import Pod

HANDLERS = ["kata"]
PRIMARY_ONLY = True
MIB = 1 << 20
EMPTY_DIR = "kubernetes.io~empty-dir"


def mount(path, source, **more):
    return {"container_path": path, "host_path": str(source), **more}


@pytest.fixture(scope="module")
def pod(cri_daemon, handler):
    """A pod of its own: its VM grows."""
    with Pod(cri_daemon, handler) as pod:
        yield pod


def size(pod, id, path):
    return int(pod.sh(id, f"df -k {path} | tail -n 1").split()[1])


def test_a_volume_without_limit_grows_with_the_vm(pod):
    folder = pod.logs / EMPTY_DIR
    with kubelet.mounted("tmpfs", "tmpfs", folder / "any") as any_size, \
            kubelet.mounted("tmpfs", "tmpfs", folder / "eight", "size=8m") as eight:
        mounts = [mount("/any", any_size), mount("/eight", eight)]
        one = pod.run("one", "sleep", "1000", mounts=mounts)
        before = size(pod, one, "/any")
        total = int(pod.sh(one, "grep MemTotal /proc/meminfo").split()[1])
        assert abs(before - total // 2) < 1024, "half of the guest's memory"
        pod.sh(one, "echo kept > /any/word; echo kept > /eight/word")
        two = pod.run("two", "sleep", "1000", mounts=mounts, linux={"resources": {"memory_limit_in_bytes": 256 * MIB}})
        assert size(pod, one, "/any") >= before + 120 * 1024, "half of what came on top"
        assert size(pod, two, "/any") == size(pod, one, "/any")
        assert size(pod, one, "/eight") == 8192, "a limit is kept"
        assert pod.sh(two, "cat /any/word /eight/word") == "kept\nkept\n"
        for id in (one, two):
            pod.remove_container(id)


def test_huge_pages(pod):
    """The size is the node's here; the limits of the container are the subject of unit tests."""
    folder = pod.logs / EMPTY_DIR
    with kubelet.mounted("hugetlbfs", "none", folder / "huge", "pagesize=2M,size=8M,mode=1777") as huge:
        mounts = [mount("/huge", huge)]
        id = pod.run("huge", "sleep", "1000", mounts=mounts)
        assert "hugetlbfs" in pod.sh(id, "grep ' /huge ' /proc/mounts")
        assert "pagesize=2M" in pod.sh(id, "grep ' /huge ' /proc/mounts")
        assert size(pod, id, "/huge") == 8192
        assert pod.sh(id, "grep HugePages_Total /proc/meminfo").split()[1] == "4"
        pod.sh(id, "busybox fallocate -l 8388608 /huge/file")
        assert pod.exec(id, "busybox", "fallocate", "-l", "2097152", "/huge/more").code != 0
        pod.remove_container(id)
        # It lives as long as the pod.
        id = pod.run("huge", "sleep", "1000", mounts=mounts, attempt=1)
        assert pod.sh(id, "wc -c < /huge/file") == "8388608\n"
        assert pod.sh(id, "grep HugePages_Total /proc/meminfo").split()[1] == "4"
        pod.remove_container(id)


def test_more_huge_pages_than_the_guest_has_memory(pod):
    with kubelet.mounted("hugetlbfs", "none", pod.logs / EMPTY_DIR / "giant", "pagesize=2M,size=4G") as giant:
        id = pod.create("giant", "sleep", "1000", mounts=[mount("/huge", giant)])
        with pytest.raises(cri.CriError, match=r"giant.*of 2048 pages of 2048 KiB.*default_memory"):
            pod.start(id)
        pod.remove_container(id)
    id = pod.run("after", "sleep", "1000")
    assert pod.sh(id, "grep HugePages_Total /proc/meminfo").split()[1] == "4", "what was tried is given back"
    pod.remove_container(id)


def test_huge_pages_without_a_limit(pod):
    with kubelet.mounted("hugetlbfs", "none", pod.logs / EMPTY_DIR / "vague", "pagesize=2M") as vague:
        id = pod.create("vague", "sleep", "1000", mounts=[mount("/huge", vague)])
        with pytest.raises(cri.CriError, match="vague.*hugepages-2Mi"):
            pod.start(id)
        pod.remove_container(id)
