"""Modes: what is installed is for everybody, what was replaced is for nobody else than before."""
import subprocess
import sys

from bed.installer import INSTALL

RECORD = "var/lib/kata-containers/install"
SECRET = "# password\n"

# Prints each file with the secret in it that others can read at any step of the installer, and the modes of new ones.
WATCHED = """
import os, runpy, sys
root, program = sys.argv[1], sys.argv[2]

def look(event, arguments):
    if event not in ("os.rename", "os.chmod", "os.chown", "os.remove"):
        return
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path) and os.stat(path).st_mode & 0o077:
                text = os.pread(file := os.open(path, os.O_RDONLY), 100000, 0)
                os.close(file)
                if b"# password" in text and name != "open.toml":
                    print("EXPOSED", event, path)

sys.argv = sys.argv[2:]
sys.addaudithook(look)
runpy.run_path(program, run_name="__main__")
"""


def mode(node, path):
    return (node.root / path).stat().st_mode & 0o7777


def test_copies_of_secrets_stay_secret(node):
    config = node.write("etc/containerd/config.toml", "version = 2\n" + SECRET, 0o600)
    for command in ("install", "uninstall"):
        words = ["--from", node.source] if command == "install" else []
        done = subprocess.run([sys.executable, "-c", WATCHED, node.root, INSTALL, command, "--root", node.root, "--containerd", "", *words],
                              check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and "EXPOSED" not in done.stdout, done.stdout + done.stderr
        if command == "install":
            assert mode(node, RECORD) == 0o700
            assert {path.stat().st_mode & 0o777 for path in (node.root / RECORD).iterdir()} == {0o600}
    assert config.stat().st_mode & 0o777 == 0o600 and config.read_text().endswith(SECRET)


def test_a_strict_umask_locks_nobody_out(node):
    subprocess.run([INSTALL, "install", "--root", node.root, "--from", node.source], check=True, umask=0o077, timeout=120)
    for path in ("opt", "opt/kata", "opt/kata/bin", "usr/local/bin", "opt/kata/bin/kata-runtime"):
        assert mode(node, path) == 0o755, path
    assert mode(node, "opt/kata/share/kata-containers/vmlinux.container") == 0o644


def test_verify_and_install_know_modes(node):
    program, folder = node.root / "opt/kata/bin/kata-runtime", node.root / "opt/kata/share"
    settings = node.root / "opt/kata/share/defaults/kata-containers/configuration-qemu.toml"
    node("install").ok()
    program.chmod(0o666)
    folder.chmod(0o700)
    settings.chmod(0o600)
    result = node("verify")
    assert result.code == 1 and "/opt/kata/bin/kata-runtime has mode 0666 of 0:0 instead of mode 0755 of 0:0" in result.err
    assert "/opt/kata/share has mode 0700 instead of mode 0755; install again" in result.err and "configuration" not in result.err
    assert "2 files" not in node("install").ok().out
    assert mode(node, "opt/kata/bin/kata-runtime") == 0o755 and folder.stat().st_mode & 0o777 == 0o755
    assert settings.stat().st_mode & 0o777 == 0o600  # of settings they are the administrator's
    node("verify").ok()
