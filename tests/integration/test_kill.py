"""Signals to containers and to their further processes."""
import re

from bed import run


def exit_status(containerd, id):
    """Waits for the end and deletes the task; `ctr task rm` warns about a status other than 0."""
    containerd.wait_status(id, "STOPPED")
    warning = re.search(r"non-zero exit code (\d+)", containerd.ctr("task", "rm", id).ok().err)
    return int(warning.group(1)) if warning else 0


def test_term_reaches_a_handler(containerd, container):
    id = container("sh", "-c", "trap 'exit 33' TERM; while :; do sleep 0.1; done")
    run.wait_until(lambda: containerd.exec(id, "sh", "-c", "grep SigCgt /proc/1/status").out.split()[-1:]
                   not in ([], ["0000000000000000"]), 20, "the handler is set")
    containerd.ctr("task", "kill", "--signal", "SIGTERM", id).ok()
    assert exit_status(containerd, id) == 33


def test_kill_ends_init(containerd, container):
    id = container("sleep", "300")
    containerd.ctr("task", "kill", "--signal", "SIGKILL", id).ok()
    assert exit_status(containerd, id) == 137


def test_kill_of_a_finished_task_is_not_found(containerd, container):
    id = container("true")
    containerd.wait_status(id, "STOPPED")
    result = containerd.ctr("task", "kill", "--signal", "SIGTERM", id)
    assert result.code == 0 or "not found" in result.err or "finished" in result.err, result.describe()


def test_signal_to_an_exec_only(containerd, container):
    id = container("sleep", "300")
    process = containerd.ctr_background("task", "exec", "--exec-id", "victim", id, "sleep", "299")
    try:
        run.wait_until(lambda: "sleep 299" in containerd.exec(id, "ps").out, 30, "the exec runs")
        containerd.ctr("task", "kill", "--exec-id", "victim", "--signal", "SIGKILL", id).ok()
        assert process.wait(30) == 137
        assert containerd.task_status(id) == "RUNNING"
    finally:
        process.close()


def test_kill_all(containerd, container):
    id = container("sh", "-c", "sleep 298 & sleep 297")
    containerd.ctr("task", "kill", "--all", "--signal", "SIGKILL", id).ok()
    assert exit_status(containerd, id) == 137


def test_deleting_a_running_task_is_refused(containerd, container):
    id = container("sleep", "300")
    result = containerd.ctr("task", "rm", id)
    assert result.code != 0
    assert containerd.task_status(id) == "RUNNING"
