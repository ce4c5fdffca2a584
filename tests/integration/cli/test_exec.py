"""kata-runtime exec: a shell in the guest."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pytest

from bed import containerd as cd
from bed import guest_shell, kata_config, places, run

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest", allow_module_level=True)


@pytest.fixture(scope="module")
def guest(containerd, work):
    """The id of a sandbox with a debug console and a shell."""
    initrd = guest_shell.add_shell(places.guest_artefacts()["KATA_INITRD"], work / "exec-initrd")
    config = kata_config.write(work / "exec.toml", {
        kata_config.QEMU: {"initrd": initrd}, kata_config.AGENT: {"debug_console_enabled": True}})
    id = containerd.new_id()
    containerd.start_detached("tail", "-f", "/dev/null", id=id, flags=["--runtime-config-path", config])
    guest_shell.GuestShell(id).close()  # it listens now
    yield id
    containerd.remove(id)


def test_one_command(kata, guest):
    result = kata("exec", guest, "--", "/bin/sh", "-c", "echo \"it's $0\"; exit 7", "fine")
    assert (result.code, result.out) == (7, "it's fine\n"), result.describe()
    assert kata("exec", guest[:-1], "--", "busybox", "uname", "-r").ok().out.strip() != os.uname().release


def test_a_command_has_no_input(kata, guest):
    assert kata("exec", guest, "--", "busybox", "cat").ok().out == ""


def test_input_from_a_pipe(kata, guest):
    result = kata("exec", guest, stdin="echo mine-$((6*7))\nexit 5\n")
    assert result.code == 5 and "mine-42" in result.out, result.describe()
    assert "7770" not in result.out
    # End of input ends the shell.
    assert kata("exec", guest, stdin="").code == 0


class Terminal:
    """kata-runtime exec on a terminal of ours."""

    def __init__(self, guest, rows, columns):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            time.sleep(0.3)  # until the size is set
            os.execv(places.bin_dir() / "kata-runtime", ["kata-runtime", "exec", guest])
        self.resize(rows, columns)
        self.said = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds=0.2):
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                self.said += os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                pass
        return self.said

    def wait_for(self, text):
        run.wait_until(lambda: text in self.read(), 30, f"{text!r} on the terminal")

    def wait(self):
        """Exit status of the program; what it says meanwhile is read."""
        deadline = time.monotonic() + 30 * run.PATIENCE
        while time.monotonic() < deadline:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"kata-runtime exec did not end: {self.said!r}")


def test_a_terminal_its_size_and_the_exit_status(guest):
    terminal = Terminal(guest, 31, 97)
    terminal.wait_for("#")
    terminal.type("busybox stty size; echo e''nd\n")
    terminal.wait_for("end")
    assert "31 97" in terminal.said, terminal.said
    terminal.resize(40, 123)
    run.wait_until(lambda: terminal.type("busybox stty size\n") or "40 123" in terminal.read(), 20, "the new size", 0.5)
    terminal.type("exit 3\n")
    assert terminal.wait() == 3


def test_a_hanging_shell_can_be_left(guest):
    terminal = Terminal(guest, 31, 97)
    terminal.wait_for("#")
    terminal.type("trap '' INT; busybox sleep 600\n")
    terminal.type("\x03\x1d\x1d")
    terminal.read(0.5)
    assert os.waitpid(terminal.pid, os.WNOHANG)[0] == 0
    terminal.type("\x1d\x1d\x1d")
    terminal.wait_for("left the console")
    assert terminal.wait() == 255


def test_a_signal_gives_the_terminal_back(guest):
    terminal = Terminal(guest, 31, 97)
    terminal.wait_for("#")
    assert not termios.tcgetattr(terminal.fd)[3] & termios.ICANON
    os.kill(terminal.pid, signal.SIGTERM)
    run.wait_until(lambda: termios.tcgetattr(terminal.fd)[3] & termios.ICANON, 10, "the terminal as it was")
    assert terminal.wait() == 128 + signal.SIGTERM


def test_wrong_ids_and_ports(kata, guest):
    for words, needle in ((["no-such-sandbox"], "no sandbox"), (["../etc"], "not a sandbox id"),
                          ([guest, "-p", "4242"], "debug_console_enabled"), ([], "SANDBOX")):
        result = kata("exec", *words)
        assert result.code == 1 and needle in result.err, result.describe()


def test_why_slow_of_a_living_sandbox(kata, guest):
    out = kata("why-slow", guest).ok().out
    assert f"sandbox {guest}" in out and "total" in out and "accelerator: " in out
    assert "kernel" in out or "agent" in out
