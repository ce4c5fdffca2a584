"""kubectl exec and attach: streams through containerd's streaming server."""
from bed import run
from bed.streams import STDERR, STDIN, STDOUT, Stream


def open_exec(pod, id, *command, **flags):
    url = pod.cri.call("Exec", container_id=id, cmd=list(command), **flags).url
    return Stream(pod.daemon.net, url)


def test_exec(pod):
    id = pod.run("streams", "sleep", "1000")
    with open_exec(pod, id, "sh", "-c", "echo out; echo err >&2; exit 4", stdout=True, stderr=True) as stream:
        status = stream.status()
        assert stream.data[STDOUT] == b"out\n" and stream.data[STDERR] == b"err\n"
        assert status["details"]["causes"][0]["message"] == "4", status
    with open_exec(pod, id, "cat", stdin=True, stdout=True) as stream:
        stream.send(STDIN, b"there and back\n")
        assert stream.read_until(STDOUT, b"back\n") == b"there and back\n"
    pod.remove_container(id)


def test_exec_in_a_terminal(pod):
    id = pod.run("terminal", "sleep", "1000")
    with open_exec(pod, id, "sh", tty=True, stdin=True, stdout=True) as stream:
        stream.resize(101, 33)
        stream.send(STDIN, b"tty; while [ \"$(stty size)\" != '33 101' ]; do sleep 0.1; done; echo si''zed\n")
        stream.read_until(STDOUT, b"sized")
        assert b"/dev/pts/" in stream.data[STDOUT]
        stream.send(STDIN, b"exit\n")
        assert stream.status()["status"] == "Success"
    pod.remove_container(id)


def test_large_output(pod):
    id = pod.run("large", "sleep", "1000")
    with open_exec(pod, id, "sh", "-c", "seq 1 200000", stdout=True) as stream:
        data = stream.read_to_end()[STDOUT]
    assert data == b"".join(b"%d\n" % i for i in range(1, 200001))
    pod.remove_container(id)


def test_attach(pod):
    id = pod.run("attached", "sh", "-c", "while read line; do echo got $line; done", stdin=True)
    url = pod.cri.call("Attach", container_id=id, stdin=True, stdout=True, stderr=True).url
    with Stream(pod.daemon.net, url) as stream:
        stream.send(STDIN, b"one\n")
        stream.read_until(STDOUT, b"got one\n")
    # The client went away; the container lives, and the log has what it said.
    assert pod.state(id) == "CONTAINER_RUNNING"
    run.wait_until(lambda: pod.output("attached") == "got one\n", 20, "the line is in the log")
    pod.remove_container(id)
