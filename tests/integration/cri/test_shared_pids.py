"""shareProcessNamespace: one PID namespace for the pod, held by its first process."""
from bed.pod import Pod

PRIMARY_ONLY = True


def test_containers_see_each_other(cri_daemon, handler):
    with Pod(cri_daemon, handler, pid="POD") as pod:
        one = pod.run("one", "sleep", "1001")
        two = pod.run("two", "sleep", "1002")
        for id in (one, two):
            processes = pod.sh(id, "ps")
            assert "sleep 1001" in processes and "sleep 1002" in processes
        assert pod.sh(one, "cat /proc/1/cmdline | tr '\\0' ' '") == "/pause "
        pod.sh(one, "kill -KILL $(pidof sleep | tr ' ' '\\n' | while read p; do"
                    " grep -q 1002 /proc/$p/cmdline && echo $p; done)")
        assert pod.wait_exit(two).exit_code == 137
        # The namespace lives on: a further container joins it.
        two = pod.run("two", "sleep", "1003", attempt=1)
        assert "sleep 1003" in pod.sh(one, "ps")
