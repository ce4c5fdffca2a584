"""Debian's iptables, for guests (an initrd) and for images of containers (a layer)."""
import pathlib
import subprocess
import sys

from bed import places, run

BUILDER = places.REPO / "guest" / "initrd"
sys.path.insert(0, str(BUILDER))
import add_iptables  # noqa: E402


def initrd(out):
    """The guest's usual initrd with the programs behind it."""
    run.run([BUILDER / "add_iptables.py", "--initrd", places.guest_artefacts()["KATA_INITRD"], "--out", out]).ok()
    return str(out)


def layer(folder):
    """A folder with the programs and what they need, as a layer of an image."""
    folder.mkdir()
    archive, _ = add_iptables.build(pathlib.Path("/"))
    subprocess.run(["cpio", "-id", "--quiet"], input=archive, cwd=folder, check=True)
    return folder
