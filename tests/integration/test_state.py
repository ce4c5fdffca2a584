"""Task states and process lists."""
from bed import image
from bed.containerd import kata_runtime


def test_states(containerd, container):
    id = container("sleep", "300")
    assert containerd.task_status(id) == "RUNNING"
    containerd.ctr("task", "kill", "--signal", "SIGKILL", id).ok()
    containerd.wait_status(id, "STOPPED")
    containerd.ctr("task", "rm", id)
    assert containerd.task_status(id) is None


def test_pids_are_never_empty(containerd, container):
    id = container("sleep", "300")
    lines = containerd.ctr("task", "ps", id).ok().out.splitlines()
    assert len(lines) >= 2 and int(lines[1].split()[0]) > 1, lines


def test_created_but_not_started(containerd):
    """`ctr run` creates and starts; here the two steps are apart."""
    id = containerd.new_id()
    containerd.ctr("container", "create", "--runtime", kata_runtime(), image.BUSYBOX, id, "echo", "late").ok()
    try:
        result = containerd.ctr("task", "start", id, timeout=90).ok()
        assert result.out == "late\n"
    finally:
        containerd.remove(id)
