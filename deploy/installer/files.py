"""What stands at a path, as a comparable value; and files that are whole and on the disk before they have their name."""
import contextlib
import hashlib
import os
import stat

from installer.host import Refused

COMPARED = ("folder", "link", "file", "mode", "uid", "gid")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def state_of(path):
    """None, a link, a file with its mode and owner, or a folder with its permissions (a setgid bit is its parent's)."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(found.st_mode):
        return {"link": os.readlink(path)}
    if stat.S_ISDIR(found.st_mode):
        return folder_state(found.st_mode & 0o777)
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{path} is neither a file nor a link; move it away")
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": digest, "mode": stat.S_IMODE(found.st_mode), "uid": found.st_uid, "gid": found.st_gid}


def folder_state(mode):
    return {"folder": True, "mode": mode}


def is_folder(state):
    return state is not None and "folder" in state


def content(state):
    """What a state says besides mode and owner."""
    return state and {name: state[name] for name in ("folder", "link", "file") if name in state}


def matches(current, wanted):
    """Mode and owner, too, as far as the wanted state has them: records of older releases have not."""
    if current is None or wanted is None:
        return current is wanted
    return all(current.get(name) == wanted[name] for name in COMPARED if name in wanted)


def remove(path):
    """A file or link; it may be gone, its folder too."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(path)


def sync_folder(path):
    """The names in it are on the disk afterwards."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write(path, data, mode, owner, mtime=None):
    """A new file, on the disk; nobody else can read it before it has its owner (uid, gid) and mode. Times are in ns."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _fill(file, data)
        os.fchown(file, *owner)
        os.fchmod(file, mode)
        if mtime is not None:
            os.utime(file, ns=(mtime, mtime))
        os.fsync(file)
    except OSError:
        remove(path)
        raise
    finally:
        os.close(file)


def _fill(file, data):
    left = memoryview(data)
    while left:
        left = left[os.write(file, left):]


def own():
    """The owner of what we make."""
    return os.geteuid(), os.getegid()
