"""A private CRI-O in a network namespace of its own, with the handlers kata (the shim) and runc."""
import itertools
import json
import os
import pathlib
import shutil
import subprocess

from bed import cri, cri_config, crio_config, kata_config, leaks, run
from bed.cri_containerd import PAUSE
from bed.daemon_process import DaemonProcess
from bed.netns import Netns

HANDLERS = crio_config.installed.HANDLERS
PROGRAMS = ("crio", "pinns", "conmon", "runc", "skopeo")


class Missing(Exception):
    """A program that is not on this machine: CRI-O is no part of Debian, nothing fetches it."""


def programs():
    found = {name: shutil.which(name) for name in PROGRAMS}
    if absent := [name for name, path in found.items() if not path]:
        raise Missing(f"not in PATH: {', '.join(absent)}")
    return found


class Crio(DaemonProcess):
    """Owns the daemon and its work folder; offers what Pod needs of a daemon.

    Bridges and addresses of the pods are inside `net` and vanish with it.
    """

    version = "crio"
    waits_for_containers = True  # a pod's end gives them as long as the call may take, so a kubelet stops them first

    def __init__(self, work, archives):
        self.programs = programs()
        self.work, self.ids, self.daemon, self.cri = pathlib.Path(work), [], None, None
        self.socket = str(self.work / "c.sock")
        self.token = f"kt{os.getpid()}{self.work.name}"
        self.net = Netns()
        self._numbers = itertools.count(1)
        self.pods = self.work / "pods"
        self.pods.mkdir(parents=True)
        subprocess.run(["mount", "--bind", self.pods, self.pods], check=True)
        subprocess.run(["mount", "--make-rshared", self.pods], check=True)
        self._write_files()
        for archive in archives:
            self._import(archive)
        self.start()

    def _write_files(self):
        self.config, self.kata_config = self.work / "crio.conf", self.work / "kata.toml"
        kata_config.write(self.kata_config)
        words = {"work": self.work, "socket": self.socket, "token": self.token, "pause": PAUSE, **self.programs}
        for folder in ("cni", "hooks", "bin", "conf.d"):
            (self.work / folder).mkdir()
        (self.work / "cni" / "10-tests.conflist").write_text(cri_config.network(**words))
        (self.work / "policy.json").write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        (self.work / "storage.conf").write_text(crio_config.STORAGE.format(**words))
        (self.work / "bin" / "runc").write_text(crio_config.RUNC.format(**words))
        (self.work / "bin" / "runc").chmod(0o755)
        self.config.write_text(crio_config.TEXT.format(**words))
        (self.work / "conf.d" / "99-kata-containers.conf").write_text(crio_config.handlers(self.kata_config))

    def _import(self, archive):
        """Into CRI-O's own store, under the name that the archive carries."""
        listed = run.run(["tar", "-xOf", archive, "index.json"]).ok().out
        name = json.loads(listed)["manifests"][0]["annotations"]["io.containerd.image.name"]
        store = f"containers-storage:[overlay@{self.work}/root+{self.work}/state]{name}"
        run.run([self.programs["skopeo"], "--policy", self.work / "policy.json", "copy", f"oci-archive:{archive}", store],
                env=self.environment()).ok()

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TMPDIR": str(self.work),
                "CONTAINERS_STORAGE_CONF": str(self.work / "storage.conf")}

    # The daemon.

    def start(self):
        with open(self.work / "crio.log", "ab") as log:
            self.daemon = subprocess.Popen(
                self.net.enter() + [self.programs["crio"], "--config", self.config, "--config-dir", self.work / "conf.d"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(), cwd=self.work,
                start_new_session=True, pass_fds=(self.net.fd,))
        self.cri = cri.Client(self.socket)
        self.wait_ready()

    def wait_ready(self):
        run.wait_until(self._serves, 60, f"CRI-O answers, see {self.work}/crio.log", interval=0.1)

    def _serves(self):
        assert self.daemon.poll() is None, self.log()[-3000:]
        try:
            return self.cri.call("ListPodSandbox")
        except cri.CriError:
            return None

    def log(self):
        return (self.work / "crio.log").read_text(errors="replace")

    # Where things of a container lie.

    def bundle(self, id):
        return self.work / "state" / "overlay-containers" / id / "userdata"

    def tokens(self):
        return (str(self.work), self.token) + tuple(self.ids)

    def close(self):
        """Ends everything of this instance; returns what should not have been there any more."""
        try:
            for pod in self.cri.call("ListPodSandbox").items:
                self.cri.call("StopPodSandbox", pod_sandbox_id=pod.id)
                self.cri.call("RemovePodSandbox", pod_sandbox_id=pod.id)
        except cri.CriError as error:
            print(f"the pods of CRI-O stay, they are swept: {error}")
        self.cri.close()
        self.stop()
        for folder in (self.pods, self.work / "root" / "overlay", self.work / "root"):
            subprocess.run(["umount", "-q", folder], check=False)
        left = leaks.wait_gone(self.tokens())
        leaks.sweep(self.tokens())
        shutil.rmtree(self.work, ignore_errors=True)
        self.net.close()
        return left
