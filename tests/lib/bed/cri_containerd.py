"""A private containerd with its CRI plugin, in a network namespace of its own."""
import os
import pathlib
import signal
import subprocess

from bed import cri, cri_config, image, places, run
from bed.containerd import Containerd
from bed.netns import Netns

PAUSE = "local.test/pause:1"


def make_pause_archive(folder):
    """The image of a pod's first process: one static program."""
    root = pathlib.Path(folder) / "pause-rootfs"
    root.mkdir(parents=True)
    source = pathlib.Path(__file__).with_name("pause.c")
    subprocess.run(["gcc", "-static", "-Os", "-s", "-o", root / "pause", source], check=True)
    return image.make_oci_archive(root.parent / "pause.tar", PAUSE, [root], command=["/pause"])


def _mount(*words):
    subprocess.run(["mount", *words], check=True)


class CriContainerd(Containerd):
    """Handlers: kata, kata-qemu (a link of another name and a ConfigPath), kata-features (by path, under the
    type whose features containerd asks for) and runc.

    Bridges and addresses of the pods are inside `net` and vanish with it.
    """

    kind = "p"
    waits_for_containers = False  # at the end of a pod they get SIGKILL at once

    def __init__(self, version, work, archives):
        self.net, self.ids = Netns(), []
        # Volumes are mounted in here while shims live in mount namespaces of their own.
        self.pods = pathlib.Path(work) / "pods"
        self.pods.mkdir(parents=True)
        _mount("--bind", self.pods, self.pods)
        _mount("--make-rshared", self.pods)
        super().__init__(version, work, archives)
        self.cri = cri.Client(self.socket)
        # The plugin hears of imported images by events.
        run.wait_until(lambda: self.ctr("image", "ls").out.count("io.cri-containerd.image") >= len(archives),
                       30, "the CRI plugin knows the images", interval=0.1)

    def config_text(self):
        self.namespace = "k8s.io"  # what the CRI plugin uses
        links = self.work / "bin"
        links.mkdir()
        os.symlink(places.shim(), links / "containerd-shim-kata-qemu-v2")
        words = {"work": self.work, "socket": self.socket, "token": self.token, "pause": PAUSE,
                 "kata_config": self.kata_config, "shim": places.shim()}
        (self.work / "cni").mkdir()
        (self.work / "cni" / "10-tests.conflist").write_text(cri_config.network(**words))
        return cri_config.text(self.version, **words)

    def environment(self):
        own = super().environment()
        return own | {"PATH": f"{self.work}/bin:{own['PATH']}"}

    def argv(self):
        return self.net.enter() + super().argv()

    def inherited(self):
        return (self.net.fd,)

    def restart(self, how=signal.SIGKILL):
        super().restart(how)
        self.wait_ready()

    def wait_ready(self):
        """The CRI plugin reads what there is before it answers."""
        run.wait_until(self._serves, 60, "the CRI plugin answers", interval=0.1)

    def _serves(self):
        try:
            return self.cri.call("ListPodSandbox")
        except cri.CriError:
            return None

    def tokens(self):
        return super().tokens() + tuple(self.ids)

    def close(self):
        for pod in self.cri.call("ListPodSandbox").items:
            self.cri.call("StopPodSandbox", pod_sandbox_id=pod.id)
            self.cri.call("RemovePodSandbox", pod_sandbox_id=pod.id)
        self.cri.close()
        subprocess.run(["umount", self.pods], check=True)
        left = super().close()
        self.net.close()
        return left
