"""Fifos the way a client makes them: read ends are opened before the shim is told."""
import os

from bed import run


class Output:
    """A fifo that collects what is written to it."""

    def __init__(self, path):
        self.path = str(path)
        os.mkfifo(self.path)
        self.handle = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.data, self.ended = b"", False

    def read(self):
        try:
            while True:
                chunk = os.read(self.handle, 65536)
                if not chunk:  # no writer: the end, if there ever was one
                    self.ended = bool(self.data)
                    return self.data
                self.data += chunk
        except BlockingIOError:
            return self.data

    def expect(self, data, timeout=30):
        run.wait_until(lambda: data in self.read(), timeout, f"{data!r} in {self.path}")

    def wait_end(self, timeout=30):
        run.wait_until(lambda: self.read() is not None and self.ended, timeout, f"the end of {self.path}")
        return self.data

    def close(self):
        os.close(self.handle)


class Input:
    """A fifo whose write end opens as soon as there is a reader."""

    def __init__(self, path):
        self.path = str(path)
        os.mkfifo(self.path)
        self.handle = None

    def open(self, timeout=30):
        def attempt():
            try:
                self.handle = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return False
            return True

        run.wait_until(attempt, timeout, f"a reader of {self.path}")

    def write(self, data):
        os.write(self.handle, data)

    def close(self):
        if self.handle is not None:
            os.close(self.handle)
