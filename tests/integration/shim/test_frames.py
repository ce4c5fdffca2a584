"""Hostile and broken ttrpc on the shim's socket: an answer or a closed connection, never a dead shim."""
import os
import random
import struct

import pytest

from bed import task, ttrpc, wire


@pytest.fixture
def raw(running):
    sock = ttrpc.connect(running.address)
    yield sock
    sock.close()
    with task.Task(running.address) as again:  # whatever was sent: the shim serves on
        assert again.status(running.id) == task.RUNNING


def answer(sock):
    """(stream, status code) of the next response."""
    stream, kind, _, payload = ttrpc.read_frame(sock)
    assert kind == ttrpc.RESPONSE
    return stream, wire.first(wire.decode(wire.first(wire.decode(payload), 1, b"")), 1, 0)


def state(running, stream):
    return ttrpc.frame(stream, ttrpc.request(task.V2, "State", wire.encode([(1, running.id)])))


def test_oversized_frame_is_refused_and_the_connection_lives(raw, running):
    size = (4 << 20) + 1
    raw.sendall(struct.pack(">IIBB", size, 1, ttrpc.REQUEST, 0))
    raw.sendall(b"\0" * size)
    assert answer(raw) == (1, ttrpc.RESOURCE_EXHAUSTED)
    raw.sendall(state(running, 3))
    assert answer(raw) == (3, ttrpc.OK)


def test_garbage_payload(raw):
    raw.sendall(ttrpc.frame(1, b"\xff" * 40))
    stream, code = answer(raw)
    assert stream == 1 and code in (ttrpc.INVALID_ARGUMENT, ttrpc.INTERNAL)


def test_garbage_message(raw):
    raw.sendall(ttrpc.frame(1, ttrpc.request(task.V2, "Create", b"\xff" * 40)))
    stream, code = answer(raw)
    assert stream == 1 and code in (ttrpc.INVALID_ARGUMENT, ttrpc.INTERNAL)


@pytest.mark.parametrize("stream", [2, 0])
def test_even_stream(raw, running, stream):
    raw.sendall(state(running, stream))
    assert answer(raw) == (stream, ttrpc.INVALID_ARGUMENT)
    raw.sendall(state(running, 5))
    assert answer(raw) == (5, ttrpc.OK)


def test_stream_used_before(raw, running):
    raw.sendall(state(running, 7))
    assert answer(raw) == (7, ttrpc.OK)
    raw.sendall(state(running, 5))
    assert answer(raw) == (5, ttrpc.INVALID_ARGUMENT)


def test_unknown_frame_type_is_ignored(raw, running):
    raw.sendall(ttrpc.frame(1, b"x", kind=9) + state(running, 3))
    assert answer(raw) == (3, ttrpc.OK)


def test_data_for_an_unknown_stream(raw, running):
    raw.sendall(ttrpc.frame(1, b"x", kind=ttrpc.DATA))
    assert answer(raw) == (1, ttrpc.INVALID_ARGUMENT)


def test_truncated_header_and_body(raw, running):
    raw.sendall(state(running, 1)[:7])
    raw.close()
    second = ttrpc.connect(running.address)
    second.sendall(state(running, 1)[:-3])
    second.close()


def test_byte_by_byte(raw, running):
    for byte in state(running, 1):
        raw.sendall(bytes([byte]))
    assert answer(raw) == (1, ttrpc.OK)


def test_unknown_fields_are_skipped(raw, running):
    extra = wire.encode([(1, running.id), (900, "later"), (901, 7)])
    raw.sendall(ttrpc.frame(1, ttrpc.request(task.V2, "State", extra) + wire.encode([(77, b"x")])))
    assert answer(raw) == (1, ttrpc.OK)


def test_many_connections(running):
    before = len(os.listdir(f"/proc/{shim_pid(running)}/fd"))
    for _ in range(200):
        ttrpc.connect(running.address).close()
    with task.Task(running.address) as again:
        assert again.status(running.id) == task.RUNNING
    assert len(os.listdir(f"/proc/{shim_pid(running)}/fd")) <= before + 5


def shim_pid(running):
    return wire.first(running.task.call("Connect", id=running.id), 1)


def test_random_frames(running):
    """Frames mutated from a valid one, from a fixed seed."""
    dice = random.Random(1)
    valid = state(running, 1)
    for _ in range(300):
        data = bytearray(valid)
        for _ in range(dice.randint(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        data[0:2] = b"\0\0"  # an announced length that fits, or the shim rightly waits for 16 MiB
        sock = ttrpc.connect(running.address)
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        sock.close()
    with task.Task(running.address) as again:
        assert again.status(running.id) == task.RUNNING
