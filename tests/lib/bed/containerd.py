"""A private containerd with its own root, state and socket, and the ctr command against it."""
import hashlib
import itertools
import os
import pathlib
import shutil
import signal
import subprocess

from bed import containerd_config, image, kata_config, leaks, newer_suite, places, run
from bed.daemon_process import DaemonProcess

VERSIONS = ("1.6", "2.x")
RUNC = "io.containerd.runc.v2"


def kata_runtime():
    """What the tests call the kata runtime; KATA_TEST_RUNTIME=io.containerd.runc.v2 proves the harness."""
    return os.environ.get("KATA_TEST_RUNTIME", "io.containerd.kata.v2")


def binaries(version):
    """The folder of a version's containerd and ctr; 2.x is fetched when it is not in the cache."""
    if version.startswith("1"):
        return pathlib.Path(shutil.which("containerd")).parent
    return newer_suite.unpacked("containerd2.sh")


def _default_signals():
    """A shell without job control starts us with these ignored, and containers would inherit it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


class Containerd(DaemonProcess):
    """Owns one daemon and its work folder. Not thread-safe except for ctr().

    `token` stands in every id, socket name and cgroup path of this instance: what carries it is
    ours, and close() ends or removes it.
    """

    kind = "v"

    def __init__(self, version, work, archives):
        self.version, self.work = version, pathlib.Path(work)
        self.socket = str(self.work / "c.sock")
        self.token = f"kt{os.getpid()}{self.kind}{version[0]}"
        self.namespace = self.token
        self.bin = binaries(version)
        self.daemon = None
        self._numbers = itertools.count(1)
        self.work.mkdir(parents=True, exist_ok=True)
        self.config = self.work / "config.toml"
        self.kata_config = self.work / "kata.toml"
        if kata_runtime() != RUNC:
            kata_config.write(self.kata_config)
        self.config.write_text(self.config_text())
        self.start()
        for archive in archives:
            self.ctr("image", "import", archive).ok()

    def environment(self):
        path = [str(places.bin_dir()), str(self.bin), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return {"PATH": ":".join(path), "KATA_CONF_FILE": str(self.kata_config), "HOME": "/root"}

    # The daemon.

    def config_text(self):
        return containerd_config.text(self.version, self.work, self.socket)

    def argv(self):
        return [self.bin / "containerd", "-c", self.config]

    def inherited(self):
        """Descriptors that the daemon's command line needs."""
        return ()

    def start(self):
        log = open(self.work / "containerd.log", "ab")
        with log:
            # Not tied to this process: shims inherit nothing of it, and close() ends it by pid.
            self.daemon = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(),
                cwd=self.work, start_new_session=True, preexec_fn=_default_signals,
                pass_fds=self.inherited())
        run.wait_until(self._answers, 30, f"containerd {self.version} answers, see {self.work}/containerd.log",
                       interval=0.1)

    def _answers(self):
        assert self.daemon.poll() is None, self.log()[-3000:]
        return os.path.exists(self.socket) and self.ctr("version", timeout=5).code == 0

    def log(self):
        return (self.work / "containerd.log").read_text(errors="replace")

    # Containers.

    def new_id(self, label="c"):
        return f"{self.token}-{label}{next(self._numbers)}"

    def ctr_argv(self, *arguments):
        return [self.bin / "ctr", "-a", self.socket, "-n", self.namespace, *arguments]

    def ctr(self, *arguments, timeout=60, stdin=None, text=True):
        return run.run(self.ctr_argv(*arguments), timeout, stdin, self.environment(), text=text)

    def ctr_background(self, *arguments, **streams):
        return run.Background(self.ctr_argv(*arguments), env=self.environment(), **streams)

    def run_argv(self, *command, runtime=None, flags=(), ref=image.BUSYBOX, id=None):
        return ["run", "--runtime", runtime or kata_runtime(), *flags, ref, id or self.new_id(), *command]

    def run(self, *command, runtime=None, flags=(), ref=image.BUSYBOX, id=None, timeout=90, stdin=None):
        """`ctr run --rm` to its end."""
        argv = self.run_argv(*command, runtime=runtime, flags=["--rm", *flags], ref=ref, id=id)
        return self.ctr(*argv, timeout=timeout, stdin=stdin)

    def run_spec(self, spec, runtime=None, id=None, flags=(), timeout=90, stdin=None):
        """`ctr run --rm --config`: the container is exactly the given OCI configuration file."""
        return self.ctr("run", "--rm", "--runtime", runtime or kata_runtime(), *flags, "--config", spec,
                        id or self.new_id(), timeout=timeout, stdin=stdin)

    def start_detached(self, *command, id=None, **options):
        """A running container; returns its id. Remove it with remove()."""
        id = id or self.new_id()
        flags = ["--detach", *options.pop("flags", ())]
        self.ctr(*self.run_argv(*command, id=id, flags=flags, **options), timeout=90).ok()
        return id

    def exec(self, id, *command, flags=(), timeout=30, stdin=None, exec_id=None):
        exec_id = exec_id or f"e{next(self._numbers)}"
        return self.ctr("task", "exec", "--exec-id", exec_id, *flags, id, *command,
                        timeout=timeout, stdin=stdin)

    def task_status(self, id):
        """RUNNING, STOPPED, PAUSED ..., or None when there is no such task."""
        for line in self.ctr("task", "ls").ok().out.splitlines()[1:]:
            columns = line.split()
            if columns and columns[0] == id:
                return columns[2]
        return None

    def wait_status(self, id, status, timeout=30):
        run.wait_until(lambda: self.task_status(id) == status, timeout, f"{id} is {status}")

    def remove(self, id):
        """Kills and deletes the task and the container, whatever their state."""
        if self.task_status(id) is not None:
            self.ctr("task", "kill", "--all", "--signal", "SIGKILL", id)
            self.ctr("task", "rm", "--force", id)
        self.ctr("container", "rm", id)

    # Where things of a container lie.

    def bundle(self, id):
        return self.work / "state" / "io.containerd.runtime.v2.task" / self.namespace / id

    def shim_socket(self, id):
        """shim-v2: the name is the SHA-256 of address/namespace/id."""
        name = hashlib.sha256(f"{self.socket}/{self.namespace}/{id}".encode()).hexdigest()
        return f"/run/containerd/s/{name}"

    def tokens(self):
        return (str(self.work), self.token)

    # The end.

    def close(self):
        """Ends everything of this instance; returns what should not have been there any more."""
        for line in self.ctr("container", "ls", "-q").out.split():
            self.remove(line)
        self.stop()
        left = leaks.wait_gone(self.tokens())
        leaks.sweep(self.tokens())
        shutil.rmtree(self.work, ignore_errors=True)
        return left
