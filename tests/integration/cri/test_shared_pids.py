"""PID namespaces that containers join: the pod's (shareProcessNamespace), or a target's (ephemeral containers)."""
from bed.pod import Pod

PRIMARY_ONLY = True


def test_containers_see_each_other(cri_daemon, handler):
    with Pod(cri_daemon, handler, pid="POD") as pod:
        one = pod.run("one", "sleep", "1001")
        two = pod.run("two", "sleep", "1002")
        for id in (one, two):
            processes = pod.sh(id, "ps")
            assert "sleep 1001" in processes and "sleep 1002" in processes
        first = pod.sh(one, "cat /proc/1/cmdline | tr '\\0' ' '")
        assert first == ("kata-agent pause " if handler == "kata-sandbox" else "/pause ")
        pod.sh(one, "kill -KILL $(pidof sleep | tr ' ' '\\n' | while read p; do"
                    " grep -q 1002 /proc/$p/cmdline && echo $p; done)")
        assert pod.wait_exit(two).exit_code == 137
        # The namespace lives on: a further container joins it.
        two = pod.run("two", "sleep", "1003", attempt=1)
        assert "sleep 1003" in pod.sh(one, "ps")


def debug(pod, name, target):
    """The processes that an ephemeral container sees, made as `kubectl debug --target` asks for it."""
    id = pod.run(name, "sleep", "1000", linux={"security_context": {
        "namespace_options": {"pid": "TARGET", "target_id": target}}})
    return pod.sh(id, "ps")


def test_an_ephemeral_container_sees_its_target(cri_daemon, handler):
    with Pod(cri_daemon, handler) as pod:
        target = pod.run("target", "sleep", "1234")
        for name in ("debugger", "another"):
            assert "sleep 1234" in debug(pod, name, target)
        # The target goes on, and whoever asks for nothing is alone.
        alone = pod.run("alone", "sleep", "1000")
        assert "1234" not in pod.sh(alone, "ps")
        assert pod.sh(target, "echo alive") == "alive\n"


def test_which_of_several_containers_is_meant_cannot_be_told(cri_daemon, handler):
    """Under runc the target's processes; docs/limits.md says what in a VM."""
    with Pod(cri_daemon, handler) as pod:
        target = pod.run("target", "sleep", "1234")
        pod.run("beside", "sleep", "1235")
        processes = debug(pod, "debugger", target)
        assert "sleep 1235" not in processes
        assert ("sleep 1234" in processes) == (handler == "runc")
        assert ("/pause" in processes) == (handler == "kata")
