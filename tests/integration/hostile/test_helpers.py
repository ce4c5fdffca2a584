"""The processes of a running pod are confined, as the kernel shows it, and strangers cannot talk to them."""
import ctypes
import os
import pathlib
import stat

import pytest

from bed import containerd as cd
from bed import confinement, ttrpc

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no helpers", allow_module_level=True)

NOBODY = 65534


def as_nobody(action, with_roots_files=False):
    """The exception of the action in a process of another user, or nothing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresuid(0 if with_roots_files else NOBODY, NOBODY, 0 if with_roots_files else NOBODY)
        if with_roots_files:
            ctypes.CDLL(None).setfsuid(0)
        try:
            action()
        except Exception as error:  # noqa: BLE001
            os.write(writer, type(error).__name__.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        return pipe.read()


def test_helpers_are_confined(containerd, container):
    """CVE-2026-47243: virtiofsd without its sandbox. Nothing must be able to bring that back."""
    id = container("sleep", "1000")
    confinement.check_helpers(id)


def test_sockets_are_private(containerd, container):
    """CVE-2020-15257: whoever reaches the shim's socket is root on the host."""
    id = container("sleep", "1000")
    folder = pathlib.Path(f"/run/vc/vm/{id}")
    sockets = [path for path in folder.iterdir() if path.is_socket()]
    sockets.append(pathlib.Path(containerd.shim_socket(id)))
    assert len(sockets) > 1
    for path in sockets:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = pathlib.Path("/proc/net/unix").read_text().splitlines()
    assert not [line for line in names if "@" in line and id in line], "an abstract socket"


def test_another_user_is_not_served(containerd, container):
    """Not even one who reaches the file: the modes are the first line, the peer's identity the second."""
    path = containerd.shim_socket(container("sleep", "1000"))

    def call():
        ttrpc.Client(path).call("containerd.task.v2.Task", "Connect")

    assert as_nobody(call) == "PermissionError"
    assert as_nobody(call, with_roots_files=True) in ("Closed", "BrokenPipeError", "ConnectionResetError")
