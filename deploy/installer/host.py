"""The node: its paths below a root folder, its programs, and how the installer talks."""
import pathlib
import shutil
import subprocess
import sys


class Refused(Exception):
    """A step that is not done. The text says what, why, and what to do."""


def say(text):
    print(text, flush=True)


def warn(text):
    print(f"warning: {text}", file=sys.stderr, flush=True)


class Host:
    """Paths are named as the node sees them ("/etc/..."); at() says where they lie for us."""

    def __init__(self, root="/"):
        self.root = pathlib.Path(root).resolve()

    def at(self, path):
        return self.root / str(path).lstrip("/")

    def is_real(self):
        return self.root == pathlib.Path("/")

    def follow(self, path):
        """The file that a path means once links are followed; they do not lead out of the root folder."""
        path = pathlib.PurePosixPath(path)
        for _ in range(40):
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
