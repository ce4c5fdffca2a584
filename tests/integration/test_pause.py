"""A paused container does nothing until it is resumed."""
import time


def counter(containerd, id):
    return int(containerd.exec(id, "cat", "/tmp/n").ok().out or 0)


def test_pause_and_resume(containerd, container):
    id = container("sh", "-c", "n=0; while :; do n=$((n+1)); echo $n > /tmp/n.new; mv /tmp/n.new /tmp/n; sleep 0.05; done")
    time.sleep(0.5)
    containerd.ctr("task", "pause", id).ok()
    assert containerd.task_status(id) == "PAUSED"
    containerd.ctr("task", "resume", id).ok()
    assert containerd.task_status(id) == "RUNNING"
    first = counter(containerd, id)
    time.sleep(0.5)
    assert counter(containerd, id) > first


def test_paused_container_can_be_killed(containerd, container):
    id = container("sleep", "300")
    containerd.ctr("task", "pause", id).ok()
    containerd.ctr("task", "kill", "--signal", "SIGKILL", id).ok()
    containerd.ctr("task", "resume", id)  # runc needs it before the signal takes effect
    containerd.wait_status(id, "STOPPED")


def test_resume_of_a_running_container_is_an_error(containerd, container):
    id = container("sleep", "300")
    assert containerd.ctr("task", "resume", id).code != 0
