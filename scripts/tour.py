#!/usr/bin/env python3
"""The tour of `make run`: a private containerd, one container in its own VM, and a look around.

Needs KATA_KERNEL and KATA_INITRD (scripts/run.sh sets them).
"""
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lib"))

from bed import containerd as cd  # noqa: E402
from bed import image, phases  # noqa: E402


def show(title, text):
    print(f"\n-- {title}", flush=True)
    print(text.rstrip(), flush=True)


def tour(daemon):
    argv = daemon.run_argv("uname", "-a", flags=["--rm"], id=daemon.new_id("first"))
    began = time.monotonic()
    result = daemon.ctr(*argv, timeout=300)
    if result.code != 0:
        print(result.describe(), daemon.log()[-6000:], sep="\n", file=sys.stderr)
        return 1
    show("ctr " + " ".join(argv), f"{result.out}({time.monotonic() - began:.1f} s)")
    show("two kernels", f"host:  {os.uname().release}\nguest: {result.out.split()[2]}")

    id = daemon.start_detached("sleep", "300", id=daemon.new_id("tour"))
    show("processes the container sees (ctr task exec ... ps)", daemon.exec(id, "ps").ok().out)
    show("its VM", daemon.exec(id, "sh", "-c", "grep -c ^processor /proc/cpuinfo; head -n 1 /proc/meminfo").ok().out)
    record = phases.of(daemon, id)
    show("phases of its start", phases.table(record))
    show("accelerator and why", phases.notes(record))
    daemon.remove(id)
    return 0


def main():
    parent = pathlib.Path(os.environ.get("KATA_WORK", "/var/lib/kata-cpp"))
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run", dir=parent) as folder:
        archives, _ = image.make_test_images(pathlib.Path(folder) / "images")
        daemon = cd.Containerd(cd.VERSIONS[0], pathlib.Path(folder) / "c", archives[:1])
        try:
            status = tour(daemon)
        finally:
            left = daemon.close()
    if left:
        print("left behind (and removed now):", *left, sep="\n  ", file=sys.stderr)
        status = status or 1
    else:
        print("\nAll of it is stopped again and removed.")
    return status


if __name__ == "__main__":
    sys.exit(main())
