"""ttrpc by hand: framing, a concurrent client, and a small server for events.

Frame: length (4) stream (4) type (1) flags (1), big endian, then the payload.
"""
import os
import queue
import socket
import struct
import threading
import time

from bed import run, wire

REQUEST, RESPONSE, DATA = 1, 2, 3
OK, UNKNOWN, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS = 0, 2, 3, 5, 6
RESOURCE_EXHAUSTED, FAILED_PRECONDITION, UNIMPLEMENTED, INTERNAL = 8, 9, 12, 13
MAX_PAYLOAD = 4 << 20


class Closed(Exception):
    """The peer closed the connection."""


class CallError(Exception):
    """The peer answered a status other than OK."""

    def __init__(self, code, message):
        super().__init__(f"status {code}: {message}")
        self.code, self.message = code, message


def frame(stream, payload, kind=REQUEST, flags=0):
    return struct.pack(">IIBB", len(payload), stream, kind, flags) + payload


def _read_exactly(sock, size):
    data = bytearray()
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            raise Closed()
        data += chunk
    return bytes(data)


def read_frame(sock):
    """(stream, type, flags, payload); raises Closed at the end of the connection."""
    size, stream, kind, flags = struct.unpack(">IIBB", _read_exactly(sock, 10))
    return stream, kind, flags, _read_exactly(sock, size)


def request(service, method, payload=b"", timeout_ns=0, metadata=None):
    fields = [(1, service), (2, method), (3, payload)]
    if timeout_ns:
        fields.append((4, timeout_ns))
    for key, value in (metadata or {}).items():
        fields.append((5, [(1, key), (2, value)]))
    return wire.encode(fields)


def connect(address, timeout=10):
    """A raw connected socket; `address` is a path or unix:// and a path."""
    path = str(address).removeprefix("unix://")
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)  # blocking: with a time limit a full backlog would be an error at once
    sock.settimeout(timeout * run.PATIENCE)
    return sock


class Client:
    """Any number of calls at once over one connection. A reader thread sorts the replies.

    `address` may also be a connected socket.
    """

    def __init__(self, address):
        self.sock = address if isinstance(address, socket.socket) else connect(address)
        self.sock.settimeout(None)
        self._lock = threading.Lock()
        self._next = 1
        self._waiting = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        try:
            while True:
                stream, kind, _, payload = read_frame(self.sock)
                box = self._waiting.pop(stream, None)
                if kind == RESPONSE and box is not None:
                    box.put(payload)
        except (Closed, OSError):
            with self._lock:
                waiting, self._waiting = self._waiting, None
            for box in waiting.values():
                box.put(Closed())

    def begin(self, service, method, payload=b"", **options):
        """Sends a request; the returned queue gets the reply (see finish)."""
        box = queue.Queue()
        with self._lock:
            if self._waiting is None:
                raise Closed()
            stream, self._next = self._next, self._next + 2
            self._waiting[stream] = box
            self.sock.sendall(frame(stream, request(service, method, payload, **options)))
        return box

    @staticmethod
    def finish(box, timeout=60):
        """The decoded fields of the reply's payload, or CallError, Closed, queue.Empty."""
        reply = box.get(timeout=timeout * run.PATIENCE)
        if isinstance(reply, Exception):
            raise reply
        fields = wire.decode(reply)
        status = wire.decode(wire.first(fields, 1, b""))
        if wire.first(status, 1, 0):
            raise CallError(wire.first(status, 1), wire.text(status, 2))
        return wire.decode(wire.first(fields, 2, b""))

    def call(self, service, method, payload=b"", timeout=60, **options):
        return self.finish(self.begin(service, method, payload, **options), timeout)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        self._reader.join(5)


class EventSink:
    """Plays containerd's event service on a unix socket and keeps what arrives.

    `events` holds (topic, event type, decoded event) in order of arrival, `times` when each came.
    """

    def __init__(self, path):
        self.path, self.events, self.times = str(path), [], []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(8)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer:
            try:
                while True:
                    stream, kind, _, payload = read_frame(peer)
                    if kind == REQUEST:
                        self._keep(payload)
                        peer.sendall(frame(stream, b"", RESPONSE))
            except (Closed, OSError):
                return

    def _keep(self, payload):
        envelope = wire.decode(wire.first(wire.decode(wire.first(wire.decode(payload), 3, b"")), 1, b""))
        event = wire.decode(wire.first(envelope, 4, b""))
        self.times.append(time.monotonic())
        self.events.append((wire.text(envelope, 3), wire.text(event, 1),
                            wire.decode(wire.first(event, 2, b""))))

    def reopen(self):
        """A new sink at the path of this closed one, which goes on with what this one has kept."""
        sink = EventSink(self.path)
        sink.events, sink.times = self.events, self.times
        return sink

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
