"""The agent's unit tests inside a guest: initramfs as root, cgroup v2 alone, every right of root.

The development machine has none of the three, so this is where pivot_root gives way to a move,
where v2 limits, OOM kills and nested cgroups are real, and where hard limits can be raised.
"""
import gzip
import pathlib
import re
import subprocess
import sys

import cpio
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from bed import places  # noqa: E402

BOOT_AND_RUN = 900  # seconds; about 70 on a quiet machine without hardware virtualization
SUITES = "Launch.*:ProcessProperties.*:Filesystem.*:Exec.*:Namespaces.*:Hooks.*:Seccomp.*:RealCgroup.*"

INIT = f"""#!/bin/sh
m() {{ busybox mkdir -p "$3"; busybox mount -t "$1" "$2" "$3"; }}
export PATH=/bin
m proc proc /proc; m sysfs sysfs /sys; m devtmpfs dev /dev; m tmpfs tmpfs /tmp
busybox mkdir -p /dev/pts /dev/shm
m cgroup2 none /sys/fs/cgroup
/test --gtest_brief=1 --gtest_color=no --gtest_filter='{SUITES}'
echo "unit tests ended with $?"
busybox poweroff -f
"""


def libraries(program):
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/\S+) \(0x", text)


def initrd(program):
    archive = cpio.Archive()
    busybox = pathlib.Path("/bin/busybox").read_bytes()
    folders = {"/bin", *(str(parent) for path in libraries(program)
                         for parent in pathlib.Path(path).parents if str(parent) != "/")}
    for folder in sorted(folders):
        archive.directory(folder)
    archive.directory("/dev")
    archive.character_device("/dev/console", 5, 1)
    for name in ("/bin/sh", "/bin/busybox"):
        archive.file(name, busybox, 0o755)
    for path in libraries(program):
        archive.file(path, pathlib.Path(path).read_bytes(), 0o755)
    archive.file("/test", pathlib.Path(program).read_bytes(), 0o755)
    archive.file("/init", INIT.encode(), 0o755)
    return gzip.compress(archive.to_bytes(), 1)


def test_unit_tests_pass_in_a_guest(tmp_path):
    built = places.build_dir() / "tests" / "agent_test"
    if not built.exists():
        pytest.skip(f"no {built}")
    program = tmp_path / "agent_test"
    subprocess.run(["strip", "-o", program, built], check=True)
    image = tmp_path / "initrd"
    image.write_bytes(initrd(program))
    result = subprocess.run(
        ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "1024", "-nodefaults",
         "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", places.guest_artefacts()["KATA_KERNEL"],
         "-initrd", image, "-append", "console=ttyS0 quiet panic=1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", timeout=BOOT_AND_RUN, check=False)
    assert "unit tests ended with 0" in result.stdout, result.stdout[-6000:]
    assert re.search(r"PASSED *\] \d{2,} tests", result.stdout), result.stdout[-6000:]
