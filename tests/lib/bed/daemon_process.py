"""How the daemons of the tests end and come back."""
import signal
import subprocess


class DaemonProcess:
    """For a class that keeps its process as `daemon` and has start()."""

    def stop(self, how=signal.SIGTERM):
        """Ends the daemon only; shims and containers live on, as they must."""
        if self.daemon.poll() is None:
            self.daemon.send_signal(how)
            try:
                self.daemon.wait(10)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait(10)

    def restart(self, how=signal.SIGKILL):
        self.stop(how)
        self.start()


def lifetime(daemon):
    """What a fixture yields from: the daemon, which has to leave nothing at its end."""
    yield daemon
    left = daemon.close()
    assert not left, "left behind at the end of the run:\n" + "\n".join(left)
