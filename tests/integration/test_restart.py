"""containerd is killed and started again while containers run: nothing is lost."""
import signal
import subprocess

from bed import run


def test_running_container_survives(containerd, container):
    id = container("sh", "-c", "while :; do sleep 0.1; done")
    containerd.restart()
    assert containerd.task_status(id) == "RUNNING"
    assert containerd.exec(id, "echo", "still here").ok().out == "still here\n"
    containerd.ctr("task", "kill", "--signal", "SIGKILL", id).ok()
    containerd.wait_status(id, "STOPPED")


def test_exit_while_containerd_is_away(containerd, container):
    id = container("sh", "-c", "sleep 2; exit 21")
    containerd.stop(signal.SIGKILL)
    run.run(["sleep", "4"])
    containerd.start()
    containerd.wait_status(id, "STOPPED")
    assert "non-zero exit code 21" in containerd.ctr("task", "rm", id).ok().err


def test_attach_afterwards(containerd, container):
    """The first reader of the output is gone; a new one gets what comes from now on."""
    id = containerd.new_id()
    process = containerd.ctr_background(
        *containerd.run_argv("sh", "-c", "while :; do echo tick; sleep 0.2; done", id=id), stdin=subprocess.PIPE)
    try:
        process.wait_for("tick\n", 90)
        process.process.kill()  # the client dies (a milder signal it would forward); the container must not
        containerd.restart()
        assert containerd.task_status(id) == "RUNNING"
        attached = containerd.ctr_background("task", "attach", id)
        try:
            attached.wait_for("tick\n", 20)
        finally:
            attached.close()
    finally:
        process.close()
        containerd.remove(id)


def test_paused_container_stays_paused(containerd, container):
    id = container("sleep", "300")
    containerd.ctr("task", "pause", id).ok()
    containerd.restart()
    assert containerd.task_status(id) == "PAUSED"
    containerd.ctr("task", "resume", id).ok()
    assert containerd.task_status(id) == "RUNNING"
