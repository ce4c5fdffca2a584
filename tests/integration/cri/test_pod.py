"""The life of a pod: sandbox, containers in one VM, their logs, exit codes, restarts and removal."""
import pytest

from bed import cri, leaks, run
from bed.pod import CREATED, EXITED, RUNNING, Pod


def test_sandbox_is_ready(pod):
    assert pod.is_ready()
    assert pod.status().runtime_handler == pod.handler
    assert pod.status().network.ip.startswith("10.77.0.")
    names = [item.metadata.name for item in pod.cri.call("ListPodSandbox").items]
    assert pod.name in names


def test_three_containers_share_one_vm(pod):
    boots = []
    for name in ("one", "two", "three"):
        id = pod.create(name, "sh", "-c", f"echo {name}; echo oops >&2; sleep 1000")
        assert pod.state(id) == CREATED
        pod.start(id)
        assert pod.state(id) == RUNNING
        boots.append(pod.sh(id, "cat /proc/sys/kernel/random/boot_id"))
    assert len(set(boots)) == 1
    host = open("/proc/sys/kernel/random/boot_id").read()
    assert (boots[0] == host) == (pod.handler == "runc")
    for name in ("one", "two", "three"):
        assert pod.output(name) == f"{name}\n"
        assert pod.output(name, stream="stderr") == "oops\n"
    running = [c for c in pod.cri.call("ListContainers").containers if c.pod_sandbox_id == pod.id]
    assert {c.metadata.name for c in running} == {"one", "two", "three"}


def test_pids_are_separate_and_ipc_is_shared(pod):
    one = pod.run("pids", "sleep", "1001")
    two = pod.run("pids2", "sleep", "1002")
    assert "sleep 1002" not in pod.sh(one, "ps")
    assert pod.sh(one, "cat /proc/1/cmdline | tr '\\0' ' '") == "sleep 1001 "
    assert pod.sh(one, "readlink /proc/self/ns/ipc") == pod.sh(two, "readlink /proc/self/ns/ipc")
    assert pod.sh(one, "readlink /proc/self/ns/uts") == pod.sh(two, "readlink /proc/self/ns/uts")
    pod.sh(one, "echo shared > /dev/shm/word")
    assert pod.sh(two, "cat /dev/shm/word") == "shared\n"


@pytest.mark.parametrize("code", [0, 7, 255])
def test_exit_codes(pod, code):
    status = pod.run_to_end(f"exit{code}", "sh", "-c", f"exit {code}")
    assert status.exit_code == code
    assert status.reason == ("Completed" if code == 0 else "Error")
    assert status.started_at > 0 and status.finished_at > 0


def test_missing_program(pod):
    id = pod.create("missing", "/no/such/program")
    with pytest.raises(cri.CriError, match="no such file or directory"):
        pod.start(id)
    assert pod.state(id) == EXITED
    pod.remove_container(id)


def test_init_containers_run_one_after_the_other(pod):
    """kubelet runs them to their end, one by one, with a volume of the pod between them."""
    volume = pod.logs / "init-volume"
    volume.mkdir()
    mounts = [{"container_path": "/work", "host_path": str(volume)}]
    assert pod.run_to_end("init1", "sh", "-c", "echo first > /work/log", mounts=mounts).exit_code == 0
    assert pod.run_to_end("init2", "sh", "-c", "echo second >> /work/log", mounts=mounts).exit_code == 0
    id = pod.run("main", "sh", "-c", "cat /work/log; sleep 1000", mounts=mounts)
    run.wait_until(lambda: pod.output("main") == "first\nsecond\n", 20, "both wrote")
    pod.stop_container(id)


def test_restart_is_a_new_attempt(pod):
    for attempt in range(3):
        id = pod.create("again", "sh", "-c", f"echo attempt {attempt}; exit 1", attempt=attempt)
        pod.start(id)
        assert pod.wait_exit(id).exit_code == 1
        assert pod.output("again", attempt) == f"attempt {attempt}\n"
        pod.remove_container(id)
    with pytest.raises(cri.CriError) as refused:
        pod.container(id)
    assert refused.value.code == "NOT_FOUND"
    pod.remove_container(id)  # idempotent


def test_exec_sync(pod):
    id = pod.run("exec", "sleep", "1000", envs=[{"key": "WORD", "value": "of the container"}])
    result = pod.exec(id, "sh", "-c", "echo out; echo err >&2; echo $WORD; exit 3")
    assert (result.code, result.out, result.err) == (3, "out\nof the container\n", "err\n")
    with pytest.raises(cri.CriError, match="no such file or directory"):
        pod.exec(id, "/no/such/program")
    with pytest.raises(cri.CriError, match="timeout|deadline"):
        pod.cri.call("ExecSync", container_id=id, cmd=["sleep", "995"], timeout=1)
    run.wait_until(lambda: "sleep 995" not in pod.sh(id, "ps"), 20, "the process of the timed-out exec is gone")
    pod.stop_container(id)
    with pytest.raises(cri.CriError):
        pod.exec(id, "true")


def test_stop_with_grace(pod):
    polite = pod.run("polite", "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done")
    run.wait_until(lambda: pod.output("polite") == "ready\n", 20, "the handler is set")
    pod.stop_container(polite, grace=int(30 * run.PATIENCE))
    assert pod.container(polite).exit_code == 5

    stubborn = pod.run("stubborn", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done")
    run.wait_until(lambda: pod.output("stubborn") == "ready\n", 20, "the handler is set")
    pod.stop_container(stubborn, grace=1)
    assert pod.container(stubborn).exit_code == 137
    pod.stop_container(stubborn)  # idempotent
    pod.remove_container(stubborn)


def test_removal_of_a_running_container(pod):
    id = pod.run("removed", "sleep", "1000")
    pod.remove_container(id)
    assert id not in [c.id for c in pod.cri.call("ListContainers").containers]


def test_log_can_be_rotated(pod):
    id = pod.run("rotated", "sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.2; done")
    log = pod.logs / "rotated.0.log"
    run.wait_until(lambda: "line 1" in pod.output("rotated"), 20, "some lines")
    log.rename(log.with_suffix(".old"))
    pod.cri.call("ReopenContainerLog", container_id=id)
    run.wait_until(lambda: log.exists() and "line" in pod.output("rotated"), 20, "lines in the new file")
    pod.stop_container(id)


def test_end_of_a_pod(cri_daemon, handler):
    """Stopping and removing, each twice, with a container that runs: nothing is left."""
    before = leaks.Snapshot(cri_daemon.tokens())
    pod = Pod(cri_daemon, handler)
    id = pod.run("last", "sleep", "1000")
    pod.stop()
    pod.stop()
    assert not pod.is_ready()
    assert pod.state(id) == EXITED
    assert pod.container(id).exit_code == 137
    with pytest.raises(cri.CriError):
        pod.run("late", "true")  # containerd 1.6 refuses to create it, 2.x to start it
    pod.remove()
    pod.remove()
    pod.close()
    left = leaks.wait_clean(cri_daemon.tokens(), before)
    assert not left, "left behind:\n" + "\n".join(left)
