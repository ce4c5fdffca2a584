"""A pod by the handler that the installer gave containerd, with the settings that it installed."""
import pytest

from bed import containerd as cd
from bed import cri_config, cri_containerd, newer_suite, run
from bed.installer import INSTALL
from bed.pod import Pod

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc is not installed by this", allow_module_level=True)


class Installed(cri_containerd.CriContainerd):
    """Its configuration has no handler of ours until the installer comes."""

    kind = "i"

    def __init__(self, version, work, archives, release):
        self.release = release
        super().__init__(version, work, archives)

    def installer(self, command, *words):
        return run.run([INSTALL, command, "--record", self.work / "record", "--containerd", self.bin / "containerd", *words])

    def config_text(self):
        super().config_text()
        plain = cri_config.OLD if self.version.startswith("1") else cri_config.NEW
        self.config.write_text(plain.format(work=self.work, socket=self.socket, pause=cri_containerd.PAUSE))
        self.installer("install", "--from", self.release, "--prefix", self.work / "kata", "--links", self.work / "local",
                       "--containerd-config", self.config).ok()
        return self.config.read_text()

    def environment(self):
        own = super().environment()
        return own | {"PATH": f"{self.work}/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


@pytest.fixture(params=cd.VERSIONS)
def daemon(request, work, images, release, tmp_path):
    try:
        made = Installed(request.param, work / f"i{request.param[0]}", [images[0][0], cri_containerd.make_pause_archive(tmp_path)],
                         release)
    except newer_suite.Unavailable as reason:
        pytest.skip(str(reason))
    yield made
    made.installer("uninstall", "--force").ok()
    left = made.close()
    assert not left, "left behind:\n" + "\n".join(left)


def test_a_pod_of_the_installed_handler(daemon):
    with Pod(daemon, "kata-qemu") as pod:
        id = pod.run("hello", "sleep", "1000")
        assert pod.sh(id, "echo from the guest") == "from the guest\n"
        assert "/kata/bin/containerd-shim-kata" in run.run(["readlink", *pod_shims(daemon)]).out
    daemon.installer("verify").ok()


def pod_shims(daemon):
    """/proc/<pid>/exe of the shims of this daemon."""
    found = run.run(["pgrep", "-f", f"containerd-shim-kata.*{daemon.socket}"]).ok().out.split()
    return [f"/proc/{pid}/exe" for pid in found]
