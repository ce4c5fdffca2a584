"""A pod of which nobody said what its containers will need: its VM grows when they come."""
import pytest

from bed.pod import Pod

HANDLERS = ["kata"]
PRIMARY_ONLY = True
LIMITS = {"cpu_quota": 100000, "cpu_period": 100000, "memory_limit_in_bytes": 256 << 20}


@pytest.fixture(scope="module")
def pod(cri_daemon, handler):
    with Pod(cri_daemon, handler) as pod:
        yield pod


def machine(pod, id):
    """CPUs and MiB of memory that a container without limits sees."""
    cpus, memory = pod.sh(id, "grep -c ^processor /proc/cpuinfo; grep MemTotal /proc/meminfo; busybox nproc").splitlines()[:2]
    return int(cpus), int(memory.split()[1]) >> 10


def test_the_vm_grows_with_its_containers(pod):
    plain = pod.run("plain", "sleep", "1000")
    cpus, memory = machine(pod, plain)
    assert cpus == 1 and memory <= 256
    limited = pod.run("limited", "sleep", "1000", linux={"resources": LIMITS})
    assert machine(pod, plain)[0] == 2, "one of the configuration and one of the container"
    assert memory + 256 <= machine(pod, plain)[1] <= 512
    assert pod.sh(plain, "busybox nproc") == "2\n", "and they are for everybody without limits"
    # More than there was before is there to be used.
    pod.sh(limited, "dd if=/dev/zero of=/dev/shm/much bs=1M count=60 2>/dev/null; busybox nproc")
    pod.cri.call("UpdateContainerResources", container_id=limited, linux=LIMITS | {"memory_limit_in_bytes": 384 << 20})
    assert memory + 384 <= machine(pod, plain)[1] <= 640
    assert pod.sh(limited, "grep MemTotal /proc/meminfo").split()[1] == str(384 << 10)
    # What was given stays given: memory is never taken away.
    pod.remove_container(limited)
    assert machine(pod, plain)[1] >= memory + 384
