"""The tree on the node: what install makes, uninstall takes back, byte for byte."""
import subprocess
import time

import pytest

from bed.installer import INSTALL, Node, picture

OWN = "opt/kata/share/defaults/kata-containers/configuration-qemu.toml"


@pytest.fixture
def used(node):
    """A node with a history: another shim, a link to nowhere, settings without a last newline."""
    node.write("usr/local/bin/containerd-shim-kata-v2", "an older shim\n", 0o711)
    node.write("opt/kata/share/kata-containers/vmlinux.container", "another kernel\n", 0o600)
    node.write("etc/containerd/config.toml", 'version = 2\n[grpc]\n  address = "/run/x.sock"', 0o640)
    node.write("etc/crio/crio.conf", "[crio]\n")
    (node.root / "usr/local/bin/kata-runtime").symlink_to("/no/where")
    return node


def test_uninstall_restores_every_byte(used):
    before = picture(used.root)
    used("install").ok()
    assert used.root.joinpath("usr/local/bin/kata-runtime").readlink().as_posix() == "/opt/kata/bin/kata-runtime"
    assert (used.root / "opt/kata/share/kata-containers/vmlinux.container").read_text() == "kernel 1\n"
    assert '[crio.runtime.runtimes.kata-qemu]' in (used.root / "etc/crio/crio.conf.d/99-kata-containers.conf").read_text()
    used("verify").ok()
    used("uninstall").ok()
    assert picture(used.root) == before


def test_again_changes_nothing(used):
    before = picture(used.root)
    used("install").ok()
    after = picture(used.root)
    assert "nothing to change" in used("install").ok().out
    record = "var/lib/kata-containers/install/record.json"
    again = picture(used.root)
    after.pop(record), again.pop(record)
    assert again == after
    used("uninstall").ok()
    assert picture(used.root) == before
    assert "nothing is installed" in used("uninstall").ok().out


def test_upgrade_keeps_settings_and_drops_what_is_gone(used, small):
    before = picture(used.root)
    (small / "share/kata-containers/old.img").write_text("old\n")
    used("install").ok()
    (used.root / OWN).write_text("mine\n")
    (small / "share/kata-containers/old.img").unlink()
    (small / "share/kata-containers/vmlinux.container").write_text("kernel 2\n")
    (small / "share/defaults/kata-containers/configuration-qemu.toml").write_text("theirs\n")
    assert "your changes stay" in used("upgrade").ok().out
    assert (used.root / OWN).read_text() == "mine\n" and (used.root / (OWN + ".new")).read_text() == "theirs\n"
    assert (used.root / "opt/kata/share/kata-containers/vmlinux.container").read_text() == "kernel 2\n"
    assert not (used.root / "opt/kata/share/kata-containers/old.img").exists()
    result = used("uninstall").ok()
    assert f"/{OWN} was changed after the installation and stays" in result.err
    (used.root / OWN).unlink()
    (used.root / OWN).parent.rmdir()
    (used.root / OWN).parent.parent.rmdir()
    assert picture(used.root) == before


def test_a_program_in_use_runs_on(node, small):
    node("install").ok()
    program = node.root / "opt/kata/bin/containerd-shim-kata-v2"
    with subprocess.Popen([program], stdin=subprocess.DEVNULL) as running, open(program) as held:
        (small / "bin/containerd-shim-kata-v2").write_text("#!/bin/sh\nexit 3\n")
        node("upgrade").ok()
        assert held.read().endswith("exec sleep 60\n") and running.poll() is None
        running.kill()
    assert subprocess.run([program], check=False).returncode == 3


@pytest.mark.parametrize("round", range(6))
def test_killed_at_any_moment(used, round):
    """kill -9 of an install, then of its uninstall, ever later in its run; what stays is taken back by the next one."""
    before = picture(used.root)
    for command in ("install", "uninstall"):
        words = ["--from", used.source] if command == "install" else []
        with subprocess.Popen([INSTALL, command, "--root", used.root, *words], stdout=subprocess.PIPE, text=True) as killed:
            # Long runs of small steps: each round ends them at another one.
            time.sleep(0.08 + 0.03 * round)
            killed.kill()
    if round == 5:
        used("install").ok()
    used("uninstall").ok()
    left = picture(used.root)
    for folder in ("var", "var/lib", "var/lib/kata-containers", "var/lib/kata-containers/install"):
        left.pop(folder, None)  # killed before its first line
    assert left == before


def test_verify_finds_damage(node):
    node("install").ok()
    (node.root / "opt/kata/share/kata-containers/vmlinux.container").write_text("x")
    (node.root / "usr/local/bin/kata-runtime").unlink()
    result = node("verify")
    assert result.code == 1 and "vmlinux.container is not the one that was installed" in result.err
    assert "/usr/local/bin/kata-runtime is missing; install again" in result.err
    node("install").ok()
    node("verify").ok()


def test_refusals(node, tmp_path):
    assert "nothing is installed" in node("verify").err and node("upgrade").code == 1
    assert "holds no release tree" in node("install", source=tmp_path / "node").err
    assert "no such folder or archive" in node("install", source="/no/where").err
    (tmp_path / "junk.tar.zst").write_text("junk")
    assert "cannot be unpacked" in node("install", source=tmp_path / "junk.tar.zst").err
    assert "absolute" in node("install", "--prefix", "opt").err
    assert picture(node.root) == {}
    node("install").ok()
    assert "there is an installation below /opt/kata" in node("install", "--prefix", "/srv/kata").err
    (node.root / "run/vc/sbs/pod1").mkdir(parents=True)
    result = node("uninstall")
    assert result.code == 1 and "1 sandboxes are here (pod1)" in result.err and "gc --remove" in result.err
    node("uninstall", "--force").ok()


def test_a_full_release_below_another_prefix(tmp_path, release):
    """Real programs below another prefix; the settings follow it."""
    node = Node(tmp_path / "full", release)
    before = picture(node.root)
    node("install", "--prefix", "/srv/kata").ok()
    settings = (node.root / "srv/kata/share/defaults/kata-containers/configuration.toml").read_text()
    assert 'kernel = "/srv/kata/share/' in settings and "/opt/kata" not in settings
    for page in ("man/man1/kata-runtime.1", "man/man5/configuration.toml.5", "man/man8/containerd-shim-kata-v2.8",
                 "bash-completion/completions/kata-runtime"):
        assert (node.root / "usr/local/share" / page).is_symlink() and (node.root / "srv/kata/share" / page).stat().st_size > 200
    node("verify").ok()
    node("uninstall").ok()
    assert picture(node.root) == before
