"""The system log: identifier, keys and levels of what a sandbox says, the guest's words included."""
import os
import pathlib
import re
import socket
import threading

import pytest

from bed import containerd as cd
from bed import kata_config, run

PRIMARY_ONLY = True
DEVICE = pathlib.Path("/dev/log")

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc writes no log of this kind", allow_module_level=True)


@pytest.fixture(scope="module")
def system_log():
    """Lines that arrive at /dev/log, where a system log would listen."""
    if os.path.lexists(DEVICE):
        pytest.skip(f"{DEVICE} is a real system log's")
    lines, listener = [], socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(DEVICE))

    def read():
        while data := listener.recv(65536):
            lines.append(data.decode())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        DEVICE.unlink()
        listener.shutdown(socket.SHUT_RD)
        reader.join(10)
        listener.close()


def of(lines, id):
    return [line for line in list(lines) if f"sandbox={id}" in line]


@pytest.fixture
def started(containerd, work, system_log):
    """A function that runs a container with a configuration; gives the lines of its sandbox."""
    def start(name, changes):
        id = containerd.new_id()
        config = kata_config.write(work / f"log-{name}.toml", changes)
        containerd.run("true", id=id, flags=["--runtime-config-path", config]).ok()
        run.wait_until(lambda: [line for line in of(system_log, id) if "container started" in line], 20, "the lines")
        return of(system_log, id)
    return start


def test_identifier_and_keys(started):
    lines = started("plain", {})
    for line in lines:
        head = re.match(r"<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d kata\[\d+\]: time=\"[^\"]+Z\" level=(\w+) msg=", line)
        assert head, line
        # Facility daemon, and the severity of the level.
        severity = {"debug": 7, "info": 6, "warning": 4, "error": 3}[head[2]]
        assert int(head[1]) == 3 * 8 + severity, line
        for key in ("name=containerd-shim-v2", "pid=", "source=", "sandbox="):
            assert key in line, line
    assert not [line for line in lines if "level=debug" in line or "vmconsole=" in line or "source=agent" in line]


def test_the_agent_when_it_is_asked_to(started):
    lines = started("agent", {kata_config.AGENT: {"enable_debug": True}})
    agent = [line for line in lines if "source=agent" in line]
    assert [line for line in agent if "level=info" in line and "sandbox created" in line], lines
    assert [line for line in agent if "subsystem=agent" in line and "name=containerd-shim-v2" in line], agent
    assert not [line for line in lines if "vmconsole=" in line]


def test_the_console_when_it_is_asked_to(started):
    lines = started("console", {kata_config.QEMU: {"enable_debug": True}})
    console = [line for line in lines if "vmconsole=" in line]
    assert [line for line in console if "Linux version" in line or "Run /init" in line or "Freeing" in line], lines
    assert not [line for line in lines if "source=agent" in line]


def test_everything_with_debug_of_the_runtime(started):
    lines = started("all", {kata_config.RUNTIME: {"enable_debug": True}})
    assert [line for line in lines if "level=debug" in line and "source=containerd-kata-shim-v2" in line]
    assert [line for line in lines if "source=agent" in line]
