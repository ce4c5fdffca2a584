"""Taking the ELF out of a bzImage (guest/cloud-kernel/extract_vmlinux.py)."""
import struct
import subprocess

import extract_vmlinux
import pytest

KERNEL = b"\x7fELF" + bytes(range(256)) * 64


def bzimage(kernel=KERNEL, size=None):
    packed = subprocess.run(["lz4", "-l", "-c", "-"], input=kernel, stdout=subprocess.PIPE,
                            check=True).stdout
    packed += struct.pack("<I", len(kernel) if size is None else size)
    image = bytearray(1024)
    image[extract_vmlinux.SETUP_SECTORS] = 1
    image[extract_vmlinux.HEADER_MAGIC:extract_vmlinux.HEADER_MAGIC + 4] = b"HdrS"
    struct.pack_into("<II", image, extract_vmlinux.PAYLOAD, 16, len(packed))
    return bytes(image) + bytes(16) + packed + b"what follows the payload"


def extract(tmp_path, image):
    (tmp_path / "bz").write_bytes(image)
    extract_vmlinux.main([str(tmp_path / "bz"), str(tmp_path / "vmlinux")])
    return (tmp_path / "vmlinux").read_bytes()


def test_the_kernel_comes_out(tmp_path):
    assert extract(tmp_path, bzimage()) == KERNEL


@pytest.mark.parametrize("image, words", [
    (b"", "not a bzImage"),
    (bytes(4096), "not a bzImage"),
    (bzimage()[:1100], "cut short"),
    (bzimage().replace(extract_vmlinux.LZ4_LEGACY, b"\x1f\x8b\x08\x00"), "not compressed by LZ4"),
    (bzimage(size=7), "wanted an ELF"),
    (bzimage(kernel=b"not an elf file"), "wanted an ELF"),
])
def test_what_is_no_such_image_is_refused(tmp_path, image, words):
    with pytest.raises(SystemExit, match=words):
        extract(tmp_path, image)
    assert not (tmp_path / "vmlinux").exists()
