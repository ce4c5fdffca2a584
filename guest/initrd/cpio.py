"""Writes a "newc" cpio archive, the initramfs format of the kernel.

Format: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
The same entries give the same bytes: no times, no owners but root, and inode
numbers that count up.
"""
import stat

HEADER_FIELDS = 13  # ino mode uid gid nlink mtime size maj min rmaj rmin namesize check


def _padding(length):
    return b"\0" * (-length % 4)


class Archive:
    """Collects entries; a parent directory has to be added before its entries."""

    def __init__(self):
        self._parts = []
        self._inode = 0
        self._names = {""}

    def directory(self, path, mode=0o755):
        self._add(path, stat.S_IFDIR | mode, links=2)

    def file(self, path, data, mode=0o644):
        self._add(path, stat.S_IFREG | mode, data=data)

    def symlink(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, data=target.encode())

    def character_device(self, path, major, minor, mode=0o600):
        self._add(path, stat.S_IFCHR | mode, device=(major, minor))

    def to_bytes(self):
        trailer = self._record("TRAILER!!!", 0, 0, 1, b"", (0, 0))
        return b"".join([*self._parts, trailer])

    def _add(self, path, mode, data=b"", links=1, device=(0, 0)):
        name = path.strip("/")
        parent = name.rpartition("/")[0]
        if parent not in self._names:
            raise ValueError(f"{path}: its directory was not added")
        if name in self._names:
            raise ValueError(f"{path}: added twice")
        self._names.add(name)
        self._inode += 1
        self._parts.append(self._record(name, self._inode, mode, links, data, device))

    @staticmethod
    def _record(name, inode, mode, links, data, device):
        encoded = name.encode() + b"\0"
        fields = [inode, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(encoded), 0]
        assert len(fields) == HEADER_FIELDS
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        return head + _padding(len(head)) + data + _padding(len(data))
