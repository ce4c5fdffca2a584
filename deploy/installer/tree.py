"""The release tree: where it comes from, and how it gets below the prefix."""
import contextlib
import os
import pathlib
import subprocess
import tempfile

from installer.host import Refused, say
from installer.record import sha256, state_of

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
    entry, current = record.entries.get(path), state_of(record.host.at(path))
    return entry is not None and current is not None and current not in (entry["now"], entry["before"])


def install(record, tree, prefix):
    """Copies the tree; all of it is on the disk before the first file changes. Returns how many changed."""
    if tree.resolve() == record.host.real(prefix).resolve():
        say(f"{prefix}: the tree is in place already")
        record.facts["in_place"] = True
        record.save()
        return 0
    staged, links, kept = [], [], set()
    record.will_stage([f"{prefix}/{relative}" for relative, real in _files(tree) if not real.is_symlink()])
    try:
        for relative, real in _files(tree):
            path = f"{prefix}/{relative}"
            kept.add(path)
            if real.is_symlink():
                links.append((path, os.readlink(real)))
                continue
            data, mode = _content(relative, real, prefix), real.stat().st_mode & 0o755
            if relative.startswith(SETTINGS) and _edited(record, path):
                say(f"{path}: your changes stay, the release's own text is in {path}.new")
                path += ".new"
                kept.add(path)
            staged.append((path, record.stage(path, data, mode)))
    except (OSError, Refused) as error:
        for _, temporary in staged:
            temporary.unlink(missing_ok=True)
        raise Refused(f"the tree cannot be copied: {error}; nothing that was there before has changed") from error
    changed = 0
    for path, temporary in staged:
        if state_of(record.host.at(path)) == {"file": sha256(temporary)} and path in record.entries:
            temporary.unlink()
            continue
        record.commit(path, temporary)
        changed += 1
    changed += sum(record.put_link(path, target) for path, target in links)
    record.facts["tree"] = sorted(set(record.facts.get("tree", [])) | kept)
    changed += _drop_old(record, kept)
    return changed


def _drop_old(record, kept):
    """What an older release had and this one has not."""
    old = [path for path in record.facts["tree"] if path not in kept and not _edited(record, path)]
    record.undo([path for path in old if path in record.entries])
    record.facts["tree"] = sorted(set(record.facts["tree"]) - set(old))
    record.save()
    return len(old)
