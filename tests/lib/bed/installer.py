"""deploy/install run upon a node that is a folder."""
import os
import pathlib
import stat

from bed import places, run

STAYED = 3  # exit status of an uninstall that left something
INSTALL = places.REPO / "deploy" / "install"


def picture(folder):
    """Everything in a folder, byte for byte: {path: (kind, mode, owner, content)}."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        entry = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        mtime = entry.st_mtime_ns if path.is_file() and not path.is_symlink() else None
        found[str(path.relative_to(folder))] = (stat.S_IFMT(entry.st_mode), entry.st_mode, entry.st_uid, entry.st_gid, mtime, content)
    return found


class Node:
    """A node that is a folder: what stands in it before, and the installer run upon it."""

    def __init__(self, root, source):
        self.root, self.source = root, source
        root.mkdir()

    def write(self, path, text, mode=0o644):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def __call__(self, command, *words, source=None, env=None):
        more = ["--from", source or self.source] if command in ("install", "upgrade") else []
        return run.run([INSTALL, command, "--root", self.root, *more, *words], timeout=60, env=env)
