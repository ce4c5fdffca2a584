"""Which kernel modules a guest needs and in which order they load.

A modules directory is what depmod leaves in /lib/modules/<version>: modules.dep
names for each module the modules it needs, modules.builtin names those that the
kernel contains already.
"""
import gzip
import lzma
import pathlib

# In load order: the bus and the console first, so that the rest can be heard of.
WANTED = [
    "virtio_pci",
    "virtio_console",
    "vmw_vsock_virtio_transport",
    "fuse",
    "virtiofs",
    "overlay",
    "virtio_blk",
    "sd_mod",
    "virtio_scsi",
    "virtio_net",
    "virtio_rng",
    "virtio_balloon",
]

# finit_module takes plain objects only (the guest has no decompressor for them).
READERS = {".ko": bytes, ".ko.xz": lzma.decompress, ".ko.gz": gzip.decompress}


class ModuleError(Exception):
    """A wanted module cannot be had; the text says which and why."""


def module_name(path):
    """virtio-rng.ko.xz and virtio_rng are one name."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


class ModuleTree:
    """The modules of one kernel below `directory`."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        dependencies = self.directory / "modules.dep"
        if not dependencies.is_file():
            raise ModuleError(f"{dependencies} is missing (no such kernel, or depmod was not run)")
        self._paths = {}
        self._needs = {}
        for line in dependencies.read_text(encoding="utf-8").splitlines():
            path, _, needs = line.partition(":")
            name = module_name(path)
            self._paths[name] = path
            # depmod lists the whole closure, the deepest need last.
            self._needs[name] = [module_name(need) for need in reversed(needs.split())]
        builtin = self.directory / "modules.builtin"
        text = builtin.read_text(encoding="utf-8") if builtin.is_file() else ""
        self._builtin = {module_name(path) for path in text.split()}

    def load_order(self, wanted):
        """The names to load, each once and after all that it needs."""
        order = []
        for name in wanted:
            if name in self._builtin:
                continue
            if name not in self._paths:
                raise ModuleError(f"{self.directory} has no module {name}")
            order += [need for need in [*self._needs[name], name] if need not in order]
        return order

    def read(self, name):
        path = self.directory / self._paths[name]
        suffix = path.name[path.name.index(".ko"):]
        if suffix not in READERS:
            raise ModuleError(f"{path}: cannot unpack {suffix}")
        return READERS[suffix](path.read_bytes())
