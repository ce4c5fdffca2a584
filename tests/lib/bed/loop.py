"""A disk of the host for tests: a loop device on a file of its own."""
import os
import pathlib
import subprocess

SIZE = 16 << 20


def _losetup(*arguments):
    return subprocess.run(["losetup", *arguments], check=True, capture_output=True, text=True).stdout.strip()


class Loop:
    """`path` is the device, `file` what is behind it. close() detaches it; the file stays the caller's."""

    def __init__(self, file, size=SIZE, flags=()):
        self.file = pathlib.Path(file)
        if not self.file.exists():
            with open(self.file, "wb") as made:
                made.truncate(size)
        self.path = _losetup("--find", "--show", *flags, str(self.file))
        number = os.stat(self.path).st_rdev
        self.major, self.minor = os.major(number), os.minor(number)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self, size, offset=0):
        """What is on the device, not what a cache of ours remembers."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            return os.pread(descriptor, size, offset)
        finally:
            os.close(descriptor)

    def write(self, data, offset=0):
        descriptor = os.open(self.path, os.O_WRONLY)
        try:
            os.pwrite(descriptor, data, offset)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def resize(self, size):
        os.truncate(self.file, size)
        _losetup("--set-capacity", self.path)

    def is_used(self):
        """Whether a process has it open: a VMM, when nobody else looks at it."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                opened = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
            except OSError:
                continue
            if self.path in opened:
                return True
        return False

    def close(self):
        if self.path:
            _losetup("--detach", self.path)
            self.path = None
