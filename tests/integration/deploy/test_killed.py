"""kill -9 of the installer at any moment of its run: what stays is taken back, or completed, by the next one."""
import shutil
import signal
import subprocess
import sys

from bed.installer import INSTALL, picture

# The installer, ended by SIGKILL just before the nth change it makes to the disk.
KILLED = """
import os, runpy, signal, sys
left, program = int(sys.argv[1]), sys.argv[2]
CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.chmod", "os.chown", "os.utime"}

def hook(event, arguments):
    global left
    if event in CHANGES or (event == "open" and arguments[2] & os.O_CREAT):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.argv = sys.argv[2:]
sys.addaudithook(hook)
runpy.run_path(program, run_name="__main__")
"""


def killed(node, command, change):
    """False when the run ended before so many changes."""
    words = ["--from", node.source] if command != "uninstall" else []
    done = subprocess.run([sys.executable, "-c", KILLED, str(change), INSTALL, command, "--root", node.root, *words],
                          check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def without_first_line(root):
    """The picture but for what an installer leaves that was killed before its first line: folders, an unfinished record."""
    left = picture(root)
    for path in ("var", "var/lib", "var/lib/kata-containers", "var/lib/kata-containers/install",
                 "var/lib/kata-containers/install/record.new"):
        left.pop(path, None)
    return left


def test_an_install_and_its_uninstall(used):
    before, midway, undone_midway, change = picture(used.root), 0, 0, 1
    while killed(used, "install", change):
        midway += len(picture(used.root)) > len(before) + 5
        undone_midway += killed(used, "uninstall", max(1, change // 2))
        used("uninstall").ok()
        assert without_first_line(used.root) == before, change
        change += 9
    used("uninstall").ok()
    assert without_first_line(used.root) == before
    assert midway >= 5 and undone_midway >= 5


def test_an_upgrade(used, small, tmp_path):
    """Uninstall right after it restores everything; so it does after another try, which takes no file of ours for an edited one."""
    before, newer, change = picture(used.root), tmp_path / "newer", 1
    (small / "share/kata-containers/old.img").write_text("old\n")
    shutil.copytree(small, newer, symlinks=True)
    (newer / "share/kata-containers/old.img").unlink()
    for name in ("bin/kata-runtime", "share/kata-containers/vmlinux.container", "share/defaults/kata-containers/configuration-qemu.toml"):
        with open(newer / name, "a") as file:
            file.write("# newer\n")
    was_killed = 0
    while True:
        used("install").ok()
        used.source = newer
        if not killed(used, "upgrade", change):
            break
        was_killed += 1
        if change % 2:
            result = used("upgrade").ok()
            assert "your changes stay" not in result.out
            assert not (used.root / "opt/kata/share/kata-containers/old.img").exists()
            used("verify").ok()
        used("uninstall").ok()
        assert picture(used.root) == before, change
        used.source, change = small, change + 5
    assert was_killed >= 5
    used("uninstall").ok()
    assert picture(used.root) == before


EARLY = """
import os, sys
sys.path.insert(0, sys.argv[1])
from installer import main, record
opened = record.Record.open
def stop(*words):
    opened(*words)
    os._exit(9)
record.Record.open = stop
main.main(sys.argv[2:])
"""


def test_right_after_the_record_was_opened(node):
    done = subprocess.run([sys.executable, "-B", "-c", EARLY, INSTALL.parent, "install", "--root", node.root, "--from", node.source],
                          check=False, timeout=60)
    assert done.returncode == 9
    node("install").ok()
    node("upgrade").ok()
    node("uninstall").ok()
    assert picture(node.root) == {}
