"""Runs inside the lab: containers in VMs under real KVM, from a private containerd.

The outcome is printed as JSON lines: {"name": ..., "value": ...}; test_kvm.py reads them.
"""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import network_job  # noqa: E402
import vcpus_job  # noqa: E402
from bed import containerd as cd  # noqa: E402
from bed import image, kata_config, leaks, phases  # noqa: E402


def say(name, value):
    print(json.dumps({"name": name, "value": value}), flush=True)


def jobs(daemon):
    kata_config.write(daemon.kata_config, {kata_config.QEMU: {"accel": "kvm"}})
    before = leaks.Snapshot(daemon.tokens())
    first = daemon.run("sh", "-c", "echo hello; uname -r; exit 5", timeout=240)
    say("run", {"code": first.code, "out": first.out, "err": first.err[-3000:]})
    id = daemon.new_id("lab")
    daemon.ctr(*daemon.run_argv("sleep", "1000", id=id, flags=["--detach"]), timeout=240).ok()
    qemu = [line for line in leaks.processes((id,)).values() if "qemu-system" in line.split(" ")[0]]
    say("command line", qemu)
    say("notes", phases.of(daemon, id)["notes"])
    result = daemon.exec(id, "sh", "-c", "cat /proc/cpuinfo | grep -c ^processor; echo exec", timeout=60)
    say("exec", {"code": result.code, "out": result.out})
    daemon.ctr("task", "kill", "--signal", "SIGKILL", id).ok()
    daemon.wait_status(id, "STOPPED", 60)
    daemon.remove(id)
    say("left", leaks.wait_clean(daemon.tokens(), before, 20))
    say("log", daemon.log()[-4000:] if first.code != 5 else "")


def main():
    # /tmp/.lab is a tmpfs: the lab's root is an overlay, which cannot carry another one.
    with tempfile.TemporaryDirectory(prefix="kt", dir="/tmp/.lab") as folder:
        work = pathlib.Path(folder)
        archives, rootfs = image.make_test_images(work / "images")
        daemon = cd.Containerd("1.6", work / "c", archives[:1])
        try:
            jobs(daemon)
            network_job.run(daemon, work, say)
            vcpus_job.run(work / "s", rootfs, say)
        finally:
            say("at the end", daemon.close())


if __name__ == "__main__":
    main()
