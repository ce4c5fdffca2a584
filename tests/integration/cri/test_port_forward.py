"""kubectl port-forward: containerd dials the pod's loopback on the node; the answer comes from the guest."""
import struct

import pytest

from bed import run
from bed.streams import Stream

DATA, ERROR = 0, 1  # channels of the only port; each begins with the port's number


@pytest.fixture(scope="module")
def server(pod):
    id = pod.run("server", "sh", "-c", "nc -ll -p 8080 -e cat")
    run.wait_until(lambda: pod.exec(id, "sh", "-c", "netstat -ltn | grep -q :8080").code == 0, 20, "the server listens")
    yield id
    pod.remove_container(id)


def forward(pod, port):
    return Stream(pod.daemon.net, pod.cri.call("PortForward", pod_sandbox_id=pod.id, port=[port]).url)


def test_there_and_back(pod, server):
    with forward(pod, 8080) as stream:
        stream.send(DATA, b"hello\n")
        assert stream.read_until(DATA, b"hello\n") == struct.pack("<H", 8080) + b"hello\n"
    with forward(pod, 8080) as stream:
        for _ in range(20):
            stream.send(DATA, b"x" * 30000)
        wanted = 2 + 20 * 30000
        assert len(stream.read_size(DATA, wanted)) == wanted


def test_several_at_once(pod, server):
    streams = [forward(pod, 8080) for _ in range(5)]
    for number, stream in enumerate(streams):
        stream.send(DATA, b"%d\n" % number)
    for number, stream in enumerate(streams):
        stream.read_until(DATA, b"%d\n" % number)
        stream.close()


def test_nobody_listens(pod):
    """The connection ends; others still work."""
    with forward(pod, 9) as stream:
        stream.send(DATA, b"hello\n")
        data = stream.read_to_end()
        assert b"hello" not in data.get(DATA, b"")
