"""The agent of a running sandbox, asked through the hybrid vsock socket that its VM offers."""
import re
import socket

from bed import ttrpc, wire

AGENT_PORT = 1024
_SAMPLE = re.compile(r'^(\w+)(?:\{item="([^"]*)"\})? (\S+)$')


def connect(id):
    """A client of the agent; the address is upstream's: CONNECT on the sandbox's socket."""
    sock = ttrpc.connect(f"/run/vc/vm/{id}/vsock.sock")
    sock.sendall(b"CONNECT %d\n" % AGENT_PORT)
    answer = b""
    while not answer.endswith(b"\n"):
        byte = sock.recv(1)
        assert byte, "the agent's port was refused"
        answer += byte
    assert answer.startswith(b"OK "), answer
    return ttrpc.Client(sock)


def metrics(id):
    """{(family, item): value} of the agent's Prometheus text; item is "" where there is none."""
    client = connect(id)
    try:
        text = wire.text(client.call("grpc.AgentService", "GetMetrics"), 1)
    finally:
        client.close()
    samples = (_SAMPLE.match(line) for line in text.splitlines())
    return {(m[1], m[2] or ""): float(m[3]) for m in samples if m}
