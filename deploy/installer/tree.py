"""The release tree: where it comes from, and how it gets below the prefix."""
import contextlib
import functools
import os
import pathlib
import subprocess
import tempfile

from installer import files, undo
from installer.host import Refused, say
from installer.record import ours

SHIM = "bin/containerd-shim-kata-v2"
BUILT_FOR = "/opt/kata"  # the prefix that the paths in a release's configuration begin with
OWN = pathlib.Path(__file__).resolve().parents[2]  # <prefix>/deploy/installer/tree.py
SETTINGS = "share/defaults/"  # what administrators edit in place
NAMING_PREFIX = (SETTINGS, "share/systemd/")  # files with paths below the prefix


def _tree_in(folder):
    """The release tree in a folder: itself, or opt/kata below it."""
    for candidate in (folder, folder / BUILT_FOR.lstrip("/")):
        if (candidate / SHIM).is_file():
            return candidate
    raise Refused(f"{folder} holds no release tree (no {SHIM}); name the folder or the archive with --from")


@contextlib.contextmanager
def source(where):
    """The folder of the release tree that --from names; archives are unpacked for the time being."""
    if where is None:
        yield _tree_in(OWN)
    elif pathlib.Path(where).is_dir():
        yield _tree_in(pathlib.Path(where).resolve())
    elif pathlib.Path(where).is_file():
        with tempfile.TemporaryDirectory(prefix="kata-install-") as folder:
            unpacked = subprocess.run(["tar", "--no-same-owner", "-xf", where, "-C", folder], check=False,
                                      capture_output=True, text=True)
            if unpacked.returncode:
                raise Refused(f"{where} cannot be unpacked: {unpacked.stderr.strip()[-500:]}")
            yield _tree_in(pathlib.Path(folder))
    else:
        raise Refused(f"--from {where}: no such folder or archive")


def _files(tree):
    """(relative path, real path) of files and links, in the order of names."""
    found = []
    for folder, folders, names in os.walk(tree):
        for name in names + [name for name in folders if os.path.islink(os.path.join(folder, name))]:
            real = pathlib.Path(folder, name)
            found.append((str(real.relative_to(tree)), real))
    return sorted(found)


def _content(relative, real, prefix):
    data = real.read_bytes()
    if relative.startswith(NAMING_PREFIX) and prefix != BUILT_FOR:
        data = data.replace(BUILT_FOR.encode() + b"/", prefix.encode() + b"/")
    return data


def _edited(record, path):
    """The administrator changed this file since we put it there."""
    entry, current = record.entries.get(path), files.state_of(record.host.at(path))
    return entry is not None and current is not None and not ours(entry, current) and \
        files.content(current) != files.content(entry["before"])


def _keeps(record, path):
    """Mode and owner of settings are the administrator's."""
    current = files.state_of(record.host.at(path)) if path in record.entries else None
    return (current["mode"], (current["uid"], current["gid"])) if current and "file" in current else None


def add(changes, tree, prefix):
    """The whole tree becomes part of the changes. Returns its paths, None when it is in place already."""
    record, kept = changes.record, []
    if tree.resolve() == record.host.real(prefix).resolve():
        say(f"{prefix}: the tree is in place already")
        if not record.facts.get("tree"):  # none that an earlier run put there
            record.facts["in_place"] = True
            record.save()
        return None
    for relative, real in _files(tree):
        path = f"{prefix}/{relative}"
        kept.append(path)
        if real.is_symlink():
            changes.link(path, os.readlink(real))
            continue
        mode, owner = 0o755 if real.stat().st_mode & 0o100 else 0o644, None
        if relative.startswith(SETTINGS):
            if _edited(record, path):
                say(f"{path}: your changes stay, the release's own text is in {path}.new")
                path += ".new"
                kept.append(path)
            mode, owner = _keeps(record, path) or (mode, owner)
        changes.file(path, functools.partial(_content, relative, real, prefix), mode, owner)
    record.facts["tree"] = sorted({*record.facts.get("tree", []), *kept})
    return kept


def drop_old(record, kept):
    """What an older release had and this one has not. Returns how many files that were."""
    all_of_it = {*record.facts.get("tree", []), *kept}
    old = [path for path in all_of_it.difference(kept) if not _edited(record, path)]
    undo.some(record, [path for path in old if path in record.entries])
    record.facts["tree"] = sorted(all_of_it.difference(old))
    record.save()
    return len(old)
