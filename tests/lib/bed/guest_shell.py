"""A root shell in the guest, beside the containers: the agent's debug console.

The console needs an initrd that has a shell, which ours has not; add_shell() makes one that has.
"""
import pathlib
import shutil
import socket
import sys
import time

from bed import places, run

sys.path.insert(0, str(places.REPO / "guest" / "initrd"))
import cpio  # noqa: E402

PORT = 1026

# Zeros over the program text of PID 1. The kernel drops every signal to it, SIGKILL too, so this is
# how a guest loses its agent: a fault, then "Attempted to kill init!". The agent is /init of the
# initrd, or a copy of it in memory.
KILL_AGENT = """busybox awk '/r-xp.*(init|kata-agent)/ { split($1, a, "-"); print a[1], a[2]; exit }' /proc/1/maps | {
if read from to; then
from=$((0x$from / 4096)); to=$((0x$to / 4096))
busybox dd if=/dev/zero of=/proc/1/mem bs=4096 seek=$from count=$((to - from)) conv=notrunc
else echo PID 1 has no text; busybox cat /proc/1/maps; fi; }
"""


def add_shell(initrd, out):
    """Writes the initrd with a busybox behind it: the kernel unpacks one archive after the other."""
    archive, busybox = cpio.Archive(), pathlib.Path(shutil.which("busybox")).read_bytes()
    archive.directory("bin")
    archive.file("bin/busybox", busybox, mode=0o755)
    archive.file("bin/sh", busybox, mode=0o755)
    base = pathlib.Path(initrd).read_bytes()
    pathlib.Path(out).write_bytes(base + bytes(-len(base) % 512) + archive.to_bytes())
    return str(out)


class GuestShell:
    """One connection to the console of a sandbox; waits until the guest listens. Ends with close()."""

    def __init__(self, sandbox, timeout=60):
        self.path = f"/run/vc/vm/{sandbox}/vsock.sock"
        self.sock = run.wait_until(self._connect, timeout, f"the debug console of {sandbox}")

    def _connect(self):
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(5 * run.PATIENCE)
            sock.connect(self.path)
            sock.sendall(f"CONNECT {PORT}\n".encode())
            if sock.recv(32).startswith(b"OK"):
                return sock
        except OSError:
            pass
        sock.close()
        return None

    def send(self, script):
        self.sock.sendall(script.encode())

    def say(self, script, end=b"-end-"):
        """What the script prints; the end mark is not in the echo of what was typed."""
        self.send(script + "; echo -en''d-\n")
        said = b""
        while end not in said:
            data = self.sock.recv(4096)
            assert data, f"the console has gone: {said}"
            said += data
        return said.decode(errors="replace")

    def wait_closed(self, timeout):
        """Waits for the other end to go, as it does with the guest; what was said till then is in the error."""
        end, said = time.monotonic() + timeout * run.PATIENCE, b""
        while True:
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.sock.recv(4096)
            except TimeoutError:
                raise AssertionError(f"the guest behind {self.path} lives on:\n" + said.decode(errors="replace")) from None
            except OSError:
                return
            if not data:
                return
            said = (said + data)[-4000:]

    def close(self):
        self.sock.close()
