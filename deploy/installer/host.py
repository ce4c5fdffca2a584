"""The node: its paths below a root folder, its programs, and how the installer talks."""
import pathlib
import shutil
import subprocess
import sys

MOST_LINKS = 40  # on the way to one file, as in Linux


class Refused(Exception):
    """A step that is not done. The text says what, why, and what to do."""


def say(text):
    print(text, flush=True)


def warn(text):
    print(f"warning: {text}", file=sys.stderr, flush=True)


def _names(path):
    return [name for name in pathlib.PurePosixPath(path).parts if not name.startswith("/")]


class Host:
    """Paths are named as the node sees them ("/etc/..."); at() and real() say where they lie for us.

    Below another root folder than / links mean what they mean to the node: an absolute one begins at
    the root folder, and no ".." climbs out of it.
    """

    def __init__(self, root="/"):
        self.root = pathlib.Path(root).resolve()

    def at(self, path):
        """The path itself, be it a link; links in the folders above it are followed."""
        return self._inside(path, last=False)

    def real(self, path):
        """What the path leads to."""
        return self._inside(path, last=True)

    def _inside(self, path, last):
        if self.is_real():
            return self.root / str(path).lstrip("/")  # the kernel follows
        todo, found, links = _names(path), [], 0
        while todo:
            name = todo.pop(0)
            if name == "..":
                found = found[:-1]
                continue
            here = self.root.joinpath(*found, name)
            if not (todo or last) or not here.is_symlink():
                found.append(name)
                continue
            links += 1
            if links > MOST_LINKS:
                raise Refused(f"{path}: too many symbolic links; make it lead to a file")
            target = here.readlink()
            found = [] if target.is_absolute() else found
            todo = _names(target) + todo
        return self.root.joinpath(*found)

    def is_real(self):
        return self.root == pathlib.Path("/")

    def follow(self, path):
        """The file that a path means, as the node names it: links at its end are followed, folders are left to at()."""
        path = pathlib.PurePosixPath(path)
        for _ in range(MOST_LINKS):
            if not self.at(path).is_symlink():
                return str(path)
            path = path.parent / self.at(path).readlink()
        raise Refused(f"{path}: too many symbolic links; make it lead to a file")


def program(name):
    """The path of a program of this machine, or None."""
    return shutil.which(name)


def run(argv, timeout=30):
    """(status, output, errors) of a program."""
    try:
        done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired:
        return 124, "", f"no end within {timeout} s"
    except OSError as error:
        return 127, "", str(error)
    return done.returncode, done.stdout, done.stderr
