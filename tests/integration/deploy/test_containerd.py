"""containerd's configuration: kept, merged or refused, never broken; judged by containerd itself."""
import os
import tomllib

import pytest

from bed import containerd as cd
from bed import newer_suite, run
from bed.installer import INSTALL, picture

OLD_CRI, NEW_CRI = "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime"
HAND_EDITED = {
    "1.6": 'version = 2\n\n[plugins."io.containerd.grpc.v1.cri"] # ours\n  sandbox_image = "local/pause:9"\n'
           '  [plugins."io.containerd.grpc.v1.cri".cni]\n    bin_dir = "/usr/lib/cni"',
    "2.x": "version = 3\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\n  sandbox = \"local/pause:9\"\n"
           "[plugins.'io.containerd.cri.v1.runtime']\n  disable_apparmor = true\n",
}


class Daemon:
    """A containerd program, and the installer on a configuration of its own below a folder."""

    def __init__(self, version, folder, source):
        self.version, self.folder, self.program = version, folder, cd.binaries(version) / "containerd"
        self.config, self.source = folder / "etc" / "config.toml", source
        self.config.parent.mkdir(parents=True)

    def __call__(self, command, *words, env=None):
        argv = [INSTALL, command, "--containerd", self.program, "--record", f"{self.folder}/record"]
        if command == "install":
            argv += ["--from", self.source, "--prefix", f"{self.folder}/kata", "--links", f"{self.folder}/local",
                     "--containerd-config", self.config]
        elif command == "uninstall":
            argv += ["--force"]  # sandboxes of other tests may be running
        return run.run([*argv, *words], timeout=60, env=env)

    def dump(self):
        return tomllib.loads(run.run([self.program, "-c", self.config, "config", "dump"]).ok().out)

    def runtimes(self):
        return self.dump()["plugins"][OLD_CRI if self.version == "1.6" else NEW_CRI]["containerd"]["runtimes"]


@pytest.fixture(params=cd.VERSIONS)
def daemon(request, tmp_path, small):
    try:
        return Daemon(request.param, tmp_path / "d", small)
    except newer_suite.Unavailable as reason:
        pytest.skip(str(reason))


def without_ours(document, daemon):
    runtimes = document["plugins"][OLD_CRI if daemon.version == "1.6" else NEW_CRI]["containerd"]["runtimes"]
    for name in ("kata", "kata-qemu", "runc"):
        runtimes.pop(name, None)
    document.pop("imports", None)
    return document


def test_a_hand_edited_file_keeps_what_it_says(daemon):
    daemon.config.write_text(HAND_EDITED[daemon.version])
    daemon.config.chmod(0o600)
    before, pictured = daemon.dump(), picture(daemon.folder)
    daemon("install").ok()
    runtimes = daemon.runtimes()
    assert runtimes["kata"]["runtime_type"] == "io.containerd.kata.v2"
    assert runtimes["kata-qemu"]["options"]["ConfigPath"].endswith("/configuration-qemu.toml")
    assert runtimes["kata"]["privileged_without_host_devices"] is True
    assert runtimes["runc"]["runtime_type"] == "io.containerd.runc.v2"  # 1.x forgets its default beside others
    assert without_ours(daemon.dump(), daemon) == without_ours(before, daemon)
    assert daemon.config.stat().st_mode & 0o777 == 0o600
    daemon("install").ok()
    daemon("verify").ok()
    daemon("uninstall").ok()
    assert picture(daemon.folder) == pictured


def test_a_missing_file_is_made(daemon):
    pictured = picture(daemon.folder)
    daemon("install").ok()
    assert {"kata", "kata-qemu", "runc"} <= set(daemon.runtimes())
    assert daemon.config.read_text().startswith("version = 2" if daemon.version == "1.6" else "version = 3")
    daemon("uninstall").ok()
    assert picture(daemon.folder) == pictured


def test_later_changes_of_others_stay(daemon):
    text = HAND_EDITED[daemon.version]
    daemon.config.write_text(text)
    daemon("install").ok()
    daemon.config.write_text(daemon.config.read_text() + "\n[debug]\n  level = 'warn'\n")
    daemon("install").ok()
    assert "later changes stay" in daemon("uninstall").ok().out
    left = daemon.config.read_text()
    assert "kata" not in left and left.startswith(text) and left.endswith("[debug]\n  level = 'warn'\n")
    assert daemon.dump()["debug"]["level"] == "warn"


def test_handlers_of_the_administrator_stay(daemon):
    cri = OLD_CRI if daemon.version == "1.6" else NEW_CRI
    mine = f'\n[plugins."{cri}".containerd.runtimes.kata]\n  runtime_type = "io.containerd.mine.v2"\n'
    daemon.config.write_text(HAND_EDITED[daemon.version] + mine)
    assert "the handler kata is in the configuration already" in daemon("install").ok().out
    assert daemon.runtimes()["kata"]["runtime_type"] == "io.containerd.mine.v2"
    assert daemon.runtimes()["kata-qemu"]["runtime_type"] == "io.containerd.kata-qemu.v2"


@pytest.mark.parametrize("daemon", ["2.x"], indirect=True)
def test_imports_that_are_there(daemon):
    other = daemon.config.parent / "other.toml"
    other.write_text("version = 3\noom_score = -7\n")
    daemon.config.write_text(f"version = 3\nimports = [\n  '{other}', # first\n]\n")
    daemon("install").ok()
    assert daemon.dump()["oom_score"] == -7 and "kata" in daemon.runtimes()
    daemon("uninstall").ok()
    daemon.config.write_text(f"version = 3\nimports = ['{daemon.config.parent}/conf.d/*.toml']\n")
    text = daemon.config.read_text()
    daemon("install").ok()
    assert daemon.config.read_text() == text and "kata" in daemon.runtimes()


@pytest.mark.parametrize("daemon", ["2.x"], indirect=True)
def test_quoted_keys(daemon):
    for text in ('"version" = 3\n', '"vers\\u0069on" = 3\n[debug]\n', "'version' = 3\n\"imports\" = []\n"):
        daemon.config.write_text(text)
        daemon("install").ok()
        assert "kata" in daemon.runtimes()
        daemon("uninstall").ok()
        assert daemon.config.read_text() == text


@pytest.mark.parametrize("text, why", [
    ("version = 2\n[grpc\n", "is not valid TOML"),
    ("version = 9\n", "versions 1, 2 and 3 are known"),
    ('version = 2\nplugins = {"io.containerd.grpc.v1.cri" = {containerd = {runtimes = {runc = {}}}}}\n',
     "Add this by hand"),
    (b"version = 2\n# \xff\n", "is not UTF-8"),
    ('disabled_plugins = ["cri"]\n', "take that entry out, then install again; otherwise `install --no-containerd`"),
    ('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n', "switches containerd's CRI plugin off"),
])
def test_refused_and_untouched(tmp_path, small, text, why):
    daemon = Daemon("1.6", tmp_path / "d", small)
    daemon.config.write_bytes(text if isinstance(text, bytes) else text.encode())
    pictured = picture(daemon.folder)
    result = daemon("install")
    assert result.code == 1 and why in result.err, result.describe()
    if "by hand" in why:
        assert '+[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]' in result.err
    assert picture(daemon.folder) == pictured


def test_a_link_is_followed_and_a_loop_refused(tmp_path, small):
    daemon = Daemon("1.6", tmp_path / "d", small)
    real = daemon.config.parent / "real.toml"
    real.write_text(HAND_EDITED["1.6"])
    daemon.config.symlink_to("real.toml")
    daemon("install").ok()
    assert daemon.config.is_symlink() and "kata" in daemon.runtimes()
    daemon("uninstall").ok()
    assert real.read_text() == HAND_EDITED["1.6"]
    daemon.config.unlink()
    daemon.config.symlink_to("config.toml")
    assert "too many symbolic links" in daemon("install").err


def test_version_1_of_old(tmp_path, small):
    """[plugins.cri...], as in guides of 2021."""
    daemon = Daemon("1.6", tmp_path / "d", small)
    daemon.config.write_text('[plugins.cri]\n  sandbox_image = "k8s.gcr.io/pause:3.4.1"\n'
                             '[plugins.cri.containerd.runtimes.runc]\n  runtime_type = "io.containerd.runc.v1"\n')
    daemon("install").ok()
    assert daemon.runtimes()["kata"]["runtime_type"] == "io.containerd.kata.v2"
    assert daemon.runtimes()["runc"]["runtime_type"] == "io.containerd.runc.v1"


# containerd, but it does not like two pieces of ours in one file.
PICKY = """#!/bin/sh
if [ "$(grep -c '# kata-containers: begin' "$2")" = 2 ]; then echo "two are too many" >&2; exit 1; fi
exec {program} "$@"
"""


def test_a_refused_second_change_leaves_the_first(tmp_path, small):
    """What is taken back is this run's change, not the installation."""
    daemon = Daemon("1.6", tmp_path / "d", small)
    daemon.config.write_text("version = 2\n")
    before = picture(daemon.folder)
    daemon("install").ok()
    text = daemon.config.read_text()
    tables = f'[plugins."{OLD_CRI}".containerd.runtimes.'
    edited = text[:text.index(f"{tables}kata-qemu]")] + text[text.index(f"{tables}runc]"):]
    daemon.config.write_text(edited)
    picky = tmp_path / "picky"
    picky.write_text(PICKY.format(program=daemon.program))
    picky.chmod(0o755)
    result = daemon("install", "--containerd", picky)
    assert result.code == 1 and "two are too many" in result.err, result.describe()
    assert daemon.config.read_text() == edited and "kata" in daemon.runtimes()
    daemon.config.write_text(text)
    daemon("verify").ok()
    daemon("uninstall").ok()
    assert picture(daemon.folder) == before


def test_a_restart_is_owed_until_it_is_done(tmp_path, small):
    """After an error that comes behind the change, and after a run without --restart."""
    daemon = Daemon("1.6", tmp_path / "d", small)
    daemon.config.write_text("version = 2\n")
    for name, text in (("kubectl", "exit 1"), ("systemctl", f'echo "$*" >>{tmp_path}/calls; ! [ -e {tmp_path}/broken ]')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    calls, env = tmp_path / "calls", dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}")

    def told():  # CRI-O is another story, where the machine has an /etc/crio
        return calls.read_text().replace("restart crio\n", "")

    assert daemon("install", "--restart", "--node", "n1", env=env).code == 1
    assert "containerd takes up the change of" in daemon("install", env=env).ok().out and not calls.exists()
    (tmp_path / "broken").touch()
    assert "containerd was not restarted" in daemon("install", "--restart", env=env).ok().err
    (tmp_path / "broken").unlink()
    daemon("install", "--restart", env=env).ok()
    assert "containerd" not in daemon("install", "--restart", env=env).ok().out
    assert told() == "restart containerd\n" * 2
    daemon("uninstall", "--restart", env=env).ok()
    assert told() == "restart containerd\n" * 3
