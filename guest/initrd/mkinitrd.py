#!/usr/bin/env python3
"""Makes the guest's initrd: an uncompressed cpio with one program, /init.

  mkinitrd.py --agent BIN --out FILE [--modules KVER|DIR]

The agent is the only program, there is no shell.  --modules adds the modules of
a kernel that has its virtio drivers as modules: KVER means /lib/modules/KVER, a
name with a slash is the directory itself.  The same input gives the same bytes;
FILE appears whole (written aside and renamed).
"""
import argparse
import os
import pathlib
import struct
import sys

import cpio
import modules

DIRECTORIES = [("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("proc", 0o555), ("run", 0o755),
               ("sys", 0o555), ("tmp", 0o1777)]

# resolv.conf has to be a regular file: the agent binds the pod's one over it.
ETC_FILES = {
    "hostname": "localhost\n",
    "resolv.conf": "",
    "passwd": "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
}

MODULES_DIRECTORY = "lib/modules-kata"
MODULES_LIST = "etc/kata-modules"

PT_INTERP = 3


def require_static_elf(path, data):
    """An init that needs a dynamic loader would only panic the guest."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise SystemExit(f"mkinitrd: {path}: not a 64-bit ELF program")
    table, = struct.unpack_from("<Q", data, 32)
    entry_size, entries = struct.unpack_from("<HH", data, 54)
    for index in range(entries):
        kind, = struct.unpack_from("<I", data, table + index * entry_size)
        if kind == PT_INTERP:
            raise SystemExit(f"mkinitrd: {path}: dynamically linked, the guest has no libraries")


def add_modules(archive, directory):
    tree = modules.ModuleTree(directory)
    order = tree.load_order(modules.WANTED)
    archive.directory("lib")
    archive.directory(MODULES_DIRECTORY)
    paths = []
    for number, name in enumerate(order):
        path = f"{MODULES_DIRECTORY}/{number:02}-{name}.ko"
        archive.file(path, tree.read(name))
        paths.append(f"/{path}\n")
    archive.file(MODULES_LIST, "".join(paths).encode())


def build(agent_path, modules_directory):
    agent = pathlib.Path(agent_path).read_bytes()
    require_static_elf(agent_path, agent)
    archive = cpio.Archive()
    for name, mode in DIRECTORIES:
        archive.directory(name, mode)
    # The kernel opens it as init's standard streams before anything is mounted.
    archive.character_device("dev/console", 5, 1)
    for name, text in ETC_FILES.items():
        archive.file(f"etc/{name}", text.encode())
    if modules_directory:
        add_modules(archive, modules_directory)
    archive.file("init", agent, mode=0o755)
    return archive.to_bytes()


def write_whole(path, data):
    aside = f"{path}.tmp{os.getpid()}"
    try:
        pathlib.Path(aside).write_bytes(data)
        os.replace(aside, path)
    finally:
        pathlib.Path(aside).unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", required=True, metavar="BIN")
    parser.add_argument("--out", required=True, metavar="FILE")
    parser.add_argument("--modules", metavar="KVER|DIR")
    arguments = parser.parse_args()
    directory = arguments.modules
    if directory and "/" not in directory:
        directory = f"/lib/modules/{directory}"
    try:
        data = build(arguments.agent, directory)
        write_whole(arguments.out, data)
    except (OSError, modules.ModuleError) as error:
        raise SystemExit(f"mkinitrd: {error}") from error
    print(f"mkinitrd: {arguments.out}, {len(data) // 1024} KiB", file=sys.stderr)


if __name__ == "__main__":
    main()
