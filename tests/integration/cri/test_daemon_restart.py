"""containerd is killed and started again while a pod runs."""
import signal

from bed import run
from bed.pod import RUNNING, Pod

HANDLERS = ["kata"]


def test_pod_survives(cri_daemon, handler):
    with Pod(cri_daemon, handler) as pod:
        kept = pod.run("kept", "sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.5; done")
        ends = pod.run("ends", "sh", "-c", "sleep 3; exit 9")
        cri_daemon.stop(signal.SIGKILL)
        run.run(["sleep", "5"])
        cri_daemon.start()
        cri_daemon.wait_ready()
        assert pod.is_ready()
        assert pod.state(kept) == RUNNING
        assert pod.wait_exit(ends).exit_code == 9
        assert pod.exec(kept, "echo", "still here").out == "still here\n"
        seen = len(pod.log("kept"))
        run.wait_until(lambda: len(pod.log("kept")) > seen, 30, "the log goes on", interval=0.2)
        late = pod.run("late", "sleep", "1000")
        pod.stop_container(late)
        assert pod.container(late).exit_code == 137
