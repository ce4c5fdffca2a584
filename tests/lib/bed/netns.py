"""A network namespace of the tests' own: addresses, bridges and rules in it vanish with its last process."""
import ctypes
import os
import subprocess
import threading

_CLONE_NEWNET = 0x40000000


class Netns:
    """Held by a descriptor; needs no name on the host. lo is up."""

    def __init__(self):
        self._in_thread(self._make)
        subprocess.run(self.enter() + ["ip", "link", "set", "lo", "up"], check=True, pass_fds=[self.fd])

    def _make(self):
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    @staticmethod
    def _in_thread(function):
        """A thread may change its namespace without any harm to the others."""
        failure = []

        def body():
            try:
                function()
            except OSError as error:
                failure.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]

    def enter(self):
        """The words before a command that runs in here; pass self.fd to its process."""
        # Not `ip netns exec`: that puts a fresh /sys over the cgroups.
        return ["nsenter", f"--net=/proc/self/fd/{self.fd}", "--"]

    def inside(self, function):
        """Calls the function with this thread-wide namespace, for instance to make a socket here."""
        result = []

        def body():
            if ctypes.CDLL(None, use_errno=True).setns(self.fd, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            result.append(function())

        self._in_thread(body)
        return result[0]

    def close(self):
        os.close(self.fd)
