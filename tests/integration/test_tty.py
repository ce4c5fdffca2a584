"""A container and an exec with a terminal: it is one, it has the client's size, it echoes."""
import fcntl
import os
import pty
import re
import signal
import struct
import termios

from bed import run


class Terminal:
    """A command whose three streams are a new terminal; text() is what it showed so far."""

    def __init__(self, daemon, argv, rows=24, columns=80):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.shown = b""
        os.set_blocking(self.master, False)
        self.process = run.Background(daemon.ctr_argv(*argv), stdin=slave, stdout=slave, stderr=slave,
                                      env=daemon.environment())
        os.close(slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self):
        try:
            while chunk := os.read(self.master, 65536):
                self.shown += chunk
        except OSError:  # nothing there now, or the other side is closed
            pass
        return self.shown.decode(errors="replace")

    def expect(self, pattern, timeout=60):
        return run.wait_until(lambda: re.search(pattern, self.text(), re.DOTALL), timeout, f"{pattern} in {self.shown!r}")

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        self.process.close()
        os.close(self.master)


def size_script(rows, columns):
    """Shell text that waits until the terminal has the size: the client sets it after the start."""
    return f"until [ \"$(stty size)\" = '{rows} {columns}' ]; do sleep 0.1; done; echo size {rows} {columns}"


def test_container_on_a_terminal(containerd, clean):
    script = f"tty; {size_script(33, 101)}; read x; echo got $x; {size_script(20, 60)}; exit 7"
    argv = containerd.run_argv("sh", "-c", script, flags=["--rm", "--tty"])
    terminal = Terminal(containerd, argv, rows=33, columns=101)
    try:
        terminal.expect(r"/dev/(pts/\d+|console)\r+\n", 90)
        terminal.expect("size 33 101", 20)
        terminal.type("words\n")
        terminal.expect("words\r+\n.*got words", 20)  # the echo of the line discipline comes first
        terminal.resize(20, 60)
        terminal.process.process.send_signal(signal.SIGWINCH)
        terminal.expect("size 20 60", 20)
        assert terminal.process.wait(30) == 7
    finally:
        terminal.close()


def test_exec_on_a_terminal(containerd, container):
    id = container("sleep", "300")
    script = "test -t 0 && test -t 1 && test -t 2 && echo three; read x; echo got $x; exit 3"
    terminal = Terminal(containerd, ["task", "exec", "--tty", "--exec-id", "t1", id, "sh", "-c", script])
    try:
        terminal.expect("three\r+\n", 30)
        terminal.type("words\n")
        terminal.expect("got words", 20)
        assert terminal.process.wait(30) == 3
    finally:
        terminal.close()


def test_interrupt_key_becomes_a_signal(containerd):
    script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    terminal = Terminal(containerd, containerd.run_argv("sh", "-c", script, flags=["--rm", "--tty"]))
    try:
        terminal.expect("ready\r+\n", 90)
        terminal.type("\x03")
        terminal.expect("caught", 20)
        assert terminal.process.wait(30) == 9
    finally:
        terminal.close()
