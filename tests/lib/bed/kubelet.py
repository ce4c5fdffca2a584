"""What a kubelet does with the folders of volumes."""
import contextlib
import pathlib
import shutil
import subprocess


def make_watcher(folder):
    """A static program that prints what inotify tells: see watch.c."""
    program = pathlib.Path(folder) / "watch"
    source = pathlib.Path(__file__).with_name("watch.c")
    subprocess.run(["gcc", "-static", "-Os", "-s", "-o", program, source], check=True)
    return program


class ConfigVolume:
    """A volume of configuration below a pod's folder. `kind`: configmap, secret, projected, downward-api."""

    def __init__(self, pod_folder, kind, name):
        self.path = pathlib.Path(pod_folder) / f"kubernetes.io~{kind}" / name
        self.path.mkdir(parents=True)
        self.generation = 0

    def write(self, values):
        """A new folder with all values, then one rename of a link changes all files; the old ones go."""
        self.generation += 1
        new, old = self.path / f"..{self.generation}", self.path / f"..{self.generation - 1}"
        new.mkdir()
        for key, value in values.items():
            (new / key).write_text(value)
        link = self.path / "..data_tmp"
        link.symlink_to(new.name)
        link.rename(self.path / "..data")
        for key in values:
            if not (self.path / key).is_symlink():
                (self.path / key).symlink_to(f"..data/{key}")
        for name in self.path.iterdir():
            if not name.name.startswith("..") and name.name not in values:
                name.unlink()
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def mounted(type, source, path, options="rw"):
    """A file system of the node, as long as the block runs."""
    pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", type, "-o", options, source, path], check=True)
    try:
        yield pathlib.Path(path)
    finally:
        subprocess.run(["umount", "-l", path], check=True)
