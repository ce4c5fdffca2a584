#!/usr/bin/env python3
"""Takes the kernel ELF (with its PVH entry) out of an LZ4-compressed bzImage.

  extract_vmlinux.py BZIMAGE VMLINUX      (needs the lz4 program)

Offsets: the x86 boot protocol, Documentation/arch/x86/boot.rst of the kernel.
"""
import pathlib
import struct
import subprocess
import sys

SETUP_SECTORS = 0x1F1
HEADER_MAGIC = 0x202
PAYLOAD = 0x248  # offset from the protected-mode code and length, protocol >= 2.08
LZ4_LEGACY = b"\x02\x21\x4c\x18"


def payload(image):
    """The compressed kernel and its unpacked size (its last four bytes)."""
    if len(image) < PAYLOAD + 8 or image[HEADER_MAGIC:HEADER_MAGIC + 4] != b"HdrS":
        raise SystemExit("not a bzImage")
    protected_mode = (image[SETUP_SECTORS] + 1) * 512
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    start = protected_mode + offset
    data = image[start:start + length]
    if length < 8 or len(data) != length:
        raise SystemExit("the bzImage is cut short")
    if not data.startswith(LZ4_LEGACY):
        raise SystemExit("the bzImage is not compressed by LZ4")
    return data[:-4], struct.unpack("<I", data[-4:])[0]


def main(arguments):
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    data, size = payload(pathlib.Path(arguments[0]).read_bytes())
    result = subprocess.run(["lz4", "-d", "-c", "-"], input=data, stdout=subprocess.PIPE,
                            check=True)
    kernel = result.stdout
    if len(kernel) != size or not kernel.startswith(b"\x7fELF"):
        raise SystemExit(f"unpacked {len(kernel)} bytes, wanted an ELF of {size}")
    pathlib.Path(arguments[1]).write_bytes(kernel)


if __name__ == "__main__":
    main(sys.argv[1:])
