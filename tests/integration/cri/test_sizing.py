"""The VM of a pod has what its containers may use before it boots; each container sees its own limit."""
import pytest

from bed.pod import Pod

HANDLERS = ["kata"]
PRIMARY_ONLY = True
LIMITS = {"cpu_quota": 50000, "cpu_period": 100000, "memory_limit_in_bytes": 128 << 20}


@pytest.fixture(scope="module")
def sized(cri_daemon, handler):
    """kubelet gives the sums over the pod's containers with the sandbox."""
    with Pod(cri_daemon, handler, linux={"resources": LIMITS}) as pod:
        yield pod


def total(pod, id):
    return int(pod.sh(id, "grep MemTotal /proc/meminfo").split()[1]) >> 10


def test_the_vm_has_room_for_the_containers(sized):
    """256 MiB of the tests' configuration, less what the kernel keeps, and the pod's 128."""
    id = sized.run("free", "sleep", "1000")
    assert 256 < total(sized, id) <= 384
    sized.remove_container(id)


def test_a_container_sees_its_limit_and_its_update(sized):
    id = sized.run("limited", "sleep", "1000", linux={"resources": LIMITS})
    assert total(sized, id) == 128
    assert sized.sh(id, "grep -c ^processor /proc/cpuinfo; busybox nproc") == "1\n1\n"
    sized.cri.call("UpdateContainerResources", container_id=id, linux=LIMITS | {"memory_limit_in_bytes": 96 << 20})
    assert total(sized, id) == 96
    sized.remove_container(id)
