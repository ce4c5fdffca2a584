"""Who can be killed, and how: processes of the host by pid, those of the guest from its debug console."""
import os
import signal

from bed import guest_shell, leaks, run

HOST = {"vmm": "qemu-system", "virtiofsd": "virtiofsd", "shim": "containerd-shim-kata"}
ALL = (*HOST, "containerd", "agent", "init")

# The init of every container here is `sleep`, and nothing else is.
KILL_INIT = "until pid=$(busybox pidof sleep); do :; done; busybox kill -9 $pid\n"


def pids(containerd, id, name):
    """Pids of the pod's processes of that kind; a shim's helper verbs do not count."""
    found = leaks.processes((id,))
    return [pid for pid, line in found.items()
            if HOST[name] in line.split(" ")[0] and not line.endswith((" start", " delete"))]


def _kill_each(numbers):
    for pid in numbers:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Victim:
    """Found with find(), which may wait until it is there; kill() is quick then. Ends with close()."""

    def __init__(self, containerd, id, name):
        self.containerd, self.id, self.name, self.shell = containerd, id, name, None
        self.pids = []

    def find(self):
        if self.name in HOST:
            self.pids = run.wait_until(lambda: pids(self.containerd, self.id, self.name), 20,
                                       f"{self.name} of {self.id} runs", interval=0.002)
        elif self.name != "containerd":
            self.shell = guest_shell.GuestShell(self.id)
        return self

    def kill(self):
        if self.name in HOST:
            _kill_each(self.pids)
        elif self.name == "containerd":
            self.containerd.restart(signal.SIGKILL)
        elif self.name == "agent":
            self.shell.send(guest_shell.KILL_AGENT)
            self.shell.wait_closed(10)  # else nothing was killed, and most cells would pass all the same
        else:
            self.shell.send(KILL_INIT)

    def close(self):
        if self.shell:
            self.shell.close()
