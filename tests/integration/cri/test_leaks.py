"""Pods that come and go leave nothing on the host.

  KATA_CYCLES   number of pods (default 3; `make soak` takes 200)
"""
import os
import socket

from bed import leaks
from bed.pod import Pod

ONCE_PER_HANDLER = True  # on the first containerd that offers it
HANDLERS = ["kata", "kata-sandbox"]
CYCLES = int(os.environ.get("KATA_CYCLES", "3"))
TEST_LIMIT = 120 + 20 * CYCLES


def one_pod(daemon, handler, number):
    with Pod(daemon, handler) as pod:
        main = pod.run("main", "sleep", "1000")
        assert pod.sh(main, f"echo {number}") == f"{number}\n"
        assert pod.run_to_end("short", "true").exit_code == 0
        tokens = (pod.id, f"{daemon.token}/{pod.name}", str(pod.logs))  # others have pods of that name, too
    return tokens


def test_pods_leave_nothing(cri_daemon, handler):
    one_pod(cri_daemon, handler, 0)  # what is made once and kept is there now
    before = leaks.Snapshot(cri_daemon.tokens(), pids=[cri_daemon.daemon.pid])
    links = cri_daemon.net.inside(socket.if_nameindex)
    for number in range(1, CYCLES + 1):
        tokens = one_pod(cri_daemon, handler, number)
        left = leaks.wait_gone(tokens)
        assert not left, f"after pod {number}:\n" + "\n".join(left)
    left = leaks.wait_clean(cri_daemon.tokens(), before, pids=[cri_daemon.daemon.pid])
    assert not left, "\n".join(left)
    assert cri_daemon.net.inside(socket.if_nameindex) == links
