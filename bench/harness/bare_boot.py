"""The same VM without our part: the argv of a running sandbox's QEMU with the probe as init."""
import copy
import os
import re
import select
import socket
import subprocess
import time

from bed import run

from harness import procfs

REACHED = b"kata-probe: init reached"
LIMIT = 60
_TAKES_NO_VALUE = {"-no-user-config", "-nodefaults", "-nographic", "--no-reboot"}
# Devices whose other end is the shim or the file-system daemon.
_OURS = ("vhost-user-", "vhost-vsock-", "virtio-9p-", "virtio-net-")


def options(argv):
    """[(option, value)]; value None for a switch."""
    words, found = iter(argv[1:]), []
    for word in words:
        found.append((word, None if word in _TAKES_NO_VALUE else next(words)))
    return found


def _field(value, key):
    match = re.search(rf"(?:^|,){key}=([^,]*)", value)
    return match[1] if match else None


class BareBoot:
    """Boots the probe with the machine, memory, CPU, accelerator and kernel line of a sandbox.

    Only what leads to the shim is left out: vsock, shared file system, network, pid file. The
    monitor and the console keep their devices; the console's far end is a socket of ours.
    """

    def __init__(self, vmm_pid, initrd):
        argv = procfs.command_line(vmm_pid)
        self.program, self.initrd = argv[0], initrd
        pairs = options(argv)
        gone = {_field(value, "chardev") for option, value in pairs
                if option == "-device" and value.startswith("vhost-user-")}
        self.pairs = [(o, v) for o, v in pairs if not self._is_ours(o, v, gone)]

    @staticmethod
    def _is_ours(option, value, gone):
        if option in ("-pidfile", "-netdev", "-fsdev"):
            return True
        if option == "-chardev":
            return _field(value, "id") in gone
        return option == "-device" and value.startswith(_OURS)

    def with_kernel(self, kernel, line=None):
        """The same VM with another kernel (and kernel line), and its console on the serial port:
        that is built into every kernel, while a distribution's virtio console is a module."""
        other = copy.copy(self)
        other.pairs = [(o, v) for o, v in self.pairs
                       if not (o == "-device" and v.startswith(("virtio-serial", "virtconsole")))]
        other.pairs.append(("-serial", "chardev:charconsole0"))
        for index, (option, value) in enumerate(other.pairs):
            if option == "-kernel":
                other.pairs[index] = (option, str(kernel))
            elif option == "-append":
                words = [word for word in (line or value).split() if not word.startswith("console=")]
                other.pairs[index] = (option, " ".join(["console=ttyS0", *words]))
        return other

    def _argv(self, sockets):
        """The command line with fresh descriptors; `sockets` takes {chardev id: (ours, theirs)}."""
        argv = [self.program]
        for option, value in self.pairs:
            if option == "-initrd":
                value = str(self.initrd)
            elif option == "-chardev" and _field(value, "fd"):
                pair = sockets[_field(value, "id")] = socket.socketpair()
                value = re.sub(r"(^|,)fd=\d+", rf"\g<1>fd={pair[1].fileno()}", value)
            argv += [option] if value is None else [option, value]
        return argv

    def seconds(self):
        """From the start of QEMU to the probe's first line."""
        return self._boot()[0]

    def cpu_seconds(self):
        """CPU time of QEMU until the probe's first line."""
        return self._boot()[1]

    def _boot(self):
        sockets = {}
        argv = self._argv(sockets)
        errors = []
        began = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, preexec_fn=run._follow_parent,
                                   pass_fds=[theirs.fileno() for _, theirs in sockets.values()])
        try:
            for _, theirs in sockets.values():
                theirs.close()
            seconds = self._await_line(sockets["charconsole0"][0], began, errors)
            return seconds, procfs.cpu_seconds(process.pid)
        finally:
            process.kill()
            text = process.communicate()[1].decode(errors="replace")
            for ours, _ in sockets.values():
                ours.close()
            if errors:
                raise AssertionError(f"bare boot: {errors[0]}\n{text[-2000:]}")

    @staticmethod
    def _await_line(console, began, errors):
        seen = b""
        while REACHED not in seen:
            left = began + LIMIT - time.monotonic()
            if left <= 0 or not select.select([console], [], [], left)[0]:
                errors.append(f"no sign of init after {LIMIT} s; console: {seen[-800:]!r}")
                return None
            try:
                chunk = os.read(console.fileno(), 65536)
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                errors.append(f"QEMU ended; console: {seen[-800:]!r}")
                return None
            seen += chunk
        return time.monotonic() - began
