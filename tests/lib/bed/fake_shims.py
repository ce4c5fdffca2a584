"""Shims that are sockets and nothing else: for the monitor, which sees no difference."""
import pathlib
import selectors
import socket
import threading


def figures(samples=1300):
    """Text about as large as that of a real sandbox."""
    lines = []
    for family in range(samples // 26):
        name = f"kata_guest_made_up_family_{family:03}"
        lines += [f"# HELP {name} Made up.", f"# TYPE {name} gauge"]
        lines += [f'{name}{{item="something_{item:02}_counted"}} {family * 1000003 + item}' for item in range(26)]
    return "\n".join(lines) + "\n"


class FakeShims:
    """Owns the sockets below `folder`; one thread answers them all. close() ends it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._selector = selectors.DefaultSelector()
        self._wake, self._end = socket.socketpair()
        self._selector.register(self._end, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def add(self, id, text=None, pod=None):
        """A shim that answers with the text; None: it takes the request and says nothing."""
        state = self.folder / id
        state.mkdir()
        if pod:
            (state / "pod.json").write_text(pod)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(state / "shim-monitor.sock"))
        listener.listen(16)
        listener.setblocking(False)
        body = None if text is None else text.encode()
        self._selector.register(listener, selectors.EVENT_READ, (listener, body))

    def add_dead(self, count):
        """Folders whose shim is gone: every second one with a socket that nobody listens on."""
        for number in range(count):
            state = self.folder / f"dead-{number:05}"
            state.mkdir()
            if number % 2:
                with socket.socket(socket.AF_UNIX) as dead:
                    dead.bind(str(state / "shim-monitor.sock"))

    def _serve(self):
        silent = []
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._end:
                    return
                listener, body = key.data
                peer, _ = listener.accept()
                if body is None:
                    silent.append(peer)
                    continue
                with peer:
                    peer.settimeout(5)
                    peer.recv(4096)
                    peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def close(self):
        self._wake.send(b"x")
        self._thread.join(10)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._wake.close()
