"""The streaming half of CRI (exec, attach, port-forward) over a small WebSocket client (RFC 6455)."""
import base64
import json
import os
import socket
import struct
import urllib.parse

from bed import run

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)  # channels of v4.channel.k8s.io
_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10


class Stream:
    """A connection to the address that Exec, Attach or PortForward answered with.

    `net` is the network namespace that containerd listens in. Channels are collected in `data`.
    """

    def __init__(self, net, url, protocol="v4.channel.k8s.io"):
        parts = urllib.parse.urlsplit(url)
        self.data, self._rest = {}, b""
        self.sock = net.inside(lambda: socket.create_connection((parts.hostname, parts.port)))
        self.sock.settimeout(60 * run.PATIENCE)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                          f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                          f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._receive()
        head, self._rest = head.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101"), head

    def _receive(self):
        chunk = self.sock.recv(65536)
        if not chunk:
            raise ConnectionError("the stream ended")
        return chunk

    def _take(self, size):
        while len(self._rest) < size:
            self._rest += self._receive()
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _read_frame(self):
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
        return first & 0x0F, self._take(size)

    def _send_frame(self, kind, payload):
        mask = os.urandom(4)
        size = len(payload)
        head = struct.pack(">BB", 0x80 | kind, 0x80 | size) if size < 126 else struct.pack(
            ">BBH", 0x80 | kind, 0x80 | 126, size)
        self.sock.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def send(self, channel, data):
        self._send_frame(_BINARY, bytes([channel]) + data)

    def resize(self, width, height):
        self.send(RESIZE, json.dumps({"Width": width, "Height": height}).encode())

    def read_until(self, channel, needle):
        """Reads until the channel has the bytes; returns all of it so far."""
        while needle not in self.data.get(channel, b""):
            if not self._read_message():
                break
        assert needle in self.data.get(channel, b""), f"no {needle!r}: {self.data}"
        return self.data[channel]

    def read_size(self, channel, size):
        """Reads until the channel has so many bytes, or the end."""
        while len(self.data.get(channel, b"")) < size and self._read_message():
            pass
        return self.data.get(channel, b"")

    def read_to_end(self):
        while self._read_message():
            pass
        return self.data

    def status(self):
        """What the server said of the command's end, as kubectl reads it."""
        self.read_to_end()
        return json.loads(self.data.get(ERROR, b"{}") or b"{}")

    def _read_message(self):
        try:
            kind, payload = self._read_frame()
        except ConnectionError:
            return False
        if kind == _CLOSE:
            return False
        if kind == _PING:
            self._send_frame(_PONG, payload)
        elif payload:
            self.data[payload[0]] = self.data.get(payload[0], b"") + payload[1:]
        return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
