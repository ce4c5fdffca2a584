"""Commands with a time limit, and background processes that never outlive the tests."""
import ctypes
import dataclasses
import os
import signal
import subprocess
import threading
import time


def _patience():
    """How many times slower than a quiet machine this one is just now (1 to 8).

    Emulated guests share the processors with whatever else runs; every time limit of the tests
    is meant for a quiet machine and multiplied by this. KATA_PATIENCE sets it by hand.
    """
    if "KATA_PATIENCE" in os.environ:
        return float(os.environ["KATA_PATIENCE"])
    began, busy = time.monotonic(), time.process_time()
    while time.process_time() - busy < 0.2:
        sum(range(1000))
    return min(8.0, max(1.0, (time.monotonic() - began) / 0.2))


PATIENCE = _patience()


@dataclasses.dataclass
class Result:
    """How a command ended; `code` is None when the time limit ended it.

    `seconds` is what a quiet machine would have taken: wall time divided by PATIENCE.
    """
    argv: list
    code: int
    out: str
    err: str
    seconds: float

    def ok(self):
        assert self.code == 0, self.describe()
        return self

    def describe(self):
        return (f"{' '.join(map(str, self.argv))}\n"
                f"exit {self.code} after {self.seconds:.1f} s\n"
                f"--- stdout\n{self.out}\n--- stderr\n{self.err}")


def _follow_parent():
    """The child gets SIGKILL when the test process dies, however it dies."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def run(argv, timeout=60, stdin=None, env=None, cwd=None, text=True):
    """Runs a command to its end. `stdin` is text (or bytes) to feed; nothing means /dev/null."""
    began = time.monotonic()
    source = subprocess.PIPE if stdin is not None else subprocess.DEVNULL
    process = subprocess.Popen([str(a) for a in argv], stdin=source, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=env, cwd=cwd, start_new_session=True,
                               text=text, errors="replace" if text else None)
    try:
        out, err = process.communicate(stdin, timeout=timeout * PATIENCE)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate(timeout=10)
        code = None
    return Result(list(argv), code, out, err, (time.monotonic() - began) / PATIENCE)


class Background:
    """A process that runs beside the test; close() ends it (SIGTERM, then SIGKILL)."""

    def __init__(self, argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                 stderr=subprocess.PIPE, env=None, cwd=None):
        self.argv = [str(a) for a in argv]
        self.process = subprocess.Popen(self.argv, stdin=stdin, stdout=stdout, stderr=stderr,
                                        env=env, cwd=cwd, start_new_session=True,
                                        preexec_fn=_follow_parent)
        self.pid = self.process.pid
        self._text = {"out": bytearray(), "err": bytearray()}
        self._threads = []
        for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr)):
            if pipe is not None:
                thread = threading.Thread(target=self._drain, args=(name, pipe), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _drain(self, name, pipe):
        while chunk := os.read(pipe.fileno(), 65536):
            self._text[name] += chunk

    @property
    def out(self):
        return self._text["out"].decode(errors="replace")

    @property
    def err(self):
        return self._text["err"].decode(errors="replace")

    def wait_for(self, needle, timeout=60, stream="out"):
        """Waits until the text stands in the stream."""
        wait_until(lambda: needle in getattr(self, stream) or self.process.poll() is not None,
                   timeout, f"{needle!r} in {stream} of {self.argv[0]}")
        assert needle in getattr(self, stream), f"no {needle!r}; out={self.out!r} err={self.err!r}"

    def write(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.process.stdin.flush()

    def wait(self, timeout=60):
        """The exit status; the streams are complete afterwards."""
        code = self.process.wait(timeout * PATIENCE)
        for thread in self._threads:
            thread.join(timeout)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        for thread in self._threads:
            thread.join(5)


def wait_until(predicate, timeout, what, interval=0.02):
    """Polls until the predicate holds and returns its value; AssertionError when time is up."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(interval)
