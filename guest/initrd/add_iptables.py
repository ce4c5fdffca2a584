#!/usr/bin/env python3
"""Adds iptables to a guest's initrd, for `kata-runtime iptables`.

  add_iptables.py --initrd FILE --out FILE [--root DIR]

The programs are those of Debian's package iptables (the nft flavour, which also is what containers with a Debian or
newer image use), with the libraries and extensions they need, taken from this machine or from DIR, a folder in which
the packages iptables, libxtables12, libnftnl11, libmnl0 and libc6 are unpacked.  They are a second archive behind
the first: the kernel unpacks one after the other.  The same input gives the same bytes; FILE appears whole.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # an installed tree stays as it was installed

import cpio  # noqa: E402

PROGRAM = "usr/sbin/xtables-nft-multi"
NAMES = [f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore")]
# Extensions for IPv4, IPv6 and both; those of bridges and ARP are left out.
EXTENSIONS = ("libxt_", "libipt_", "libip6t_")
BLOCK = 512


class Missing(Exception):
    """Something is not on this machine. The text says what to install."""


def find(root, path):
    """The real file of a path below the root."""
    for candidate in (root / path, root / "usr" / path):
        if candidate.is_file():
            return candidate.resolve()
    raise Missing(f"{root / path} is missing; install the packages iptables, libxtables12, libnftnl11 and libmnl0")


def loader(root, program):
    return re.search(rb"/lib[0-9a-z]*/ld-linux[0-9A-Za-z._-]*", find(root, program).read_bytes())[0].decode().lstrip("/")


def extensions(root):
    found = sorted(path for folder in root.glob("usr/lib/*/xtables") for path in folder.iterdir()
                   if path.name.startswith(EXTENSIONS) and path.suffix == ".so")
    if not found:
        raise Missing(f"no extensions below {root}/usr/lib/*/xtables; install the package iptables")
    return found


def libraries(root, interpreter, files):
    """Paths of what the files are linked with, without the loader itself."""
    folders = sorted({str(path.parent) for pattern in ("lib/*-linux-gnu*", "usr/lib/*-linux-gnu*")
                      for path in root.glob(f"{pattern}/libc.so.6")} |
                     {str(path.parent) for path in root.glob("usr/lib/*-linux-gnu*/libxtables.so.12")})
    names = set()
    for file in files:
        listed = subprocess.run([find(root, interpreter), "--library-path", ":".join(folders), "--list", file],
                                capture_output=True, text=True, check=False)
        if listed.returncode or "not found" in listed.stdout:
            raise Missing(f"{file} cannot be loaded: {(listed.stdout + listed.stderr).strip()[-300:]}")
        names |= set(re.findall(r"=> (/\S+)", listed.stdout))
    return sorted(name for name in names if pathlib.PurePath(name).name != pathlib.PurePath(interpreter).name)


def add_parents(archive, path, made):
    for parent in reversed(pathlib.PurePosixPath(path).parents):
        if str(parent) != "." and str(parent) not in made:
            made.add(str(parent))
            archive.directory(str(parent))


def build(root):
    """The archive, and how many bytes its files are."""
    archive, made, size = cpio.Archive(), set(), 0

    def add(path, data, mode):
        nonlocal size
        add_parents(archive, path, made)
        archive.file(path, data, mode=mode)
        size += len(data)

    program, plugins = find(root, PROGRAM), extensions(root)
    interpreter = loader(root, PROGRAM)
    add(PROGRAM, program.read_bytes(), 0o755)
    for name in NAMES:
        archive.symlink(f"usr/sbin/{name}", PROGRAM.rpartition("/")[2])
    add(interpreter, find(root, interpreter).read_bytes(), 0o755)
    for library in libraries(root, interpreter, [program, *plugins]):
        # Where the loader looks without a cache.
        path = pathlib.PurePosixPath(library)
        add(f"usr/lib/{path.parent.name}/{path.name}", pathlib.Path(library).read_bytes(), 0o644)
    for plugin in plugins:
        add(str(plugin.relative_to(root)), plugin.read_bytes(), 0o644)
    return archive.to_bytes(), size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--initrd", required=True, metavar="FILE", help="what the guest boots today")
    parser.add_argument("--out", required=True, metavar="FILE")
    parser.add_argument("--root", default="/", metavar="DIR", help="where the programs are (default: this machine)")
    arguments = parser.parse_args()
    out, aside = pathlib.Path(arguments.out), pathlib.Path(f"{arguments.out}.tmp{os.getpid()}")
    try:
        base = pathlib.Path(arguments.initrd).read_bytes()
        data, size = build(pathlib.Path(arguments.root).resolve())
        aside.write_bytes(base + bytes(-len(base) % BLOCK) + data)
        os.replace(aside, out)
    except (OSError, Missing) as error:
        raise SystemExit(f"add_iptables: {error}") from error
    finally:
        aside.unlink(missing_ok=True)
    print(f"add_iptables: {out}, {out.stat().st_size // 1024} KiB; the guest keeps {size // 1024} KiB more in memory",
          file=sys.stderr)


if __name__ == "__main__":
    main()
