"""Who can be killed, and how: processes of the host by pid, those of the guest from its debug console."""
import os
import signal

from bed import guest_shell, leaks, run

HOST = {"vmm": "qemu-system", "virtiofsd": "virtiofsd", "shim": "containerd-shim-kata"}
ALL = (*HOST, "containerd", "agent", "init")

# The inits of the containers here are `sleep`, and nothing else is; a pod has its own.
KILL_INIT = "until pid=$(busybox pidof %s); do :; done; busybox kill -9 $pid\n"


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
    """Found with find(), which may wait until it is there; kill() is quick then. Ends with close().

    `init` is the program of the containers whose first processes are meant, all of them.
    """

    def __init__(self, containerd, id, name, init="sleep"):
        self.containerd, self.id, self.name, self.init, self.shell = containerd, id, name, init, None
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
            self.shell.wait_closed(30)  # else nothing was killed, and most cells would pass all the same
        else:
            self.shell.send(KILL_INIT % self.init)

    def close(self):
        if self.shell:
            self.shell.close()
