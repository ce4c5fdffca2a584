"""The tree on the node: what install makes, uninstall takes back, byte for byte."""
import subprocess
import sys

import pytest

from bed.installer import INSTALL, STAYED, Node, picture

OWN = "opt/kata/share/defaults/kata-containers/configuration-qemu.toml"


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
    result = used("uninstall")
    assert result.code == STAYED and f"/{OWN} was changed after the installation and stays" in result.err
    (used.root / OWN).unlink()
    used("uninstall").ok()
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
    assert "holds no release tree" in node("install", source=node.root).err
    assert "no such folder or archive" in node("install", source="/no/where").err
    (tmp_path / "junk.tar.zst").write_text("junk")
    assert "cannot be unpacked" in node("install", source=tmp_path / "junk.tar.zst").err
    assert "absolute" in node("install", "--prefix", "opt").err
    assert picture(node.root) == {}
    node("install").ok()
    assert "there is an installation below /opt/kata" in node("install", "--prefix", "/srv/kata").err
    node.write("run/vc/sbs/pod1/journal", "")
    (node.root / "run/vc/sbs/nobodys").mkdir()  # without a journal: gc leaves it alone, and so does this
    result = node("uninstall")
    assert result.code == 1 and "1 sandboxes are here (pod1)" in result.err and "gc --remove" in result.err
    node("uninstall", "--force").ok()


@pytest.mark.parametrize("path", ["opt/kata/bin/kata-runtime", "usr/local/bin/kata-runtime"])
def test_a_folder_in_the_way(node, path):
    """A file, a link: refused, and what was done up to there can be taken back."""
    node.write(f"{path}/mine", "mine\n")
    before = picture(node.root)
    result = node("install")
    assert result.code == 1 and f"/{path} is a folder where a file or a link belongs; move it away" in result.err
    node("uninstall").ok()
    assert picture(node.root) == before


def test_a_folder_that_came_later_stays(node):
    node("install").ok()
    program = node.root / "opt/kata/bin/kata-runtime"
    program.unlink()
    node.write("opt/kata/bin/kata-runtime/mine", "mine\n")
    assert "is a folder where a file" in node("upgrade").err
    assert "kata-runtime was changed after the installation and stays" in node("uninstall", "--purge").ok().err
    assert (program / "mine").read_text() == "mine\n"


def test_a_file_in_the_way_of_a_folder(node):
    node.write("opt/kata/bin", "mine\n")
    before = picture(node.root)
    assert "/opt/kata/bin stands where a folder belongs" in node("install").err
    node("uninstall").ok()
    assert picture(node.root) == before


# A first installation that another one overtakes before it has the lock.
OVERTAKEN = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from installer import host, record
late = record.Record(host.Host(sys.argv[2]))
subprocess.run(sys.argv[3:], check=True)
try:
    late.open({})
except host.Refused as error:
    sys.exit(str(error))
"""


def test_the_record_of_another_first_install_is_kept(used):
    before = picture(used.root)
    other = [INSTALL, "install", "--root", used.root, "--from", used.source]
    done = subprocess.run([sys.executable, "-B", "-c", OVERTAKEN, INSTALL.parent, used.root, *other], check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "run this again" in done.stderr, done.stderr
    used("verify").ok()
    used("uninstall").ok()
    assert picture(used.root) == before


def test_links_do_not_lead_out_of_the_root(node, tmp_path):
    """Absolute ones and those with too many "..", as folders and as files: they mean places of the node."""
    outside = tmp_path / "outside"
    for name in ("opt", "containerd", "local"):
        (outside / name).mkdir(parents=True)
        (node.root / str(outside).lstrip("/") / name).mkdir(parents=True)
    (node.root / "etc").mkdir()
    (node.root / "opt").symlink_to(outside / "opt")
    (node.root / "etc/containerd").symlink_to("../" * 30 + str(outside / "containerd").lstrip("/"))
    (node.root / "usr").mkdir()
    (node.root / "usr/local").symlink_to(outside / "local")
    inside = node.root / str(outside).lstrip("/")
    for folder in (outside, inside):
        (folder / "real.toml").write_text("version = 2\n")
        (folder / "containerd/config.toml").symlink_to("../" * 30 + str(outside / "real.toml").lstrip("/"))
    before, untouched = picture(node.root), picture(outside)
    node("install").ok()
    assert picture(outside) == untouched
    assert "runtimes.kata]" in (inside / "real.toml").read_text()
    assert (inside / "opt/kata/bin/kata-runtime").is_file() and (inside / "local/bin/kata-runtime").is_symlink()
    node("verify").ok()
    node("uninstall").ok()
    assert picture(node.root) == before and picture(outside) == untouched


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
